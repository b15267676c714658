/**
 * What a service is told about how much to sample: the messages of `jaeger.api_v2.SamplingManager`
 * (jaeger-idl, `proto/api_v2/sampling.proto`). Their two JSON forms are in `sampling-json.ts`, the protobuf in
 * `sampling-protobuf.ts`.
 */

/** Which of the two parts a client without per-operation sampling follows. */
export type SamplingStrategyType = 'PROBABILISTIC' | 'RATE_LIMITING';

/** Keep this share of all traces. */
export interface ProbabilisticSampling {
  /** From 0 to 1. */
  readonly samplingRate: number;
}

/** Keep at most so many traces. */
export interface RateLimitingSampling {
  /** A whole number, per process of the service. */
  readonly maxTracesPerSecond: number;
}

/** What holds for one operation: the name of a root span. */
export interface OperationSampling {
  readonly operation: string;
  readonly probabilisticSampling?: ProbabilisticSampling;
}

/** Strategies by operation. A client samples by probability or, when that keeps less, by the lower bound. */
export interface PerOperationSampling {
  /** For operations that are not listed. */
  readonly defaultSamplingProbability: number;
  readonly defaultLowerBoundTracesPerSecond: number;
  readonly perOperationStrategies: readonly OperationSampling[];
  readonly defaultUpperBoundTracesPerSecond: number;
}

/** The answer to a service that asks how much to sample. */
export interface SamplingStrategy {
  readonly strategyType: SamplingStrategyType;
  readonly probabilisticSampling?: ProbabilisticSampling;
  readonly rateLimitingSampling?: RateLimitingSampling;
  /** Beside either of the two; clients that know it follow it instead. */
  readonly operationSampling?: PerOperationSampling;
}

/** The strategy types by their number in protobuf and in the legacy JSON. */
export const samplingStrategyTypes = Object.freeze([
  'PROBABILISTIC',
  'RATE_LIMITING',
] as const satisfies readonly SamplingStrategyType[]);

/** Full name of the gRPC service. */
export const samplingManagerService = 'jaeger.api_v2.SamplingManager';

/** Operations an answer may list: what is beyond cannot be meant, and a few bytes of input must not become a large object. */
export const MAX_OPERATION_STRATEGIES = 100_000;
