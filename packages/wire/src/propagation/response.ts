import type { SpanId, TraceId } from '@clew/model';
import type { CarrierAccess, CarrierGetter } from './carriers/carrier.ts';
import { ContextFormat } from './context.ts';
import type { TraceContext } from './context.ts';
import { lowerHexByte, scanLowerHex, trimmed } from './hex.ts';
import { formatTraceparent, parseTraceparent } from './w3c.ts';

/**
 * How a server tells its caller which span served a request: `traceresponse` of an earlier draft of Trace Context
 * level 2, and `Server-Timing`, which pages can read. https://w3c.github.io/trace-context/
 */

export const TRACERESPONSE = 'traceresponse';
export const SERVER_TIMING = 'server-timing';
/** Where a server names {@link TRACERESPONSE} so that pages of other origins may read it. */
export const EXPOSE_HEADERS = 'access-control-expose-headers';

/** The metric that is written, and the one that the current draft writes; both are read. */
const WRITTEN_METRIC = 'traceparent';
const DRAFT_METRIC = 'trace';

/**
 * Reads `traceresponse`, or else `Server-Timing`. True when at least the trace id was read; a response may leave out the
 * span id and the flags. False, and `into` is untouched, when there is nothing valid.
 */
export function extractTraceResponse<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const text = getter.get(carrier, TRACERESPONSE);
  if (text !== undefined && parseTraceResponse(text, into)) return true;
  const timing = getter.get(carrier, SERVER_TIMING);
  return timing !== undefined && parseServerTiming(timing, into);
}

/** Reads `00-{trace id}[-{span id}[-{flags}]]`. False, and `into` is untouched, when it is invalid. */
export function parseTraceResponse(text: string, into: TraceContext): boolean {
  if (parseTraceparent(text, into)) return true;
  const [version, traceId = '', spanId = '', flags = '', ...more] = trimmed(text).split('-');
  if (version !== '00' || more.length > 0) return false;
  if (traceId.length !== 32 || scanLowerHex(traceId, 0, 32) <= 0) return false;
  if (spanId !== '' && (spanId.length !== 16 || scanLowerHex(spanId, 0, 16) <= 0)) return false;
  const bits = flags === '' ? 0 : flags.length === 2 ? lowerHexByte(flags, 0) : -1;
  if (bits < 0) return false;
  into.assign(ContextFormat.W3C, traceId as TraceId, spanId as SpanId | '', bits, flags !== '');
  return true;
}

/** Reads the context among the metrics of a `Server-Timing` header, its `desc` quoted or not. */
export function parseServerTiming(text: string, into: TraceContext): boolean {
  for (const metric of splitUnquoted(text, ',')) {
    const [name = '', ...parameters] = splitUnquoted(metric, ';');
    const word = trimmed(name).toLowerCase();
    if (word !== WRITTEN_METRIC && word !== DRAFT_METRIC) continue;
    for (const parameter of parameters) {
      const equals = parameter.indexOf('=');
      if (equals < 0 || trimmed(parameter, 0, equals).toLowerCase() !== 'desc') continue;
      if (parseTraceResponse(unquoted(trimmed(parameter, equals + 1)), into)) return true;
    }
  }
  return false;
}

/** Writes `traceresponse` for the server's span, unless the application wrote one. Writes nothing when the context has no ids. */
export function injectTraceResponse<C>(context: Readonly<TraceContext>, carrier: C, access: CarrierAccess<C>): void {
  if (!context.hasParent || access.get(carrier, TRACERESPONSE) !== undefined) return;
  access.set(carrier, TRACERESPONSE, formatTraceparent(context.traceId, context.spanId, context.flags));
}

/** Adds `traceparent;desc="00-…"` to `Server-Timing`, keeping what is there. Writes nothing when the context has no ids. */
export function injectServerTiming<C>(context: Readonly<TraceContext>, carrier: C, access: CarrierAccess<C>): void {
  if (context.hasParent) append(carrier, access, SERVER_TIMING, formatServerTiming(context));
}

/** Lets pages of other origins read `traceresponse`. Only for responses that have CORS headers already. */
export function exposeTraceResponse<C>(carrier: C, access: CarrierAccess<C>): void {
  const exposed = access.get(carrier, EXPOSE_HEADERS);
  const names = exposed === undefined ? [] : exposed.toLowerCase().split(',');
  if (names.some((name) => name.trim() === TRACERESPONSE || name.trim() === '*')) return;
  append(carrier, access, EXPOSE_HEADERS, TRACERESPONSE);
}

/** The `Server-Timing` metric of a context that has ids. */
export function formatServerTiming(context: Readonly<TraceContext>): string {
  return `${WRITTEN_METRIC};desc="${formatTraceparent(context.traceId, context.spanId, context.flags)}"`;
}

function append<C>(carrier: C, access: CarrierAccess<C>, name: string, value: string): void {
  const present = access.get(carrier, name);
  access.set(carrier, name, present === undefined || present === '' ? value : `${present}, ${value}`);
}

/** Splits at a separator that stands outside of quoted strings. */
function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
