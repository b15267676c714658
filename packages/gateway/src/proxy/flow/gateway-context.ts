import type { ListenerConfig } from '../../config/model/listener.ts';
import type { CorrelationIdFormat } from '../../config/model/system.ts';
import type { RouteMatcher } from '../../routing/matcher.ts';
import type { BuiltinSource } from '../local/builtin.ts';
import type { GatewayObserver, TraceStarter } from '../observer.ts';
import type { GatewayLimits } from '../server/limits.ts';
import type { SharedTally } from '../server/shared-tally.ts';
import type { RoutePlan } from './route-plan.ts';

/** A configuration made ready to serve requests. Requests keep the one they began with. */
export interface Generation {
  readonly matcher: RouteMatcher;
  readonly plans: ReadonlyMap<string, RoutePlan>;
  /** By id. */
  readonly listeners: ReadonlyMap<string, ListenerConfig>;
  readonly limits: GatewayLimits;
  readonly correlationIdFormat: CorrelationIdFormat;
  /** Undefined without tracing. */
  readonly traceStarter: TraceStarter | undefined;
}

/** What every request of a gateway shares. */
export interface GatewayContext {
  readonly observer: GatewayObserver;
  readonly builtin: BuiltinSource;
  readonly inFlight: InFlight;
  /** The configuration for requests that begin now. */
  generation: Generation;
}

/** What is known of requests from outside. */
export interface RunningRequest {
  /** Where it stands among the running ones; kept by {@link InFlight}. */
  inFlightSlot: number;
  /** Ends it at once. */
  kill(): void;
}

/**
 * The requests in progress. A list in no order, not a set: a set's table is made anew every hundred requests or so, and the
 * tables before it, once they are old, keep the requests they had from being collected as young objects.
 */
export class InFlight {
  readonly #running: RunningRequest[] = [];
  #draining = false;
  #onEmpty: (() => void) | undefined;
  readonly #tally: SharedTally | undefined;

  /** With a tally, other threads know of the requests here. */
  constructor(tally?: SharedTally) {
    this.#tally = tally;
  }

  get size(): number {
    return this.#running.length;
  }

  /** With those of other threads. */
  get everywhere(): number {
    return this.#running.length + (this.#tally?.othersInFlight() ?? 0);
  }

  /** Whether connections end with the requests they have. */
  get draining(): boolean {
    return this.#draining;
  }

  add(request: RunningRequest): void {
    request.inFlightSlot = this.#running.push(request) - 1;
    this.#tally?.setInFlight(this.#running.length);
  }

  delete(request: RunningRequest): void {
    const last = this.#running.pop()!;
    if (last !== request) {
      this.#running[request.inFlightSlot] = last;
      last.inFlightSlot = request.inFlightSlot;
    }
    this.#tally?.setInFlight(this.#running.length);
    if (this.#running.length === 0) this.#onEmpty?.();
  }

  /** Waits until nothing runs, but no longer than `limitMs`; tells whether nothing does. */
  async drain(limitMs: number): Promise<boolean> {
    this.#draining = true;
    if (this.#running.length === 0) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#running.length === 0;
  }

  killAll(): void {
    for (const request of [...this.#running]) request.kill();
  }
}
