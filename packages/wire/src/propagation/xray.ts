import { parseTraceId } from '@clew/model';
import type { SpanId, TraceId } from '@clew/model';
import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { ContextFormat, TraceFlag } from './context.ts';
import type { TraceContext } from './context.ts';
import { skipSpace, trimEnd } from './hex.ts';
import { SPAN_ID_DIGITS, spanIdIn } from './ids.ts';

/**
 * The AWS X-Ray header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader. Hot
 * path, guarded by `bench/propagation`.
 */

export const XRAY_TRACE_ID = 'x-amzn-trace-id';

/** `1-`, eight digits of time, `-`, 24 more. */
const ROOT_LENGTH = 35;

/**
 * Reads `X-Amzn-Trace-Id`. Without a parent (load balancers send `Root` alone) there is no remote parent; what is said about
 * sampling is then still read. False, and `into` is untouched, when there is nothing valid.
 */
export function extractXray<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const text = getter.get(carrier, XRAY_TRACE_ID);
  return text !== undefined && parseXrayHeader(text, into);
}

/**
 * Reads `Root=1-…-…;Parent=…;Sampled=…` with the fields in any order; others (`Self`, `Lineage`) are ignored, and of repeated ones
 * the first counts. False, and `into` is untouched, when an id is invalid or nothing is said.
 */
export function parseXrayHeader(text: string, into: TraceContext): boolean {
  let traceId: TraceId | '' = '';
  let spanId: SpanId | '' = '';
  let sampled = '';
  for (let at = 0; at < text.length;) {
    const semicolon = text.indexOf(';', at);
    const next = semicolon < 0 ? text.length : semicolon;
    const start = skipSpace(text, at, next);
    const end = trimEnd(text, start, next);
    if (traceId === '' && text.startsWith('Root=', start)) {
      traceId = rootAt(text, start + 5, end) ?? '';
      if (traceId === '') return false;
    } else if (spanId === '' && text.startsWith('Parent=', start)) {
      if (end - start - 7 !== SPAN_ID_DIGITS) return false;
      spanId = spanIdIn(text, start + 7, end) ?? '';
      if (spanId === '') return false;
    } else if (sampled === '' && text.startsWith('Sampled=', start) && end - start === 9) {
      sampled = text[start + 8]!;
    }
    at = next + 1;
  }
  const decided = sampled === '0' || sampled === '1';
  const hasParent = traceId !== '' && spanId !== '';
  if (!hasParent && !decided) return false;
  const flags = sampled === '1' ? TraceFlag.SAMPLED : 0;
  into.assign(ContextFormat.XRAY, hasParent ? traceId : '', hasParent ? spanId : '', flags, decided);
  return true;
}

/** The header of a context that has ids; `Sampled=?` asks the receiver to decide. */
export function formatXrayHeader(context: Readonly<TraceContext>): string {
  const { traceId, spanId } = context;
  const sampled = context.decided ? (context.sampled ? '1' : '0') : '?';
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${sampled}`;
}

/** Writes `X-Amzn-Trace-Id`; nothing when the context has no ids. */
export function injectXray<C>(context: Readonly<TraceContext>, carrier: C, setter: CarrierSetter<C>): void {
  if (context.hasParent) setter.set(carrier, XRAY_TRACE_ID, formatXrayHeader(context));
}

/** The trace id of `1-` 8 digits `-` 24 digits; `undefined` when it is none. */
function rootAt(text: string, start: number, end: number): TraceId | undefined {
  if (end - start !== ROOT_LENGTH || !text.startsWith('1-', start) || text[start + 10] !== '-') return undefined;
  return parseTraceId(text.slice(start + 2, start + 10) + text.slice(start + 11, end));
}
