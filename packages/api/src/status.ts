import type { NanoString } from './common.ts';

/** `GET /status`: what is running, where to send, and whether anything has arrived. */
export interface StatusAnswer {
  readonly version: string;
  readonly startedUnixMs: number;
  /** Where spans can be sent, in the order to recommend them. */
  readonly receivers: readonly ReceiverStatus[];
  readonly storage: StorageStatus;
  readonly ingest: IngestStatus;
  readonly demo: DemoState;
  readonly limits: QueryLimits;
}

/** What a client speaks to a receiver. */
export type ReceiverProtocol =
  | 'otlp_http'
  | 'otlp_grpc'
  | 'jaeger_http'
  | 'jaeger_grpc'
  | 'jaeger_udp_compact'
  | 'jaeger_udp_binary'
  | 'jaeger_udp_zipkin_compact'
  | 'zipkin'
  | 'awsxray';

/** One listening address and what it has seen. */
export interface ReceiverStatus {
  /** The component's id in the configuration, such as `otlp` or `otlp/edge`. */
  readonly id: string;
  readonly protocol: ReceiverProtocol;
  /** Host and port as a client on this machine would write them, such as `127.0.0.1:4318`. */
  readonly address: string;
  /** What to paste into a client, such as `http://127.0.0.1:4318`; for UDP the bare address. */
  readonly url: string;
  /** What a success response means on this path. */
  readonly acknowledged: Acknowledgement;
  readonly counters: ReceiverCounters;
}

/** What a receiver's success response promises, and why when it is less than durable. */
export interface Acknowledgement {
  readonly means: 'durable' | 'memory' | 'none';
  readonly reason?: string;
}

/** Totals since the program started. */
export interface ReceiverCounters {
  /** Requests or datagrams that arrived, whatever became of them. */
  readonly requests: number;
  readonly acceptedSpans: number;
  readonly refusedSpans: number;
  readonly refusedRequests: number;
  readonly lastRefusal?: Refusal;
}

/** The newest request that was not accepted, so that the person sending it learns why. */
export interface Refusal {
  readonly atUnixMs: number;
  readonly reason: string;
  readonly hint?: string;
}

/** The state of the store. */
export interface StorageStatus {
  readonly state: 'ready' | 'starting' | 'degraded' | 'unavailable';
  /** A sentence when the state is not `ready`. */
  readonly message?: string;
  /** Spans accepted but not yet inserted. */
  readonly backlogSpans: number;
  readonly retention?: { readonly maxAgeMs?: number; readonly maxBytes?: number };
}

/** What has arrived since the store was created, as far as is cheaply known. */
export interface IngestStatus {
  /** False until the first span is stored: the page then waits with the newcomer. */
  readonly anySpans: boolean;
  readonly acceptedSpansTotal: number;
  readonly newestSpanUnixNano?: NanoString;
  /** The trace of the newest span, when it is known without a search. */
  readonly newestTraceId?: string;
}

/** The demo generator's state; also the answer of every `/demo` call. */
export interface DemoState {
  readonly mode: 'off' | 'steady' | 'burst';
  readonly tracesSent: number;
  /** A few traces worth opening, newest first, each with what it shows. */
  readonly traces: readonly DemoTrace[];
}

/** A demo trace and the story it tells. */
export interface DemoTrace {
  readonly traceId: string;
  /** Such as `normal`, `slow_query`, `cache_miss`, `retry`. */
  readonly story: string;
  readonly title: string;
}

/** Limits a client should know before it asks. */
export interface QueryLimits {
  readonly maxSearchLimit: number;
  readonly maxDetailSpans: number;
  readonly maxTraceSpans: number;
}

/** `POST /demo`: start sending demo traces, or send one burst. */
export interface DemoRequest {
  readonly mode: 'steady' | 'burst';
  /** Traces per second for `steady` (default 1), traces in total for `burst` (default 60). */
  readonly traces?: number;
}

/** `DELETE /demo` stops the generator and removes its traces; `DELETE /traces/:id` removes one. */
export interface DeleteAnswer {
  readonly deletedTraces: number;
  /** True when the deletion is accepted and finishes in the background. */
  readonly pending: boolean;
}
