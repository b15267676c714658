import { parseSpanId, parseTraceId } from '@clew/model';
import { baggageOf } from './baggage.ts';
import type { Baggage, BaggageMember } from './baggage.ts';
import type { CarrierGetter } from './carriers/carrier.ts';
import { ContextFormat, TraceFlag } from './context.ts';
import type { TraceContext } from './context.ts';

/**
 * The headers of OpenTracing's basic tracers (`OTEL_PROPAGATORS=ottrace`), deprecated: read, never written.
 * https://github.com/opentracing/basictracer-python
 */

/**
 * Reads `ot-tracer-traceid`, `ot-tracer-spanid` and `ot-tracer-sampled`. False, and `into` is untouched, when an id is missing or
 * invalid, or the decision is no word for yes or no.
 */
export function extractOtTracer<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const traceText = getter.get(carrier, 'ot-tracer-traceid');
  if (traceText === undefined) return false;
  const traceId = parseTraceId(traceText);
  const spanId = parseSpanId(getter.get(carrier, 'ot-tracer-spanid') ?? '');
  if (traceId === undefined || spanId === undefined) return false;
  const sampled = getter.get(carrier, 'ot-tracer-sampled')?.toLowerCase();
  const keep = sampled === 'true' || sampled === '1';
  if (sampled !== undefined && !keep && sampled !== 'false' && sampled !== '0') return false;
  into.assign(ContextFormat.OT_TRACER, traceId, spanId, keep ? TraceFlag.SAMPLED : 0, sampled !== undefined);
  return true;
}

/** Reads `ot-baggage-…`, values as they stand. */
export function extractOtBaggage<C>(carrier: C, getter: CarrierGetter<C>): Baggage | undefined {
  const members: BaggageMember[] = [];
  getter.each(carrier, 'ot-baggage-', (key, value, into) => into.push({ key, value, properties: [] }), members);
  return members.length === 0 ? undefined : baggageOf(members);
}
