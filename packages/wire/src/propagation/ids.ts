import { SPAN_ID_BYTES, TRACE_ID_BYTES, parseSpanId, parseTraceId } from '@clew/model';
import type { SpanId, TraceId } from '@clew/model';
import { scanLowerHex } from './hex.ts';

/**
 * Ids inside header texts, in either case and with or without leading zeros. Those in their usual form are sliced, which copies
 * nothing. Hot path, guarded by `bench/propagation`.
 */

/** Digits of a trace id in full. */
export const TRACE_ID_DIGITS = TRACE_ID_BYTES * 2;
/** Digits of a span id in full. */
export const SPAN_ID_DIGITS = SPAN_ID_BYTES * 2;

/** The trace id that `text[start, end)` is; `undefined` when it is none, or zero. */
export function traceIdIn(text: string, start: number, end: number): TraceId | undefined {
  const part = text.slice(start, end);
  if (end - start === TRACE_ID_DIGITS && scanLowerHex(text, start, end) > 0) return part as TraceId;
  return parseTraceId(part);
}

/** The span id that `text[start, end)` is; `undefined` when it is none, or zero. */
export function spanIdIn(text: string, start: number, end: number): SpanId | undefined {
  const part = text.slice(start, end);
  if (end - start === SPAN_ID_DIGITS && scanLowerHex(text, start, end) > 0) return part as SpanId;
  return parseSpanId(part);
}
