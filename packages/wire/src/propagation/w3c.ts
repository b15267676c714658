import type { SpanId, TraceId } from '@clew/model';
import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { ContextFormat, TraceFlag } from './context.ts';
import type { TraceContext } from './context.ts';
import { lowerHexByte, scanLowerHex, skipSpace, trimEnd } from './hex.ts';
import { countTracestateMembers } from './tracestate.ts';
import type { TraceContextLevel } from './tracestate.ts';

/**
 * W3C Trace Context, levels 1 and 2: https://www.w3.org/TR/trace-context-2/. Hot path, guarded by `bench/propagation`.
 */

export const TRACEPARENT = 'traceparent';
export const TRACESTATE = 'tracestate';

/** `00-` trace id `-` span id `-` flags. */
const VERSION_0_LENGTH = 55;
const DASH = 0x2d;
const HIGHEST_VERSION = 0xff;

/**
 * Reads `traceparent` and, only when that is valid, `tracestate`. False, and `into` is untouched, when there is none or it is
 * invalid: the receiver then starts a trace of its own. A `tracestate` that breaks the rules of `level` is left out whole.
 */
export function extractW3c<C>(
  carrier: C,
  getter: CarrierGetter<C>,
  into: TraceContext,
  level: TraceContextLevel = 2,
): boolean {
  const traceparent = getter.get(carrier, TRACEPARENT);
  if (traceparent === undefined || !parseTraceparent(traceparent, into)) return false;
  const tracestate = getter.get(carrier, TRACESTATE);
  if (tracestate !== undefined && countTracestateMembers(tracestate, level) > 0) into.tracestate = tracestate;
  return true;
}

/** Reads the text of one `traceparent`; white space around it is allowed. False, and `into` is untouched, when it is invalid. */
export function parseTraceparent(text: string, into: TraceContext): boolean {
  const start = skipSpace(text, 0, text.length);
  const length = trimEnd(text, start, text.length) - start;
  if (length < VERSION_0_LENGTH) return false;
  const version = lowerHexByte(text, start);
  if (version < 0 || version === HIGHEST_VERSION) return false;
  if (length > VERSION_0_LENGTH && (version === 0 || text.charCodeAt(start + VERSION_0_LENGTH) !== DASH)) return false;
  if (text.charCodeAt(start + 2) !== DASH || text.charCodeAt(start + 35) !== DASH) return false;
  if (text.charCodeAt(start + 52) !== DASH) return false;
  const flags = lowerHexByte(text, start + 53);
  if (flags < 0 || scanLowerHex(text, start + 3, start + 35) <= 0 || scanLowerHex(text, start + 36, start + 52) <= 0) {
    return false;
  }
  const traceId = text.slice(start + 3, start + 35) as TraceId;
  into.assign(ContextFormat.W3C, traceId, text.slice(start + 36, start + 52) as SpanId, flags, true);
  return true;
}

/** A version 00 `traceparent`. Level 1 knows no flag but `sampled`. The ids must not be empty. */
export function formatTraceparent(
  traceId: TraceId | '',
  spanId: SpanId | '',
  flags: number,
  level: TraceContextLevel = 2,
): string {
  return `00-${traceId}-${spanId}${flagSuffixes[flags & (level === 1 ? TraceFlag.SAMPLED : 3)]!}`;
}

/** Written by table: a request then makes one string only. */
const flagSuffixes: readonly string[] = ['-00', '-01', '-02', '-03'];

/**
 * Writes `traceparent` and `tracestate` as they stand in the context, whose `spanId` is that of the span that makes the call.
 * A `tracestate` left in the carrier from elsewhere is removed. Writes nothing when the context has no ids.
 */
export function injectW3c<C>(
  context: Readonly<TraceContext>,
  carrier: C,
  setter: CarrierSetter<C>,
  level: TraceContextLevel = 2,
): void {
  if (!context.hasParent) return;
  const text = formatTraceparent(context.traceId, context.spanId, context.flags, level);
  const written = setter.set(carrier, TRACEPARENT, text);
  if (!written || context.tracestate === '') setter.remove(carrier, TRACESTATE);
  else setter.set(carrier, TRACESTATE, context.tracestate);
}
