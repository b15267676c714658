import type { ApiWarning, ListFacts, NanoString } from './common.ts';

/**
 * `GET /traces/:traceId`: the shape of a trace without its attributes, as columns.
 *
 * Rows are ordered by start time, then longer first, then id. Row `i` of every column describes the same
 * span. Columns are plain JSON arrays: a hundred thousand rows parse in some ten milliseconds and gzip to
 * under two megabytes. The answer carries an `ETag`; asking again with `If-None-Match` gives 304 until
 * more spans of the trace arrive. Query parameters `ts` and `te` (Unix seconds) are hints where to look. `raw=true` counts attributes and
 * names scopes and services as they were sent, see `SpanDetailsAnswer`.
 */
export interface TraceSkeleton {
  readonly traceId: string;
  /** The same as the ETag header without quotes; changes exactly when a row changes. */
  readonly etag: string;
  readonly spanCount: number;
  /** The earliest start; every `startDeltaNano` counts from here. */
  readonly startUnixNano: NanoString;
  /** Latest end minus earliest start. Spans whose start is unset are not counted. */
  readonly durationNano: NanoString;
  readonly services: readonly string[];
  readonly names: readonly string[];
  /** Instrumentation scopes as `name` or `name@version`. */
  readonly scopes: readonly string[];
  /** Ids that rows name as parent and that are not in the trace. */
  readonly missingParents: readonly string[];
  /** Short texts shown beside a span's name, such as `200`, `SELECT` or `orders.created`. */
  readonly labels: readonly string[];
  readonly columns: SkeletonColumns;
  readonly completeness: TraceCompleteness;
  readonly warnings: readonly ApiWarning[];
  /** `more` is true when the trace has more spans than the server's `limits.trace_spans`. */
  readonly facts: ListFacts;
}

/** The columns of a skeleton; all arrays have `spanCount` entries. */
export interface SkeletonColumns {
  /**
   * All span ids, 16 hex digits each, one after another without separator. Each names one row: where spans were sent with one id, one
   * keeps it and the others have ids made for this answer, which stay the same from answer to answer. Zeros for a span without id.
   */
  readonly ids: string;
  /** Row of the parent; -1 for a span without parent; -2 - m when the parent is `missingParents[m]`. */
  readonly parents: readonly number[];
  /**
   * Start minus the start of the row before (of `startUnixNano` for row 0); never negative. Exact while a
   * trace lasts less than 2^53 ns (104 days); beyond, the skeleton carries the warning `time_rounded`.
   */
  readonly startDeltaNano: readonly number[];
  /** End minus start, 0 when the end lies before the start (then flagged). Same exactness. */
  readonly durationNano: readonly number[];
  /** Index into `services`, -1 when the span has no service name. */
  readonly services: readonly number[];
  readonly names: readonly number[];
  /** Index into `scopes`, -1 for none. */
  readonly scopes: readonly number[];
  /** Index into `labels`, -1 for none. */
  readonly labels: readonly number[];
  /** As OTLP numbers them: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kinds: readonly number[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statuses: readonly number[];
  /** Bits of `spanFlags`. */
  readonly flags: readonly number[];
  readonly events: readonly number[];
  readonly links: readonly number[];
  readonly attributes: readonly number[];
}

/** Bits of `SkeletonColumns.flags`. */
export const spanFlags = Object.freeze({
  /** The end lies before the start; the duration is given as 0. */
  negativeDuration: 1,
  /** The start was not set; the row is placed at the start of the trace. */
  unsetStart: 2,
  /** Another span was sent with the same id. */
  duplicateId: 4,
  /** The span's parent was replaced because following it would run in a circle. */
  parentCycle: 8,
  /** At least one event is an exception. */
  exception: 16,
  /** The parent was reached by a Jaeger FOLLOWS_FROM reference: it did not wait for this span. */
  followsFrom: 32,
  /** The span belongs to demo data. */
  demo: 64,
  /** Caller and callee were sent with one id, as Zipkin's clients do: the callee is shown as the caller's child. */
  sharedId: 128,
});

/** Whether more spans of the trace are to be expected. */
export interface TraceCompleteness {
  /** True while spans still arrive: the newest came less than 10 s ago. */
  readonly growing: boolean;
  /** When the newest span arrived here; absent when that is not known. */
  readonly lastReceivedUnixMs?: number;
  /** How many distinct parents are missing. */
  readonly missingParentCount: number;
}

/**
 * `GET /traces/:traceId/find?text=`: rows whose name, service, attributes, events or status message
 * contain the text, without regard to case; `key=value` compares one attribute.
 */
export interface TraceFindAnswer {
  /** The skeleton the rows belong to; when it differs from the one on screen, fetch that again. */
  readonly etag: string;
  /** Ascending row numbers. */
  readonly rows: readonly number[];
  readonly facts: ListFacts;
}

/**
 * `GET /traces/:traceId/spans?ids=a,b,c`: everything known of up to `QueryLimits.maxDetailSpans` spans. An id that several spans were sent
 * with gives all of them, the ids of the skeleton's rows give one each. Like the skeleton, attributes of resources and libraries that were
 * sent on every span are shown where they belong; `raw=true` shows everything where it was sent.
 */
export interface SpanDetailsAnswer {
  readonly spans: readonly SpanDetails[];
  /** Resources of these spans, each once. */
  readonly resources: readonly ResourceDetails[];
  readonly scopes: readonly ScopeDetails[];
  /** Asked for and not in the trace. */
  readonly notFound: readonly string[];
  readonly warnings: readonly ApiWarning[];
}

/** One span with everything its sender said. */
export interface SpanDetails {
  /** The id of the span's row in the skeleton: `spanId`, unless another span keeps that. */
  readonly id: string;
  /** The id the span was sent with. */
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startUnixNano: NanoString;
  readonly endUnixNano: NanoString;
  readonly status: { readonly code: number; readonly message?: string };
  readonly traceState?: string;
  /** The OTLP span flags, unsigned 32 bits. */
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly events: readonly SpanEvent[];
  readonly droppedEvents: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinks: number;
  /** Index into `resources` of the answer. */
  readonly resource: number;
  /** Index into `scopes` of the answer, -1 for none. */
  readonly scope: number;
}

/** An event of a span. */
export interface SpanEvent {
  readonly timeUnixNano: NanoString;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
}

/** A link to a span of this or another trace. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
}

/** What sent the spans. */
export interface ResourceDetails {
  readonly service?: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly schemaUrl?: string;
}

/** What made the spans. */
export interface ScopeDetails {
  readonly name: string;
  readonly version?: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly schemaUrl?: string;
}

/** A key and its value. Keys may repeat: the sender's order and duplicates are kept. */
export interface Attribute {
  readonly key: string;
  readonly value: TypedValue;
}

/** A value with its type. Integers are decimal strings, as they may need 64 bits. */
export type TypedValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: string }
  /** A number, or one of the words JSON has no number for. */
  | { readonly type: 'double'; readonly value: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { readonly type: 'bool'; readonly value: boolean }
  /** Base64. */
  | { readonly type: 'bytes'; readonly value: string }
  | { readonly type: 'array'; readonly value: readonly TypedValue[] }
  | { readonly type: 'kvlist'; readonly value: readonly Attribute[] }
  /** Present without a value. */
  | { readonly type: 'empty' };
