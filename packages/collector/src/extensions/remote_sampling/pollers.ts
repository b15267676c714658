import type { Limit } from '@clew/base';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import type { SamplingTransport } from './telemetry.ts';

/** A service that asks how much to sample, and what it was told last. */
export interface Poller {
  readonly service: string;
  readonly lastPollUnixMs: number;
  readonly polls: number;
  readonly transport: SamplingTransport;
  readonly strategy: string;
}

interface Seen {
  atUnixMs: number;
  polls: number;
  transport: SamplingTransport;
  strategy: SamplingStrategy;
}

/** Pollers that a snapshot shows. */
const maxShown = 100;

/**
 * Remembers who asked lately. Anybody can ask in any name, so there is a limit: the service that asked longest ago is forgotten.
 */
export class Pollers {
  readonly #limit: Limit;
  /** In the order of the last poll, oldest first. */
  readonly #seen = new Map<string, Seen>();

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#seen.size;
  }

  /** Notes that a service was told a strategy. */
  note(service: string, transport: SamplingTransport, strategy: SamplingStrategy): void {
    const before = this.#seen.get(service);
    const seen = before ?? { atUnixMs: 0, polls: 0, transport, strategy };
    seen.atUnixMs = Date.now();
    seen.polls++;
    seen.transport = transport;
    seen.strategy = strategy;
    this.#seen.delete(service);
    this.#seen.set(service, seen);
    if (!this.#limit.allows(this.#seen.size)) this.#forgetOldest();
  }

  /** The services that asked last, newest first. */
  list(): Poller[] {
    return [...this.#seen]
      .slice(-maxShown)
      .toReversed()
      .map(([service, { atUnixMs, polls, transport, strategy }]) => ({
        service,
        lastPollUnixMs: atUnixMs,
        polls,
        transport,
        strategy: strategyText(strategy),
      }));
  }

  #forgetOldest(): void {
    this.#limit.exceeded();
    const oldest = this.#seen.keys().next();
    if (oldest.done !== true) this.#seen.delete(oldest.value);
  }
}

/** A strategy in a few words: `probabilistic 0.25, 3 operations`. */
export function strategyText(strategy: SamplingStrategy): string {
  const { probabilisticSampling, rateLimitingSampling, operationSampling } = strategy;
  const parts = [
    ...(probabilisticSampling === undefined ? [] : [`probabilistic ${probabilisticSampling.samplingRate}`]),
    ...(rateLimitingSampling === undefined ? [] : [`at most ${rateLimitingSampling.maxTracesPerSecond} traces/s`]),
    ...(operationSampling === undefined ? [] : [`${operationSampling.perOperationStrategies.length} operations`]),
  ];
  return parts.join(', ');
}
