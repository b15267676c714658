// Hot path: writes the trace context of every attempt. Guarded by bench/gateway.
import type { SpanId } from '@clew/model';
import { formatTraceparent } from '@clew/wire/propagation';
import type { TraceContext } from '@clew/wire/propagation';

/** The trace headers as lines of a head; `spanId` is the id of the span that makes the call. */
export function traceLines(trace: TraceContext, spanId: string): string {
  const line = `traceparent: 00-${trace.traceId}-${spanId}${trace.sampled ? '-01' : '-00'}\r\n`;
  return trace.tracestate === '' ? line : `${line}tracestate: ${trace.tracestate}\r\n`;
}

/** The `traceparent` a callee gets. Only the decision is told: other flags were another sender's. */
export function traceparentOf(trace: TraceContext, spanId: string): string {
  return formatTraceparent(trace.traceId, spanId as SpanId, trace.flags, 1);
}
