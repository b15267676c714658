import type { Limit } from '@clew/base';
import { GrpcClient, resolveGrpcClient } from '@clew/net';
import type { GrpcClientConfig } from '@clew/net';
import { decodeSamplingStrategy, encodeSamplingRequest, samplingManagerService } from '@clew/wire/jaeger';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import type { StrategyProvider } from '../strategy-provider.ts';

/** How strategies are fetched from another server. */
export interface RemoteStrategiesOptions {
  readonly server: GrpcClientConfig;
  /** How long an answer is given again before the server is asked anew; 0 asks every time. */
  readonly reloadIntervalMs: number;
  /** Services whose answers are kept. */
  readonly maxServices: Limit;
}

/** Longest wait for the other server. */
const callTimeoutMs = 5000;
const path = `/${samplingManagerService}/GetSamplingStrategy`;

interface Kept {
  readonly strategy: Promise<SamplingStrategy>;
  readonly untilMs: number;
}

/** Passes requests on to another server that speaks `jaeger.api_v2.SamplingManager`. */
export class RemoteStrategies implements StrategyProvider {
  readonly #options: RemoteStrategiesOptions;
  readonly #kept = new Map<string, Kept>();
  #client: GrpcClient | undefined;

  constructor(options: RemoteStrategiesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#client ??= new GrpcClient(resolveGrpcClient(this.#options.server));
  }

  async stop(): Promise<void> {
    await this.#client?.close();
    this.#kept.clear();
  }

  strategyFor(service: string, signal: AbortSignal): Promise<SamplingStrategy> {
    const { reloadIntervalMs } = this.#options;
    if (reloadIntervalMs <= 0) return this.#fetch(service, signal);
    const kept = this.#kept.get(service);
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.strategy;
    // Several may wait for one answer, so none of them can call it off.
    const strategy = this.#fetch(service);
    this.#keep(service, { strategy, untilMs: performance.now() + reloadIntervalMs });
    return strategy;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const { server } = this.#options;
    return {
      kind: 'remote',
      source: server.endpoint,
      connection: this.#client?.state ?? null,
      services: this.#kept.size,
    };
  }

  #keep(service: string, kept: Kept): void {
    this.#kept.delete(service);
    this.#kept.set(service, kept);
    // A failure is not worth keeping: the next request tries again.
    kept.strategy.catch(() => {
      if (this.#kept.get(service) === kept) this.#kept.delete(service);
    });
    const oldest = this.#kept.keys().next();
    if (!this.#options.maxServices.allows(this.#kept.size) && oldest.done !== true) this.#kept.delete(oldest.value);
  }

  async #fetch(service: string, signal?: AbortSignal): Promise<SamplingStrategy> {
    if (this.#client === undefined) throw new Error('remote sampling is not running');
    const { headers } = this.#options.server;
    const reply = await this.#client.unary(path, encodeSamplingRequest(service), {
      timeoutMs: callTimeoutMs,
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    return decodeSamplingStrategy(reply);
  }
}
