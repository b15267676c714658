import fc from 'fast-check';

/** Arbitrary Zipkin spans as clients could send them, plain and odd, as JSON values. */

const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))
    .filter((id) => /[^0]/.test(id));

const traceId = fc.oneof(hex(16), hex(32), hex(5));
const spanId = fc.oneof(hex(16), fc.constantFrom('1', '2', '00000000000000ff'));

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'GET', 'a|b', 'naïve ☃ 漢字', '200', 'true', 'false', '10.0.0.9', '"\\\n'),
  },
  fc.string({ maxLength: 12 }),
);

/** Texts that special tags can have, the right ones and others. */
const specialTag = fc.oneof(
  fc.tuple(fc.constant('error'), fc.constantFrom('true', 'false', '', 'connection refused', 'boom', 'TRUE')),
  fc.tuple(
    fc.constant('otel.status_code'),
    fc.constantFrom('STATUS_CODE_OK', 'STATUS_CODE_ERROR', 'STATUS_CODE_UNSET', 'ERROR', 'Ok', '1', '2', 'odd', ''),
  ),
  fc.tuple(fc.constant('otel.status_description'), fc.constantFrom('', 'boom', 'connection refused', 'true')),
  fc.tuple(fc.constant('span.kind'), fc.constantFrom('internal', 'server', '')),
  fc.tuple(fc.constant('w3c.tracestate'), fc.constantFrom('', 'a=b', 'ot=th:8')),
  fc.tuple(fc.constantFrom('otel.library.name', 'otel.library.version'), fc.constantFrom('', 'lib', '1.2')),
  fc.tuple(
    fc.constant('otlp.service.name.source'),
    fc.constantFrom('service.name', 'faas.name', 'k8s.deployment.name', 'x'),
  ),
  fc.tuple(
    fc.constantFrom(
      'network.local.address',
      'network.peer.address',
      'net.peer.ip',
      'peer.service',
      'service.peer.name',
    ),
    fc.constantFrom('', '10.0.0.1', '::1', 'FE80::1', 'host-a'),
  ),
  fc.tuple(
    fc.constantFrom('net.host.port', 'net.peer.port', 'lc', 'component', 'http.status_code'),
    fc.constantFrom('80', '500', ''),
  ),
  fc.tuple(fc.constantFrom('otlp.link.0', 'otlp.link.1', 'otlp.link.2', 'otlp.link.01', 'otlp.link.128'), linkText()),
  fc.tuple(fc.constant('otel.zipkin.absentField.startTime'), fc.constant('true')),
);

function linkText(): fc.Arbitrary<string> {
  return fc.constantFrom(
    '4bf92f3577b34da6a3ce929d0e0e4736|00f067aa0ba902b7|a=b|{"k":"v","n":1,"d":1.5,"l":[1,"x",null],"m":{"a":true}}|3',
    '4bf92f3577b34da6a3ce929d0e0e4736|00f067aa0ba902b7||{}|0',
    '4BF92F3577B34DA6A3CE929D0E0E4736|00f067aa0ba902b7||{"a|b":"c|d"}|0',
    'nonsense',
    '4bf92f3577b34da6a3ce929d0e0e4736|00f067aa0ba902b7||{bad}|0',
  );
}

const tags = fc
  .array(fc.oneof(fc.tuple(text, text), specialTag), { maxLength: 6 })
  .map((pairs) => Object.fromEntries(pairs));

const annotationText = fc.oneof(
  text,
  fc.constantFrom(
    'cache.miss',
    'e|{"a":1,"b":"x","c":-2.5}|0',
    'e|{}|7',
    'e|{}|0',
    'a|b|c',
    'e|{"a":5.0}|1',
    '||',
    '|{"a":[{}]}|2',
  ),
);

/** Microseconds: usual ones, none, and the largest. */
export const micros: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1_795_219_548_204_000, max: 1_795_219_549_204_000 }) },
  fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER),
);

const duration = fc.oneof(fc.nat(1_000_000), fc.constantFrom(0, 1));

