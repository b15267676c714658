import type { SpanId, TraceId } from '@clew/model';

/** The formats a trace context travels in; the names are those of `OTEL_PROPAGATORS` where it has one. */
export const ContextFormat = Object.freeze({
  W3C: 'tracecontext',
  B3: 'b3',
  JAEGER: 'jaeger',
  XRAY: 'xray',
  OT_TRACER: 'ottrace',
  OPEN_CENSUS: 'opencensus',
} as const);
export type ContextFormat = (typeof ContextFormat)[keyof typeof ContextFormat];

/** The W3C trace flags that are known; the other six bits are never kept. */
export const TraceFlag = Object.freeze({
  /** The sender recorded the trace. */
  SAMPLED: 0x01,
  /** The low 56 bits of the trace id are random (trace context level 2). */
  RANDOM: 0x02,
} as const);

const KNOWN_FLAGS = TraceFlag.SAMPLED | TraceFlag.RANDOM;

/**
 * What a request, message or process says about the trace it belongs to. One object can serve many requests: extracting
 * overwrites it whole. Ids are text, because that is how they leave again and slicing them from a header copies nothing
 * (`bench/propagation` has both).
 *
 * Three things can be known: a remote parent (`hasParent`), only a decision (B3 `b3: 0`, Jaeger's debug id: a trace to
 * be started should follow it), or nothing.
 */
export class TraceContext {
  traceId: TraceId | '' = '';
  /** The span that sent the context: the parent of the span that serves it. */
  spanId: SpanId | '' = '';
  /** The sender's own parent, where the format tells (B3, Jaeger); never sent on. */
  parentSpanId: SpanId | '' = '';
  /** Bits of {@link TraceFlag}, nothing else. */
  flags = 0;
  /** False when the sender left the decision whether to sample to the receiver; `flags` then lacks `SAMPLED`. */
  decided = false;
  /** The trace must be kept whatever samplers say (B3 `d`, Jaeger flag 2). Implies sampled. */
  debug = false;
  /** Jaeger flag 8: store the trace, but do not index it. */
  firehose = false;
  /** `tracestate` as it came, several fields joined with `,`; never rewritten unless something in it changes. */
  tracestate = '';
  /** The text of a `jaeger-debug-id` header, by which users search for the trace; '' without one. */
  debugId = '';
  /** What the context was read from; '' when it was made here or is empty. */
  format: ContextFormat | '' = '';

  get hasParent(): boolean {
    return this.spanId !== '';
  }

  get sampled(): boolean {
    return (this.flags & TraceFlag.SAMPLED) !== 0;
  }

  /** Forgets everything. */
  reset(): void {
    this.assign('', '', '', 0, false);
  }

  /** Overwrites the whole context with these ids and `flags` (unknown bits are dropped); everything else becomes empty. */
  assign(
    format: ContextFormat | '',
    traceId: TraceId | '',
    spanId: SpanId | '',
    flags: number,
    decided: boolean,
  ): void {
    this.format = format;
    this.traceId = traceId;
    this.spanId = spanId;
    this.parentSpanId = '';
    this.flags = flags & KNOWN_FLAGS;
    this.decided = decided;
    this.debug = false;
    this.firehose = false;
    this.tracestate = '';
    this.debugId = '';
  }

  /** Makes this context equal to `other`. */
  copyFrom(other: Readonly<TraceContext>): void {
    this.assign(other.format, other.traceId, other.spanId, other.flags, other.decided);
    this.parentSpanId = other.parentSpanId;
    this.debug = other.debug;
    this.firehose = other.firehose;
    this.tracestate = other.tracestate;
    this.debugId = other.debugId;
  }

  /**
   * Starts the trace anew, as is allowed where trust ends and required when no valid context came: new ids, no
   * `tracestate`, nothing of what was asked for.
   */
  restart(traceId: TraceId, spanId: SpanId, flags: number): void {
    this.assign('', traceId, spanId, flags, true);
  }
}
