/**
 * Whether a request carries a trace context at all. Hot path, guarded by `bench/gateway-telemetry`: one look at the names, which nearly
 * always tells by their lengths, instead of one for each header that some format has.
 */

import {
  B3,
  B3_FLAGS,
  B3_PARENT_SPAN_ID,
  B3_SAMPLED,
  B3_SPAN_ID,
  B3_TRACE_ID,
  ContextFormat,
  JAEGER_DEBUG_ID,
  TRACEPARENT,
  UBER_TRACE_ID,
  XRAY_TRACE_ID,
} from '@clew/wire/propagation';

/** What was found. */
export const CarriedContext = Object.freeze({
  NONE: 0,
  /** A header of a format other than W3C's, and no `traceparent`. */
  OTHER: 1,
  /** A `traceparent`, be it valid or not. */
  W3C: 2,
} as const);
export type CarriedContext = (typeof CarriedContext)[keyof typeof CarriedContext];

/** Read only when there is no `traceparent`, not even an invalid one. */
export const otherFormats: readonly ContextFormat[] = [ContextFormat.B3, ContextFormat.JAEGER, ContextFormat.XRAY];

/** The headers they read. */
const otherNames: ReadonlySet<string> = new Set([
  B3,
  B3_TRACE_ID,
  B3_SPAN_ID,
  B3_PARENT_SPAN_ID,
  B3_SAMPLED,
  B3_FLAGS,
  UBER_TRACE_ID,
  JAEGER_DEBUG_ID,
  XRAY_TRACE_ID,
]);

/** By the length of a name: the letters with which names of that length begin, as bits. */
const firstLetters = new Int32Array(32);
for (const name of [TRACEPARENT, ...otherNames]) firstLetters[name.length]! |= 1 << (name.charCodeAt(0) & 31);

/** What a flat list of names and values carries. */
export function contextIn(headers: readonly string[]): CarriedContext {
  let found: CarriedContext = CarriedContext.NONE;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    // The low five bits of a letter are the same in either case; what else has them is sorted out below.
    if ((firstLetters[name.length & 31]! & (1 << (name.charCodeAt(0) & 31))) === 0) continue;
    const lower = name.toLowerCase();
    if (lower === TRACEPARENT) return CarriedContext.W3C;
    if (otherNames.has(lower)) found = CarriedContext.OTHER;
  }
  return found;
}
