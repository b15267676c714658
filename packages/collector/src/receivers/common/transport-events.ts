import type { RejectReason } from '@clew/net';
import type { ReceiverMetrics } from './receiver-metrics.ts';

/** How data comes in; a label of the receiver's metrics. */
export type Transport = 'grpc' | 'http' | 'udp';

/** Why data was turned away before it became spans. */
export type IngestRejectReason = RejectReason | 'malformed_data' | 'queue_full' | 'packet_too_large';

/** Totals of one transport since the start, for the page and for `snapshot()`. */
export interface TransportCounters {
  readonly requests: number;
  readonly acceptedSpans: number;
  readonly refusedSpans: number;
  readonly refusedRequests: number;
  readonly lastRefusal?: { readonly atUnixMs: number; readonly reason: string };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What happens to requests of one transport of a receiver: each function counts and, where somebody must act, logs. */
export class TransportEvents {
  readonly transport: Transport;
  readonly #metrics: ReceiverMetrics;
  readonly #labels: { readonly receiver: string; readonly transport: Transport };
  readonly #counters: Mutable<TransportCounters> = {
    requests: 0,
    acceptedSpans: 0,
    refusedSpans: 0,
    refusedRequests: 0,
  };

  constructor(metrics: ReceiverMetrics, transport: Transport) {
    this.#metrics = metrics;
    this.transport = transport;
    this.#labels = { receiver: metrics.receiver, transport };
  }

  /** The totals so far. */
  get counters(): TransportCounters {
    return { ...this.#counters };
  }

  /** The pipeline took the spans of so many requests (datagrams). */
  accepted(spans: number, requests = 1): void {
    this.#counters.requests += requests;
    this.#counters.acceptedSpans += spans;
    this.#metrics.accepted.add(spans, this.#labels);
    this.#metrics.requests.add(requests, { ...this.#labels, outcome: 'success' });
  }

  /** The pipeline did not take spans now; the sender may try again. */
  refused(spans: number, reason: string, requests = 1): void {
    this.#refuse(spans, reason, requests);
    this.#metrics.refused.add(spans, this.#labels);
    this.#metrics.requests.add(requests, { ...this.#labels, outcome: 'refused' });
    this.#metrics.logger.debug('Refused spans; the client was told to retry.', { ...this.#labels, spans, reason });
  }

  /** The pipeline will never take these spans. */
  failed(spans: number, reason: string, requests = 1): void {
    this.#refuse(spans, reason, requests);
    this.#metrics.failed.add(spans, this.#labels);
    this.#metrics.requests.add(requests, { ...this.#labels, outcome: 'failure' });
    this.#metrics.logger.error('Spans could not be processed.', { ...this.#labels, spans, reason });
  }

  /** Requests that never became spans: malformed, too large, too slow, unauthenticated, not admitted. */
  rejected(reason: IngestRejectReason, detail: string, requests = 1): void {
    this.#refuse(0, detail === '' ? reason : detail, requests);
    this.#metrics.rejected.add(requests, { ...this.#labels, reason });
    this.#metrics.logger.debug('Turned a request away.', { ...this.#labels, reason, detail });
  }

  #refuse(spans: number, reason: string, requests: number): void {
    const counters = this.#counters;
    counters.requests += requests;
    counters.refusedRequests += requests;
    counters.refusedSpans += spans;
    counters.lastRefusal = { atUnixMs: Date.now(), reason };
  }
}
