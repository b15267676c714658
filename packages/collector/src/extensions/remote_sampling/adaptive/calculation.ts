import type { OperationSamplingState, RootCount, SamplingRound, ServedStrategy } from '@clew/pipeline';

/**
 * The arithmetic of adaptive sampling, free of clocks and stores
 * (https://www.jaegertracing.io/docs/latest/sampling/#adaptive-sampling): for each operation, steer the probability so that sampled
 * traces arrive at a target rate.
 */

/** What steers the calculation. */
export interface CalculationOptions {
  readonly targetSamplesPerSecond: number;
  /** How far from the target, as a share of it, a rate may be without anything being changed. */
  readonly deltaTolerance: number;
  /** Intervals whose rates are combined. */
  readonly calculationBuckets: number;
  readonly initialSamplingProbability: number;
  readonly minSamplingProbability: number;
  readonly intervalMs: number;
}

/** What arrived of one operation in one interval. */
export interface OperationTraffic {
  /** Traces sampled by probability. */
  readonly traces: number;
  /** Probabilities that root spans name, as {@link probabilityKey} writes them. */
  readonly probabilities: ReadonlySet<string>;
  /** Traces whose roots name none. */
  readonly untagged: number;
}

/** What arrived in one interval, by service and operation. */
export interface TrafficBucket {
  readonly interval: number;
  readonly services: ReadonlyMap<string, ReadonlyMap<string, OperationTraffic>>;
}

/** Everything a round is calculated from. */
export interface CalculationInput {
  readonly round: number;
  /** Newest first; the first may not be missing, others may. */
  readonly buckets: readonly TrafficBucket[];
  readonly before: SamplingRound;
  readonly served: readonly ServedStrategy[];
}

/** Different probabilities of one operation in one interval that are remembered. */
const maxProbabilities = 10;
const maxProbability = 1;
/** Probabilities closer than this are the same. */
const epsilon = 1e-10;

/** A probability as it is compared: with six decimals, for it travelled through other languages' number formats. */
export function probabilityKey(probability: number): string {
  return probability.toFixed(6);
}

/** Puts counts of one interval together. What was only sampled by its lower bound is known and counts nothing. */
export function trafficOf(interval: number, counts: readonly RootCount[]): TrafficBucket {
  const services = new Map<string, Map<string, OperationTraffic & { probabilities: Set<string> }>>();
  for (const { service, operation, sampler, param, traces } of counts) {
    const operations = services.get(service) ?? new Map<string, OperationTraffic & { probabilities: Set<string> }>();
    services.set(service, operations);
    const known = operations.get(operation) ?? { traces: 0, probabilities: new Set<string>(), untagged: 0 };
    const untagged = sampler === 'untagged' ? traces : 0;
    if (sampler !== 'untagged' && known.probabilities.size < maxProbabilities) {
      known.probabilities.add(probabilityKey(param));
    }
    operations.set(operation, {
      traces: known.traces + (sampler === 'lowerbound' ? 0 : traces),
      probabilities: known.probabilities,
      untagged: known.untagged + untagged,
    });
  }
  return { interval, services };
}

/** Calculates the next round: the state of every operation that was seen in any of the buckets. */
export function calculateRound(input: CalculationInput, options: CalculationOptions): SamplingRound {
  const before = new Map(input.before.operations.map((state) => [keyOf(state.service, state.operation), state]));
  const rates = ratesOf(input.buckets, options);
  const served = servedVersions(input.served, input.buckets[0], options.intervalMs);
  const operations = rates.map(({ service, operation, rate }): OperationSamplingState => {
    const known = before.get(keyOf(service, operation));
    const old = known?.probability ?? options.initialSamplingProbability;
    const traffic = input.buckets[0]?.services.get(service)?.get(operation);
    const followed = isFollowed({ known, old, traffic, servedVersion: served.get(service) ?? 0 }, options);
    // Without new traffic there is nothing new to learn: the same rate must not count twice.
    const probability = followed && traffic !== undefined ? nextProbability(old, rate, options) : old;
    const changed = Math.abs(probability - old) > epsilon;
    return {
      service,
      operation,
      probability,
      tracesPerSecond: rate,
      followed,
      changedRound: changed ? input.round : (known?.changedRound ?? 0),
    };
  });
  return { round: input.round, operations: [...operations, ...unseen(input, rates)] };
}

