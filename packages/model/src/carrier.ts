/**
 * Facts that other formats know and OTLP has no field for. They travel as attributes under `clew.carrier.`, which APIs hide
 * and exporters turn back into what they were; see {@link isCarrierKey}.
 */
export const CARRIER_PREFIX = 'clew.carrier.';

/** Names of the carrier attributes. */
export const Carrier = Object.freeze({
  /** On a scope, string: the format its spans came in, one of {@link CarrierFormat}; absent for OTLP. */
  FORMAT: 'clew.carrier.format',
  /** On a span, int: the `flags` of a Jaeger span, when not zero. */
  JAEGER_FLAGS: 'clew.carrier.jaeger.flags',
  /** On a span, string `child_of` or `follows_from`: the kind of reference that gave the span its parent id, when it was a reference. */
  JAEGER_PARENT_REF_TYPE: 'clew.carrier.jaeger.parent_ref_type',
  /** On a span, bool: the span is the server half of a pair that shares one id. */
  ZIPKIN_SHARED: 'clew.carrier.zipkin.shared',
  /** On a span, bool: the span was sent with the debug mark. */
  ZIPKIN_DEBUG: 'clew.carrier.zipkin.debug',
} as const);

/** Values of {@link Carrier.FORMAT}. */
export const CarrierFormat = Object.freeze({ JAEGER: 'jaeger', ZIPKIN: 'zipkin', XRAY: 'xray' } as const);

/** The link attribute (OpenTelemetry's own name) that keeps a Jaeger reference's type: `child_of` or `follows_from`. */
export const OPENTRACING_REF_TYPE = 'opentracing.ref_type';

/** Whether an attribute is a carrier of foreign facts, which APIs hide. */
export function isCarrierKey(key: string): boolean {
  return key.startsWith(CARRIER_PREFIX);
}
