import type { SpanId } from '@clew/model';
import { baggageOf } from './baggage.ts';
import type { Baggage, BaggageMember } from './baggage.ts';
import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { ContextFormat, TraceFlag } from './context.ts';
import type { TraceContext } from './context.ts';
import { skipSpace, trimEnd, trimmed } from './hex.ts';
import { spanIdIn, traceIdIn } from './ids.ts';
import { isUnreserved, percentDecode, percentEncode } from './percent.ts';
import { isToken } from './token.ts';

/**
 * The headers of the Jaeger clients: https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format. The header of
 * the trace is hot path, guarded by `bench/propagation`.
 */

export const UBER_TRACE_ID = 'uber-trace-id';
export const JAEGER_DEBUG_ID = 'jaeger-debug-id';
export const JAEGER_BAGGAGE = 'jaeger-baggage';
export const UBER_BAGGAGE_PREFIX = 'uberctx-';

/** Bits of the last part of the header. */
const SAMPLED = 0x01;
const DEBUG = 0x02;
const FIREHOSE = 0x08;

/** Names that clients let users change. */
export interface JaegerNames {
  /** Default `uber-trace-id`; lower case. */
  readonly traceId?: string;
  /** Default `uberctx-`; lower case. */
  readonly baggagePrefix?: string;
}

const DEFAULT_NAMES: JaegerNames = Object.freeze({});

/**
 * Reads `uber-trace-id`, or else `jaeger-debug-id`, which asks for a new trace that is kept and found by that text: then there is
 * a decision and no parent. False, and `into` is untouched, when there is neither.
 */
export function extractJaeger<C>(
  carrier: C,
  getter: CarrierGetter<C>,
  into: TraceContext,
  names: JaegerNames = DEFAULT_NAMES,
): boolean {
  const text = getter.get(carrier, names.traceId ?? UBER_TRACE_ID);
  if (text !== undefined && parseUberTraceId(text, into)) return true;
  const debugId = getter.get(carrier, JAEGER_DEBUG_ID);
  if (debugId === undefined || debugId === '') return false;
  into.assign(ContextFormat.JAEGER, '', '', TraceFlag.SAMPLED, true);
  into.debug = true;
  into.debugId = debugId;
  return true;
}

/**
 * Reads `{trace id}:{span id}:{parent id}:{flags}`, all hexadecimal, leading zeros optional, percent-encoded or not. The
 * parent may be 0 or empty. False, and `into` is untouched, when it is invalid or an id is zero.
 */
export function parseUberTraceId(header: string, into: TraceContext): boolean {
  const text = percentDecode(header);
  const start = skipSpace(text, 0, text.length);
  const end = trimEnd(text, start, text.length);
  const traceEnd = text.indexOf(':', start);
  const spanEnd = traceEnd < 0 ? -1 : text.indexOf(':', traceEnd + 1);
  const parentEnd = spanEnd < 0 ? -1 : text.indexOf(':', spanEnd + 1);
  if (parentEnd < 0) return false;
  const bits = flagsAt(text, parentEnd + 1, end);
  if (bits < 0) return false;
  const traceId = traceIdIn(text, start, traceEnd);
  const spanId = spanIdIn(text, traceEnd + 1, spanEnd);
  if (traceId === undefined || spanId === undefined) return false;
  into.assign(ContextFormat.JAEGER, traceId, spanId, 0, true);
  into.parentSpanId = parentOf(text, spanEnd + 1, parentEnd);
  assignJaegerFlags(bits, into);
  return true;
}

/** The `uber-trace-id` value of a context that has ids. The parent is written as 0: it is deprecated. */
export function formatUberTraceId(context: Readonly<TraceContext>): string {
  return `${context.traceId}:${context.spanId}:0:${jaegerFlagsOf(context).toString(16)}`;
}

/** Sets what the flags of Jaeger say; debug implies sampled. */
export function assignJaegerFlags(bits: number, into: TraceContext): void {
  into.debug = (bits & DEBUG) !== 0;
  into.firehose = (bits & FIREHOSE) !== 0;
  into.flags = into.debug || (bits & SAMPLED) !== 0 ? TraceFlag.SAMPLED : 0;
}

/** The flags of Jaeger for a context. */
export function jaegerFlagsOf(context: Readonly<TraceContext>): number {
  return (context.sampled ? SAMPLED : 0) | (context.debug ? DEBUG : 0) | (context.firehose ? FIREHOSE : 0);
}

/** Writes `uber-trace-id`; nothing when the context has no ids. An undecided context is written as not sampled. */
export function injectJaeger<C>(
  context: Readonly<TraceContext>,
  carrier: C,
  setter: CarrierSetter<C>,
  names: JaegerNames = DEFAULT_NAMES,
): void {
  if (context.hasParent) setter.set(carrier, names.traceId ?? UBER_TRACE_ID, formatUberTraceId(context));
}

/** Reads `uberctx-…` and `jaeger-baggage: k1=v1, k2=v2`, in this order, under the limits of {@link baggageOf}. */
export function extractJaegerBaggage<C>(
  carrier: C,
  getter: CarrierGetter<C>,
  names: JaegerNames = DEFAULT_NAMES,
): Baggage | undefined {
  const members: BaggageMember[] = [];
  getter.each(carrier, names.baggagePrefix ?? UBER_BAGGAGE_PREFIX, pushMember, members);
  const listed = getter.get(carrier, JAEGER_BAGGAGE);
  if (listed !== undefined) {
    for (const pair of listed.split(',')) {
      const equals = pair.indexOf('=');
      if (equals > 0) pushMember(trimmed(pair, 0, equals), trimmed(pair, equals + 1), members);
    }
  }
  return members.length === 0 ? undefined : baggageOf(members);
}

/** Writes one `uberctx-…` header for each member whose key can be part of a header name; of equal keys the last counts. */
export function injectJaegerBaggage<C>(
  members: readonly BaggageMember[],
  carrier: C,
  setter: CarrierSetter<C>,
  names: JaegerNames = DEFAULT_NAMES,
): void {
  const prefix = names.baggagePrefix ?? UBER_BAGGAGE_PREFIX;
  for (const { key, value } of members) {
    if (isToken(key)) setter.set(carrier, prefix + key.toLowerCase(), percentEncode(value, isUnreserved));
  }
}

function pushMember(key: string, value: string, members: BaggageMember[]): void {
  if (key !== '') members.push({ key, value: percentDecode(value), properties: [] });
}

/** One or two hexadecimal digits of either case; -1 for anything else. */
function flagsAt(text: string, start: number, end: number): number {
  if (end - start < 1 || end - start > 2) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = '0123456789abcdef'.indexOf(text[i]!.toLowerCase());
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function parentOf(text: string, start: number, end: number): SpanId | '' {
  if (end - start <= 1 && (end === start || text[start] === '0')) return '';
  return spanIdIn(text, start, end) ?? '';
}
