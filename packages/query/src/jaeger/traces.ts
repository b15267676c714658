import { toPlain } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { adjustTrace } from './adjust/adjusters.ts';
import { toAdjustable } from './adjust/from-plain.ts';
import { sanitize } from './adjust/sanitize.ts';
import type { AdjustableSpan } from './adjust/span.ts';
import { encodeTrace } from './encode.ts';
import type { JaegerTrace } from './model.ts';

/** How traces are shown. */
export interface TraceOptions {
  /** Skip the adjusters. */
  readonly raw: boolean;
  /** Leave out members Jaeger does not have. */
  readonly strict: boolean;
  readonly maxClockSkewNano: bigint;
  /** Spans returned of one trace; 0 is all. */
  readonly maxTraceSpans: number;
}

/** A stored trace as Jaeger's API shows it. */
export function jaegerTrace(batch: SpanBatch, options: TraceOptions): JaegerTrace {
  const sanitized = sanitize(toAdjustable(toPlain(batch)));
  const adjusted = options.raw ? sanitized : adjustTrace(sanitized, { maxClockSkewNano: options.maxClockSkewNano });
  const { spans, warnings } = limitSpans(adjusted, options.maxTraceSpans);
  return encodeTrace(spans, { sorted: !options.raw, strict: options.strict, warnings });
}

function limitSpans(spans: readonly AdjustableSpan[], maxSpans: number) {
  if (maxSpans === 0 || spans.length <= maxSpans) return { spans, warnings: [] };
  const warning = `trace has more than ${maxSpans} spans, showing first ${maxSpans} spans only`;
  return { spans: spans.slice(0, maxSpans), warnings: [warning] };
}

/** Batches as one trace object per distinct trace id, in order of first appearance; nothing is adjusted. */
export function transformedTraces(batch: SpanBatch): JaegerTrace[] {
  const spans = sanitize(toAdjustable(toPlain(batch)));
  const byTrace = Map.groupBy(spans, (span) => span.traceId);
  return [...byTrace.values()].map((group) => encodeTrace(group, { sorted: false, strict: false }));
}
