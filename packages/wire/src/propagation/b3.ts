import type { SpanId, TraceId } from '@clew/model';
import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { ContextFormat, TraceFlag } from './context.ts';
import type { TraceContext } from './context.ts';
import { scanLowerHex, skipSpace, trimEnd } from './hex.ts';
import { SPAN_ID_DIGITS, spanIdIn, traceIdIn } from './ids.ts';

/**
 * B3, single and multi header form: https://github.com/openzipkin/b3-propagation. Ids are read in either case and with or without
 * leading zeros, as Zipkin's libraries do; 64-bit trace ids are the same trace as their 128-bit form.
 * Hot path, guarded by `bench/propagation`.
 */

export const B3 = 'b3';
export const B3_TRACE_ID = 'x-b3-traceid';
export const B3_SPAN_ID = 'x-b3-spanid';
export const B3_PARENT_SPAN_ID = 'x-b3-parentspanid';
export const B3_SAMPLED = 'x-b3-sampled';
export const B3_FLAGS = 'x-b3-flags';

const DASH = 0x2d;

/**
 * Reads `b3`, or else the `x-b3-…` headers. True with a remote parent, and also with a decision alone (`b3: 0`), to which a new
 * trace should keep. False, and `into` is untouched, when there is nothing valid.
 */
export function extractB3<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const single = getter.get(carrier, B3);
  return (single !== undefined && parseB3(single, into)) || extractB3Multi(carrier, getter, into);
}

/**
 * Reads a `b3` value: trace id, span id, decision and parent joined with `-`, the last two optional; or a decision alone.
 * False, and `into` is untouched, when it is invalid.
 */
export function parseB3(text: string, into: TraceContext): boolean {
  const start = skipSpace(text, 0, text.length);
  const end = trimEnd(text, start, text.length);
  const decision = decisionAt(text, start, end);
  if (decision !== Decision.NONE) {
    assign(into, '', '', decision);
    return true;
  }
  const traceEnd = text.indexOf('-', start);
  if (traceEnd < 0) return false;
  const spanEnd = partEnd(text, traceEnd + 1, end);
  const traceId = traceIdIn(text, start, traceEnd);
  const spanId = spanIdIn(text, traceEnd + 1, spanEnd);
  if (traceId === undefined || spanId === undefined) return false;
  if (spanEnd === end) {
    assign(into, traceId, spanId, Decision.NONE);
    return true;
  }
  const thirdEnd = partEnd(text, spanEnd + 1, end);
  const third = decisionAt(text, spanEnd + 1, thirdEnd);
  if (third !== Decision.NONE && thirdEnd === end) {
    assign(into, traceId, spanId, third);
    return true;
  }
  // Some senders leave the decision out and still name the parent; in that place it has to be written in full.
  const parent = text.slice(third === Decision.NONE ? spanEnd + 1 : thirdEnd + 1, end);
  if (third === Decision.NONE && parent.length !== SPAN_ID_DIGITS) return false;
  const parentSpanId = spanIdOf(parent);
  if (parentSpanId === undefined && !isZeroId(parent)) return false;
  assign(into, traceId, spanId, third);
  into.parentSpanId = parentSpanId ?? '';
  return true;
}

/** Reads the `x-b3-…` headers, like {@link extractB3}. Both ids or none must be there, and the decision must be one. */
export function extractB3Multi<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const traceText = getter.get(carrier, B3_TRACE_ID);
  const sampled = getter.get(carrier, B3_SAMPLED);
  const debug = getter.get(carrier, B3_FLAGS) === '1';
  if (traceText === undefined && sampled === undefined && !debug) return false;
  const decision = debug ? Decision.DEBUG : sampled === undefined ? Decision.NONE : sampledDecision(sampled);
  if (decision === undefined) return false;
  const spanText = getter.get(carrier, B3_SPAN_ID);
  if (traceText === undefined && spanText === undefined) {
    assign(into, '', '', decision);
    return true;
  }
  const traceId = traceIdOf(traceText);
  const spanId = spanIdOf(spanText);
  if (traceId === undefined || spanId === undefined) return false;
  assign(into, traceId, spanId, decision);
  into.parentSpanId = spanIdOf(getter.get(carrier, B3_PARENT_SPAN_ID)) ?? '';
  return true;
}

