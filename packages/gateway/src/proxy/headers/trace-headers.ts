// Hot path: writes the trace context of every attempt. Guarded by bench/gateway.
import type { SpanId } from '@clew/model';
import { formatTraceparent } from '@clew/wire/propagation';
import type { TraceContext } from '@clew/wire/propagation';

/** Appends the trace headers to fields that have none; `spanId` is the id of the span that makes the call. */
export function appendTraceHeaders(headers: string[], trace: TraceContext, spanId: string): void {
  headers.push('traceparent', traceparentOf(trace, spanId));
  if (trace.tracestate !== '') headers.push('tracestate', trace.tracestate);
}

/** The `traceparent` a callee gets. Only the decision is told: other flags were another sender's. */
export function traceparentOf(trace: TraceContext, spanId: string): string {
  return formatTraceparent(trace.traceId, spanId as SpanId, trace.flags, 1);
}
