import { fail, ok } from '@clew/base';
import type { Result } from '@clew/base';
import type { OperationSampling, PerOperationSampling, SamplingStrategy } from '@clew/wire/jaeger';
import { Findings, readStrategiesDocument } from './strategies-document.ts';
import type {
  Finding,
  OperationEntry,
  ServiceEntry,
  StrategiesDocument,
  StrategyEntry,
} from './strategies-document.ts';

/** The strategies of a file, ready to be served. Never changed: a reload makes another. */
export interface StrategyBook {
  /** For services that are not listed. */
  readonly defaultStrategy: SamplingStrategy;
  readonly services: ReadonlyMap<string, SamplingStrategy>;
}

/** A book, and what somebody should look at in the file it comes from. */
export interface ReadBook {
  readonly book: StrategyBook;
  /** The first of them. */
  readonly warnings: readonly Finding[];
  readonly warningCount: number;
}

/** The largest rate protobuf's field holds. */
const maxRate = 2_147_483_647;

/** What is served when no file says anything: the same probability for all. */
export function defaultBook(probability: number): StrategyBook {
  return { defaultStrategy: probabilistic(probability), services: new Map() };
}

/** Reads a strategies file. Fails with what makes it none. */
export function readStrategyBook(text: string, defaultProbability: number): Result<ReadBook, Finding> {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const findings = new Findings(plain);
  const document = readStrategiesDocument(plain, findings);
  if (!document.ok) return fail(document.error);
  const book = new BookBuilder(document.value, defaultProbability, findings).build();
  return ok({ book, warnings: findings.list, warningCount: findings.count });
}

/**
 * Turns a document into strategies (https://www.jaegertracing.io/docs/latest/sampling/#file-based-sampling-configuration). The default's
 * operations hold for every service unless the service has its own; the service's own come first.
 */
class BookBuilder {
  readonly #document: StrategiesDocument;
  readonly #defaultProbability: number;
  readonly #findings: Findings;

  constructor(document: StrategiesDocument, defaultProbability: number, findings: Findings) {
    this.#document = document;
    this.#defaultProbability = defaultProbability;
    this.#findings = findings;
  }

  build(): StrategyBook {
    const { services, defaultStrategy } = this.#document;
    const fallback = probabilistic(this.#defaultProbability);
    const byDefault = defaultStrategy === undefined ? fallback : this.#service(defaultStrategy, fallback, undefined);
    const inherited = byDefault.operationSampling?.perOperationStrategies;
    const listed = new Map<string, SamplingStrategy>();
    for (const entry of services) {
      if (listed.has(entry.service)) {
        this.#findings.warn(entry.path, `service ${JSON.stringify(entry.service)} is listed again; the last one holds`);
      }
      listed.set(entry.service, this.#service(entry, byDefault, inherited));
    }
    return { defaultStrategy: byDefault, services: listed };
  }

  /** `inherited` are the default's operations; undefined when it has none. */
  #service(
    entry: ServiceEntry,
    fallback: SamplingStrategy,
    inherited: readonly OperationSampling[] | undefined,
  ): SamplingStrategy {
    const own = this.#strategy(entry, fallback);
    if (entry.operations.length === 0 && inherited === undefined) return own;
    const operations = entry.operations.flatMap((operation) => this.#operation(operation));
    const listed = new Set(operations.map(({ operation }) => operation));
    const merged = [...operations, ...(inherited ?? []).filter(({ operation }) => !listed.has(operation))];
    return { ...own, operationSampling: this.#perOperation(own, merged) };
  }

  #perOperation(own: SamplingStrategy, operations: readonly OperationSampling[]): PerOperationSampling {
    return {
      defaultSamplingProbability: own.probabilisticSampling?.samplingRate ?? this.#defaultProbability,
      defaultLowerBoundTracesPerSecond: 0,
      // Copies, so that no two strategies share what one of them might change.
      perOperationStrategies: operations.map(({ operation, probabilisticSampling }) => ({
        operation,
        ...(probabilisticSampling === undefined ? {} : { probabilisticSampling: { ...probabilisticSampling } }),
      })),
      defaultUpperBoundTracesPerSecond: 0,
    };
  }

  #strategy(entry: StrategyEntry, fallback: SamplingStrategy): SamplingStrategy {
    const read = strategyOf(entry);
    if (read.ok) return read.value;
    this.#findings.warn(entry.path, `${read.error}; the default strategy is taken`);
    const { operationSampling: _operations, ...plain } = fallback;
    return structuredClone(plain);
  }

  #operation(entry: OperationEntry): OperationSampling[] {
    const name = JSON.stringify(entry.operation);
    const read = strategyOf(entry);
    if (!read.ok) {
      this.#findings.warn(entry.path, `${read.error}; operation ${name} follows its service`);
      return [];
    }
    const { probabilisticSampling } = read.value;
    if (probabilisticSampling !== undefined) return [{ operation: entry.operation, probabilisticSampling }];
    this.#findings.warn(
      entry.path,
      `operations can only be sampled by probability; the ${entry.type} strategy of ${name} is ignored`,
    );
    return [];
  }
}

function strategyOf({ type, param }: StrategyEntry): Result<SamplingStrategy, string> {
  switch (type) {
    case 'probabilistic':
      if (param >= 0 && param <= 1) return ok(probabilistic(param));
      return fail(`a probability lies between 0 and 1, and ${param} does not`);
    case 'ratelimiting': {
      // What is left of a number between -1 and 0 is a zero with a sign.
      const rate = Math.trunc(param) || 0;
      if (rate < 0 || rate > maxRate) return fail(`a rate lies between 0 and ${maxRate}, and ${param} does not`);
      return ok({ strategyType: 'RATE_LIMITING', rateLimitingSampling: { maxTracesPerSecond: rate } });
    }
    case '':
      return fail('a strategy without type');
    default:
      return fail(`${JSON.stringify(type)} is no type of strategy: probabilistic or ratelimiting is expected`);
  }
}

function probabilistic(samplingRate: number): SamplingStrategy {
  return { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate } };
}