/**
 * Operations of services that ask, of which nothing arrived. They are kept: a service may rest, and so may whoever counts. They are forgotten
 * once their service sent other operations from the oldest bucket on.
 */
function unseen(
  { buckets, before, served }: CalculationInput,
  rates: readonly OperationRate[],
): OperationSamplingState[] {
  const seen = new Set(rates.map(({ service, operation }) => keyOf(service, operation)));
  const asking = new Set(served.map(({ service }) => service));
  const oldest = buckets.at(-1);
  return before.operations.filter(
    ({ service, operation }) =>
      !seen.has(keyOf(service, operation)) && asking.has(service) && oldest?.services.has(service) !== true,
  );
}

/** The next probability for a measured rate. An increase is at most a doubling; a decrease may be any. */
export function nextProbability(old: number, rate: number, options: CalculationOptions): number {
  const { targetSamplesPerSecond: target, deltaTolerance, minSamplingProbability } = options;
  if (Math.abs(rate - target) / target <= deltaTolerance + epsilon) return old;
  const wanted = rate === 0 ? old * 2 : Math.min(old * (target / rate), old * 2);
  return Math.min(maxProbability, Math.max(minSamplingProbability, wanted));
}

/** Weights of `count` values, newest first: the fourth power of their distance from the end, adding up to 1. */
export function bucketWeights(count: number): number[] {
  const powers = Array.from({ length: count }, (_, index) => (count - index) ** 4);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

interface OperationRate {
  readonly service: string;
  readonly operation: string;
  readonly rate: number;
}

/** The rate of each operation over the newest buckets in which it was seen. */
function ratesOf(buckets: readonly TrafficBucket[], options: CalculationOptions): OperationRate[] {
  const { calculationBuckets, intervalMs } = options;
  const perOperation = new Map<string, { service: string; operation: string; rates: number[] }>();
  for (const { services } of buckets) {
    for (const [service, operations] of services) {
      for (const [operation, { traces }] of operations) {
        const key = keyOf(service, operation);
        const seen = perOperation.get(key) ?? { service, operation, rates: [] };
        perOperation.set(key, seen);
        if (seen.rates.length < calculationBuckets) seen.rates.push(traces / (intervalMs / 1000));
      }
    }
  }
  return [...perOperation.values()].map(({ service, operation, rates }) => {
    const weights = bucketWeights(rates.length);
    return { service, operation, rate: rates.reduce((sum, rate, index) => sum + rate * weights[index]!, 0) };
  });
}

interface Evidence {
  readonly known: OperationSamplingState | undefined;
  readonly old: number;
  readonly traffic: OperationTraffic | undefined;
  /** The newest version of its strategy that the service was told before the newest bucket began. */
  readonly servedVersion: number;
}

/**
 * Whether an operation is sampled by the probability it was told. Only then does its rate say anything about that probability: right after a
 * change the traffic still shows the one before. Roots that name no probability show it by when their service asked.
 */
function isFollowed({ known, old, traffic, servedVersion }: Evidence, options: CalculationOptions): boolean {
  // Seen for the first time, or never changed: taken for granted; the next change will show.
  if (Math.abs(old - options.initialSamplingProbability) < epsilon) return true;
  if (traffic === undefined) return known?.followed ?? false;
  if (traffic.probabilities.has(probabilityKey(old))) return true;
  return traffic.untagged > 0 && servedVersion >= (known?.changedRound ?? 0);
}

function servedVersions(
  served: readonly ServedStrategy[],
  newest: TrafficBucket | undefined,
  intervalMs: number,
): Map<string, number> {
  // A bucket in which the version changed shows both.
  const startUnixMs = newest === undefined ? 0 : newest.interval * intervalMs;
  const versions = new Map<string, number>();
  for (const { service, version, firstUnixMs } of served) {
    if (firstUnixMs <= startUnixMs) versions.set(service, Math.max(version, versions.get(service) ?? 0));
  }
  return versions;
}

/** One text for both; the length tells where the first ends. */
function keyOf(service: string, operation: string): string {
  return `${service.length}:${service}${operation}`;
}