/** The `b3` value of a context; of one without ids its decision alone; '' when there is nothing to say. */
export function formatB3(context: Readonly<TraceContext>): string {
  const decision = !context.decided ? '' : context.debug ? 'd' : context.sampled ? '1' : '0';
  if (!context.hasParent) return decision;
  return `${context.traceId}-${context.spanId}${decision === '' ? '' : `-${decision}`}`;
}

/** Writes `b3`. The sender's own parent is not sent: nobody needs it but servers that share span ids. */
export function injectB3<C>(context: Readonly<TraceContext>, carrier: C, setter: CarrierSetter<C>): void {
  const text = formatB3(context);
  if (text !== '') setter.set(carrier, B3, text);
}

/** Writes the `x-b3-…` headers; those that do not apply are removed, so that none is left of another context. */
export function injectB3Multi<C>(context: Readonly<TraceContext>, carrier: C, setter: CarrierSetter<C>): void {
  if (!context.hasParent && !context.decided) return;
  setOrRemove(carrier, setter, B3_TRACE_ID, context.hasParent ? context.traceId : '');
  setOrRemove(carrier, setter, B3_SPAN_ID, context.spanId);
  setter.remove(carrier, B3_PARENT_SPAN_ID);
  // Debug implies sampled, and is not sent beside it.
  setOrRemove(carrier, setter, B3_FLAGS, context.debug ? '1' : '');
  setOrRemove(carrier, setter, B3_SAMPLED, context.debug || !context.decided ? '' : context.sampled ? '1' : '0');
}

function setOrRemove<C>(carrier: C, setter: CarrierSetter<C>, name: string, value: string): void {
  if (value === '') setter.remove(carrier, name);
  else setter.set(carrier, name, value);
}

/** What a sender says about sampling. */
const Decision = { NONE: 0, DROP: 1, KEEP: 2, DEBUG: 3 } as const;
type Decision = (typeof Decision)[keyof typeof Decision];

function assign(
  into: TraceContext,
  traceId: TraceContext['traceId'],
  spanId: TraceContext['spanId'],
  decision: Decision,
): void {
  into.assign(ContextFormat.B3, traceId, spanId, decision >= Decision.KEEP ? TraceFlag.SAMPLED : 0, decision > 0);
  into.debug = decision === Decision.DEBUG;
}

/** The decision the one character `text[start, end)` means; NONE when it is no such character. */
function decisionAt(text: string, start: number, end: number): Decision {
  if (end - start !== 1) return Decision.NONE;
  const char = text[start];
  return char === '1' ? Decision.KEEP : char === '0' ? Decision.DROP : char === 'd' ? Decision.DEBUG : Decision.NONE;
}

/** What `x-b3-sampled` says; `undefined` when it is neither `1` nor `0` nor `true` nor `false`. */
function sampledDecision(text: string): Decision | undefined {
  if (text === '1') return Decision.KEEP;
  if (text === '0') return Decision.DROP;
  const word = text.toLowerCase();
  return word === 'true' ? Decision.KEEP : word === 'false' ? Decision.DROP : undefined;
}

function traceIdOf(text = ''): TraceId | undefined {
  return traceIdIn(text, 0, text.length);
}

function spanIdOf(text = ''): SpanId | undefined {
  return spanIdIn(text, 0, text.length);
}

/** A parent of zeros is a root's way to say that it has none. */
function isZeroId(text: string): boolean {
  return text.length > 0 && text.length <= SPAN_ID_DIGITS && scanLowerHex(text, 0, text.length) === 0;
}

function partEnd(text: string, start: number, end: number): number {
  for (let i = start; i < end; i++) if (text.charCodeAt(i) === DASH) return i;
  return end;
}
