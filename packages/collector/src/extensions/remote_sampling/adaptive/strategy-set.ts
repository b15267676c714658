import type { OperationSamplingState, SamplingRound } from '@clew/pipeline';
import type { SamplingStrategy } from '@clew/wire/jaeger';

/** What holds for all services. */
export interface StrategySetOptions {
  readonly initialSamplingProbability: number;
  readonly minSamplesPerSecond: number;
}

/** A service's strategy and its version: the newest round in which one of its probabilities changed. */
export interface VersionedStrategy {
  readonly strategy: SamplingStrategy;
  readonly version: number;
}

/** The strategies of one round, ready to be served. Never changed: a new round makes another set. */
export class StrategySet {
  readonly round: number;
  readonly operations: number;
  readonly #services = new Map<string, VersionedStrategy>();
  readonly #unknown: VersionedStrategy;

  constructor({ round, operations }: SamplingRound, options: StrategySetOptions) {
    this.round = round;
    this.operations = operations.length;
    this.#unknown = strategyOf([], options);
    for (const [service, states] of Map.groupBy(operations, (state) => state.service)) {
      this.#services.set(service, strategyOf(states, options));
    }
  }

  get services(): number {
    return this.#services.size;
  }

  /** The strategy of a service; of one that is not known, what holds for every operation at first. */
  of(service: string): VersionedStrategy {
    return this.#services.get(service) ?? this.#unknown;
  }
}

function strategyOf(states: readonly OperationSamplingState[], options: StrategySetOptions): VersionedStrategy {
  const { initialSamplingProbability: initial, minSamplesPerSecond } = options;
  return {
    version: Math.max(0, ...states.map(({ changedRound }) => changedRound)),
    strategy: {
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: initial },
      operationSampling: {
        defaultSamplingProbability: initial,
        defaultLowerBoundTracesPerSecond: minSamplesPerSecond,
        perOperationStrategies: states.map(({ operation, probability }) => ({
          operation,
          probabilisticSampling: { samplingRate: probability },
        })),
        defaultUpperBoundTracesPerSecond: 0,
      },
    },
  };
}
