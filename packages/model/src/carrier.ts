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
  /**
   * On a span, string `follows_from`: the kind of the reference that names the span's parent. Absent, or `child_of`, is the
   * usual kind.
   */
  JAEGER_PARENT_REF_TYPE: 'clew.carrier.jaeger.parent_ref_type',
  /** On a span, string: the `process_id` of a Jaeger span, when not empty. */
  JAEGER_PROCESS_ID: 'clew.carrier.jaeger.process_id',
  /** On a resource, bool: its `host.name` came as the process tag `hostname`. */
  JAEGER_HOSTNAME: 'clew.carrier.jaeger.hostname',
  /** On a resource, bool: its `opencensus.exporterversion` came as the process tag `jaeger.version`, without the prefix `Jaeger-`. */
  JAEGER_VERSION: 'clew.carrier.jaeger.version',
  /** On a span, bool: the span is the server half of a pair that shares one id. */
  ZIPKIN_SHARED: 'clew.carrier.zipkin.shared',
  /** On a span, bool: the span was sent with the debug mark. */
  ZIPKIN_DEBUG: 'clew.carrier.zipkin.debug',
  /** On a span, string: the IPv4 address of a local endpoint that also has an IPv6 one, which is the span's `network.local.address`. */
  ZIPKIN_LOCAL_IPV4: 'clew.carrier.zipkin.local_ipv4',
  /** On a span, string: the same of a remote endpoint and `network.peer.address`. */
  ZIPKIN_PEER_IPV4: 'clew.carrier.zipkin.peer_ipv4',
  /** On a span, bool: its `component` was the binary annotation `lc` of a Zipkin v1 span. */
  ZIPKIN_LC: 'clew.carrier.zipkin.lc',
  /** On a resource, list of strings: the members of the X-Ray segment document its attributes came from, such as `aws.ec2.instance_id`. */
  XRAY_MEMBERS: 'clew.carrier.xray.members',
  /** On a span, exception event or link, string: what its X-Ray document said beside what became fields and attributes, as JSON. */
  XRAY_REST: 'clew.carrier.xray.rest',
  /** On an exception event, string: the stack frames as X-Ray sent them, as JSON, when the stack trace's text does not tell all of them. */
  XRAY_STACK: 'clew.carrier.xray.stack',
} as const);

/** Values of {@link Carrier.FORMAT}. */
export const CarrierFormat = Object.freeze({ JAEGER: 'jaeger', ZIPKIN: 'zipkin', XRAY: 'xray' } as const);

/** The link attribute (OpenTelemetry's own name) that keeps a Jaeger reference's type: `child_of` or `follows_from`. */
export const OPENTRACING_REF_TYPE = 'opentracing.ref_type';

/** The span attribute in which Jaeger keeps warnings about a span: a list of strings that its APIs show apart from tags. */
export const JAEGER_WARNINGS = '@jaeger@warnings';

/** Whether an attribute is a carrier of foreign facts, which APIs hide. */
export function isCarrierKey(key: string): boolean {
  return key.startsWith(CARRIER_PREFIX);
}
