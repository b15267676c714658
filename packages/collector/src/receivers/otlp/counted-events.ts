import type { OtlpEvents, Transport } from './telemetry.ts';

/** Totals of one transport since the start, for the page and for `snapshot()`. */
export interface TransportCounters {
  readonly requests: number;
  readonly acceptedSpans: number;
  readonly refusedSpans: number;
  readonly refusedRequests: number;
  readonly lastRefusal?: { readonly atUnixMs: number; readonly reason: string };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const none: TransportCounters = { requests: 0, acceptedSpans: 0, refusedSpans: 0, refusedRequests: 0 };

/** Passes events on and keeps count of them. */
export class CountedEvents implements OtlpEvents {
  readonly #next: OtlpEvents;
  readonly #counters: Record<Transport, Mutable<TransportCounters>> = { grpc: { ...none }, http: { ...none } };

  constructor(next: OtlpEvents) {
    this.#next = next;
  }

  /** The totals of one transport. */
  of(transport: Transport): TransportCounters {
    return { ...this.#counters[transport] };
  }

  accepted(transport: Transport, spans: number): void {
    const counters = this.#counters[transport];
    counters.requests++;
    counters.acceptedSpans += spans;
    this.#next.accepted(transport, spans);
  }

  refused(transport: Transport, spans: number, reason: string): void {
    this.#refuse(transport, spans, reason);
    this.#next.refused(transport, spans, reason);
  }

  failed(transport: Transport, spans: number, reason: string): void {
    this.#refuse(transport, spans, reason);
    this.#next.failed(transport, spans, reason);
  }

  rejected(transport: Transport, reason: Parameters<OtlpEvents['rejected']>[1], detail: string): void {
    this.#refuse(transport, 0, detail === '' ? reason : detail);
    this.#next.rejected(transport, reason, detail);
  }

  unconsumed(signal: 'logs' | 'metrics', items: number): void {
    this.#next.unconsumed(signal, items);
  }

  #refuse(transport: Transport, spans: number, reason: string): void {
    const counters = this.#counters[transport];
    counters.requests++;
    counters.refusedRequests++;
    counters.refusedSpans += spans;
    counters.lastRefusal = { atUnixMs: Date.now(), reason };
  }
}