const services = fc.constantFrom('api-service', 'payment-service', 'Api', '');

/** An endpoint of a service, or of none. */
export const endpoint: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    serviceName: services,
    ipv4: fc.constantFrom('10.0.0.5', '10.0.0.9', '127.0.0.1', ''),
    ipv6: fc.constantFrom('::1', 'fe80::1', '2001:db8::c001'),
    port: fc.constantFrom(0, 1, 8080, 40_000, 65_535),
  },
  { requiredKeys: [] },
);

const annotations = fc.array(fc.record({ timestamp: micros, value: annotationText }), { maxLength: 4 });

/** A v2 span. */
export const v2Span: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    traceId,
    id: spanId,
    parentId: fc.oneof(spanId, fc.constant('0000000000000000')),
    name: text,
    kind: fc.constantFrom('CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'),
    timestamp: micros,
    duration,
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    annotations,
    tags,
    debug: fc.boolean(),
    shared: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id'] },
);

/** Which core annotations clients send together; ends alone come from those who restarted. */
const cores = fc.constantFrom(
  [],
  ['cs'],
  ['cs', 'cr'],
  ['cr'],
  ['sr'],
  ['sr', 'ss'],
  ['ss'],
  ['cs', 'cr', 'sr', 'ss'],
  ['cs', 'sr', 'ss', 'cr'],
  ['cs', 'sr'],
  ['ms'],
  ['ms', 'ws'],
  ['mr'],
  ['wr', 'mr'],
  ['ms', 'mr'],
  ['ms', 'ws', 'wr', 'mr'],
);

const typedValue = fc.oneof(
  fc.record({ value: text }),
  fc.record({ value: fc.boolean() }),
  fc.record({ value: fc.maxSafeInteger(), type: fc.constantFrom('I16', 'I32', 'I64', 'DOUBLE') }),
  fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }), type: fc.constant('DOUBLE') }),
  fc.record({
    value: fc.constantFrom('NaN', '-Infinity', '1.5', 'x', '-7', 'true', 'AQID', 'AQ=='),
    type: fc.constantFrom('I64', 'DOUBLE', 'BYTES', 'BOOL', 'STRING', 'odd'),
  }),
);

const withEndpoint = fc.option(endpoint, { nil: undefined });

const binaryAnnotation = fc.oneof(
  fc
    .tuple(
      fc.oneof(
        text,
        specialTag.map(([key]) => key),
      ),
      typedValue,
      withEndpoint,
    )
    .map(([key, value, host]) => ({ key, ...value, endpoint: host })),
  fc.tuple(specialTag, withEndpoint).map(([[key, value], host]) => ({ key, value, endpoint: host })),
  fc.tuple(fc.constantFrom('sa', 'ca', 'ma'), endpoint).map(([key, host]) => ({ key, value: true, endpoint: host })),
  endpoint.map((host) => ({ key: 'lc', value: '', endpoint: host })),
);

/** Core annotations each a little after the one before, of one or two services, among others. */
const v1Annotations = fc
  .tuple(
    cores,
    fc.integer({ min: 1_795_219_548_204_000, max: 1_795_219_549_204_000 }),
    fc.tuple(withEndpoint, withEndpoint),
    fc.array(fc.record({ timestamp: micros, value: annotationText }), { maxLength: 3 }),
  )
  .map(([names, start, [near, far], others]) => [
    ...names.map((value, at) => ({
      timestamp: start + at * 7,
      value,
      endpoint: value.startsWith('s') || value === 'mr' || value === 'wr' ? far : near,
    })),
    ...others.map((other) => ({ ...other, endpoint: near })),
  ]);

/** A v1 span. It has at least one member that only v1 spans have. */
export const v1Span: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    traceId,
    id: spanId,
    parentId: spanId,
    name: text,
    timestamp: micros,
    duration,
    annotations: v1Annotations,
    binaryAnnotations: fc.array(binaryAnnotation, { maxLength: 6 }),
    debug: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id', 'binaryAnnotations'] },
);
