/** What the receiver's only sampling rule says. */
export interface SamplingRule {
  /** Share of requests sampled once the reservoir is used up, 0 to 1. */
  readonly fixedRate: number;
  /** Requests a second sampled before that, over all clients together. */
  readonly reservoirSize: number;
}

/** The name of X-Ray's rule of last resort, which every SDK knows. */
const ruleName = 'Default';
/** Seconds after which SDKs ask again. */
const intervalSeconds = 10;
/** A client that has not asked for so long has no part of the reservoir any more. */
const clientSeconds = 3 * intervalSeconds;
/** More clients than this share the reservoir of as many: an SDK makes its id up, so anybody can be many. */
const maxClients = 10_000;

/**
 * Answers the sampling calls of X-Ray SDKs (API operations GetSamplingRules and GetSamplingTargets of AWS X-Ray) with one rule for
 * every request. As in X-Ray the reservoir is shared: each client that reports is given its part until it should have asked again.
 */
export class SamplingAnswers {
  readonly #rule: SamplingRule;
  readonly #startedSeconds: number;
  /** When each client asked last. */
  readonly #clients = new Map<string, number>();

  constructor(rule: SamplingRule, startedUnixSeconds: number) {
    this.#rule = rule;
    this.#startedSeconds = startedUnixSeconds;
  }

  /** Clients that share the reservoir now. */
  get clientCount(): number {
    return this.#clients.size;
  }

  /** The body that answers GetSamplingRules. */
  rules(): object {
    return {
      SamplingRuleRecords: [
        {
          CreatedAt: this.#startedSeconds,
          ModifiedAt: this.#startedSeconds,
          SamplingRule: {
            RuleName: ruleName,
            RuleARN: `arn:aws:xray:local:000000000000:sampling-rule/${ruleName}`,
            ResourceARN: '*',
            Priority: 10_000,
            FixedRate: this.#rule.fixedRate,
            ReservoirSize: this.#rule.reservoirSize,
            ServiceName: '*',
            ServiceType: '*',
            Host: '*',
            HTTPMethod: '*',
            URLPath: '*',
            Version: 1,
            Attributes: {},
          },
        },
      ],
    };
  }

  /** The body that answers GetSamplingTargets; `request` is what was sent, whatever it is. */
  targets(request: unknown, nowUnixSeconds: number): object {
    const reports = reportsOf(request);
    for (const { rule, client } of reports) if (rule === ruleName) this.#remember(client, nowUnixSeconds);
    this.#forget(nowUnixSeconds - clientSeconds);
    return {
      LastRuleModification: this.#startedSeconds,
      SamplingTargetDocuments: reports
        .filter(({ rule }) => rule === ruleName)
        .map(({ client }) => this.#target(client, nowUnixSeconds)),
      UnprocessedStatistics: reports
        .filter(({ rule }) => rule !== ruleName)
        .map(({ rule }) => ({ RuleName: rule, ErrorCode: '400', Message: `there is no rule but ${ruleName}` })),
    };
  }

  #target(client: string, nowUnixSeconds: number): object {
    return {
      RuleName: ruleName,
      FixedRate: this.#rule.fixedRate,
      ReservoirQuota: this.#quota(client),
      ReservoirQuotaTTL: nowUnixSeconds + clientSeconds,
      Interval: intervalSeconds,
    };
  }

  /** The parts of all clients add up to the reservoir; who came first gets what does not divide. */
  #quota(client: string): number {
    const count = Math.max(1, this.#clients.size);
    const position = [...this.#clients.keys()].indexOf(client);
    const { reservoirSize } = this.#rule;
    return Math.floor(reservoirSize / count) + (position >= 0 && position < reservoirSize % count ? 1 : 0);
  }

  #remember(client: string, nowUnixSeconds: number): void {
    if (this.#clients.has(client) || this.#clients.size < maxClients) this.#clients.set(client, nowUnixSeconds);
  }

  #forget(beforeUnixSeconds: number): void {
    for (const [client, askedSeconds] of this.#clients)
      if (askedSeconds < beforeUnixSeconds) this.#clients.delete(client);
  }
}

interface Report {
  readonly rule: string;
  readonly client: string;
}

/** X-Ray allows no more in one call. */
const maxReports = 25;

function reportsOf(request: unknown): readonly Report[] {
  const documents = memberOf(request, 'SamplingStatisticsDocuments');
  if (!Array.isArray(documents)) return [];
  return documents.slice(0, maxReports).flatMap((document: unknown) => {
    const rule = memberOf(document, 'RuleName');
    const client = memberOf(document, 'ClientID');
    return typeof rule === 'string' && typeof client === 'string' && client.length <= 100 ? [{ rule, client }] : [];
  });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
