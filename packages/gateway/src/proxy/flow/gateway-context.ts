import type { ListenerConfig } from '../../config/model/listener.ts';
import type { CorrelationIdFormat } from '../../config/model/system.ts';
import type { RouteMatcher } from '../../routing/matcher.ts';
import type { RateLimiter } from '../filters/rate-limit.ts';
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
  /** Asked also about requests that no route takes. */
  readonly globalLimiter: RateLimiter | undefined;
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
  /** When it must have ended, a `performance.now()` time; Infinity = it may take as long as it likes. */
  deadlineMs: number;
  /** The deadline has passed. */
  onDeadline(): void;
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
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #timerMs = Infinity;
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

  /** Sees to it that the request is told of its deadline. */
  watch({ deadlineMs }: RunningRequest): void {
    if (deadlineMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = deadlineMs;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(Math.ceil(deadlineMs - performance.now()), 1)).unref();
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

  /** Setting a timer for each request would be felt: one fires at what was the earliest deadline, and looks at all. */
  #onTimer(): void {
    const nowMs = performance.now();
    this.#timerMs = Infinity;
    for (const request of this.#running.slice()) if (request.deadlineMs <= nowMs) request.onDeadline();
    let next: RunningRequest | undefined;
    for (const request of this.#running) {
      if (request.deadlineMs > nowMs && request.deadlineMs < (next?.deadlineMs ?? Infinity)) next = request;
    }
    if (next !== undefined) this.watch(next);
  }

  killAll(): void {
    for (const request of this.#running.slice()) request.kill();
  }
}
