import {
  MAX_UNIX_NANO,
  bytesOfText,
  fromPlain,
  losslessText,
  type AttributeValue,
  type KeyValue,
  type PlainEvent,
  type PlainLink,
  type PlainResource,
  type PlainScope,
  type PlainSpan,
  type SpanBatch,
  type SpanId,
  type TraceId,
  type UnixNano,
} from '@clew/model';
import fc from 'fast-check';

/**
 * Arbitrary spans for property tests: everything a client could send, the odd included. Values of every type, duplicate keys, empty
 * values, invalid UTF-8, integers at the edges, times in any order, enum numbers nobody assigned, all flag bits, nested
 * arrays and maps, spans without ids.
 */

/** Which oddities may occur; everything by default. */
export interface SpanArbitraryOptions {
  /** Texts that are not valid UTF-8 (as lossless text). */
  readonly invalidUtf8?: boolean;
  /** Trace and span ids that are zero, which means absent. */
  readonly zeroIds?: boolean;
  readonly maxSpans?: number;
}

const keys = ['http.method', 'http.status_code', 'service.name', 'k', 'k', '', 'ключ'];

/** Any text, as lossless text. */
export function arbitraryText(options: SpanArbitraryOptions = {}): fc.Arbitrary<string> {
  const valid = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('', 'GET', '200', 'a', '\u0000', '😀', 'GET /users/{id}') },
    arbitraryUnicode(),
    fc.string({ maxLength: 60 }),
  );
  if (options.invalidUtf8 === false) return valid;
  return fc.oneof({ weight: 5, arbitrary: valid }, fc.uint8Array({ maxLength: 8 }).map(losslessText));
}

/** Text of any code points. Drawn by number: fast-check's own units for this take half a second to set up. */
export function arbitraryUnicode(): fc.Arbitrary<string> {
  const point = fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }));
  return fc.array(point, { maxLength: 12 }).map((points) => String.fromCodePoint(...points));
}

/** Any attribute value, nested at most `depth` levels. */
export function arbitraryValue(options: SpanArbitraryOptions = {}, depth: number = 3): fc.Arbitrary<AttributeValue> {
  const flat: fc.Arbitrary<AttributeValue> = fc.oneof(
    { weight: 3, arbitrary: arbitraryText(options) },
    fc.constant(null),
    fc.boolean(),
    arbitraryInt(),
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, Number.MIN_VALUE, Number.MAX_VALUE),
    fc.uint8Array({ maxLength: 12 }),
  );
  if (depth <= 0) return flat;
  const inner = arbitraryValue(options, depth - 1);
  return fc.oneof(
    { weight: 8, arbitrary: flat },
    fc.array(inner, { maxLength: 3 }),
    fc.array(arbitraryKeyValue(options, inner), { maxLength: 3 }).map((entries) => ({ entries })),
  );
}

/** Signed 64-bit integers, the edges often. */
export function arbitraryInt(): fc.Arbitrary<bigint> {
  return fc.oneof(
    fc.constantFrom(0n, 1n, -1n, 200n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
}

/** Attributes of one row; keys repeat often. */
export function arbitraryAttributes(options: SpanArbitraryOptions = {}): fc.Arbitrary<KeyValue[]> {
  return fc.array(arbitraryKeyValue(options, arbitraryValue(options)), { maxLength: 5 });
}

function arbitraryKeyValue(options: SpanArbitraryOptions, value: fc.Arbitrary<AttributeValue>): fc.Arbitrary<KeyValue> {
  return fc.record({
    key: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...keys) }, arbitraryText(options)),
    value,
  });
}

/** Any time, near now, the first and the last nanosecond often. */
export function arbitraryTime(): fc.Arbitrary<UnixNano> {
  const nearNow = fc.bigInt({ min: 0n, max: 10_000_000_000n }).map((offset) => 1_763_692_200_000_000_000n + offset);
  return fc.oneof(
    { weight: 4, arbitrary: nearNow },
    fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, MAX_UNIX_NANO),
    fc.bigInt({ min: 0n, max: MAX_UNIX_NANO }),
  ) as fc.Arbitrary<UnixNano>;
}

/** A trace id; few different ones, so that spans share traces. */
export function arbitraryTraceId(options: SpanArbitraryOptions = {}): fc.Arbitrary<TraceId | ''> {
  const some = fc.constantFrom(
    '0'.repeat(31) + '1',
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'f'.repeat(32),
  ) as fc.Arbitrary<TraceId>;
  const any = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(hex) as fc.Arbitrary<TraceId>;
  const usual = fc.oneof({ weight: 3, arbitrary: some }, any.filter(isNonZero));
  return options.zeroIds === false ? usual : fc.oneof({ weight: 9, arbitrary: usual }, fc.constant('' as const));
}

/** A span id; few different ones, so that parents are found. */
export function arbitrarySpanId(options: SpanArbitraryOptions = {}): fc.Arbitrary<SpanId | ''> {
  const some = fc.nat(20).map((n) => (n + 1).toString(16).padStart(16, '0')) as fc.Arbitrary<SpanId>;
  const any = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hex) as fc.Arbitrary<SpanId>;
  const usual = fc.oneof({ weight: 3, arbitrary: some }, any.filter(isNonZero));
  return options.zeroIds === false ? usual : fc.oneof({ weight: 9, arbitrary: usual }, fc.constant('' as const));
}

/** A resource. Entity references are well-formed field-3 messages. */
export function arbitraryResource(options: SpanArbitraryOptions = {}): fc.Arbitrary<PlainResource> {
  return fc.record({
    attributes: arbitraryAttributes(options),
    droppedAttributes: arbitraryCount(),
    schemaUrl: arbitraryText(options),
    entityRefs: fc.array(fc.constantFrom('', 'host', 'service'), { maxLength: 2 }).map(entityRefs),
  });
}

/** An instrumentation scope. */
export function arbitraryScope(options: SpanArbitraryOptions = {}): fc.Arbitrary<PlainScope> {
  return fc.record({
    name: arbitraryText(options),
    version: arbitraryText(options),
    attributes: arbitraryAttributes(options),
    droppedAttributes: arbitraryCount(),
    schemaUrl: arbitraryText(options),
  });
}

/** One span of the given resource and scope. */
export function arbitrarySpan(
  options: SpanArbitraryOptions = {},
  resource: fc.Arbitrary<PlainResource> = arbitraryResource(options),
  scope: fc.Arbitrary<PlainScope> = arbitraryScope(options),
): fc.Arbitrary<PlainSpan> {
  return fc.record({
    resource,
    scope,
    traceId: arbitraryTraceId(options),
    spanId: arbitrarySpanId(options),
    parentSpanId: arbitrarySpanId({ ...options, zeroIds: true }),
    traceState: fc.oneof(fc.constantFrom('', 'ot=th:fd70a', 'a=1,b=2'), arbitraryText(options)),
    flags: arbitraryWord(),
    name: arbitraryText(options),
    kind: arbitraryEnum(5),
    startUnixNano: arbitraryTime(),
    endUnixNano: arbitraryTime(),
    statusCode: arbitraryEnum(2),
    statusMessage: arbitraryText(options),
    attributes: arbitraryAttributes(options),
    droppedAttributes: arbitraryCount(),
    events: fc.array(arbitraryEvent(options), { maxLength: 3 }),
    droppedEvents: arbitraryCount(),
    links: fc.array(arbitraryLink(options), { maxLength: 2 }),
    droppedLinks: arbitraryCount(),
  });
}

/**
 * Spans of a request: of few resources and scopes, shared as objects. Spans of one (resource, scope) pair stand together,
 * the way OTLP groups them, so that encoders keep their order.
 */
export function arbitrarySpans(options: SpanArbitraryOptions = {}): fc.Arbitrary<PlainSpan[]> {
  const maxSpans = options.maxSpans ?? 12;
  const group = fc
    .tuple(arbitraryResource(options), fc.array(arbitraryScope(options), { minLength: 1, maxLength: 2 }))
    .chain(([resource, scopes]) =>
      fc.tuple(
        ...scopes.map((scope) =>
          fc.array(arbitrarySpan(options, fc.constant(resource), fc.constant(scope)), {
            minLength: 1,
            maxLength: Math.max(1, maxSpans >> 2),
          }),
        ),
      ),
    );
  return fc.array(group, { maxLength: 2 }).map((groups) => groups.flat(2));
}

/** A batch of {@link arbitrarySpans}; `toPlain` gives them back. */
export function arbitraryBatch(options: SpanArbitraryOptions = {}): fc.Arbitrary<SpanBatch> {
  return arbitrarySpans(options).map((spans) => fromPlain(spans));
}

function arbitraryEvent(options: SpanArbitraryOptions): fc.Arbitrary<PlainEvent> {
  return fc.record({
    timeUnixNano: arbitraryTime(),
    name: arbitraryText(options),
    attributes: arbitraryAttributes(options),
    droppedAttributes: arbitraryCount(),
  });
}

function arbitraryLink(options: SpanArbitraryOptions): fc.Arbitrary<PlainLink> {
  return fc.record({
    traceId: arbitraryTraceId(options),
    spanId: arbitrarySpanId(options),
    traceState: arbitraryText(options),
    flags: arbitraryWord(),
    attributes: arbitraryAttributes(options),
    droppedAttributes: arbitraryCount(),
  });
}

/** An unsigned 32-bit number, mostly zero. */
function arbitraryCount(): fc.Arbitrary<number> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3), arbitraryWord());
}

function arbitraryWord(): fc.Arbitrary<number> {
  return fc.oneof(fc.constantFrom(0, 1, 0x101, 0x301, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
}

/** A signed 32-bit enum number, mostly an assigned one. */
function arbitraryEnum(last: number): fc.Arbitrary<number> {
  return fc.oneof({ weight: 5, arbitrary: fc.nat(last) }, fc.constantFrom(-1, 99), fc.integer());
}

/** `entity_refs` messages (field 3 of `Resource`), each with its type (field 2). */
function entityRefs(types: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const type of types) {
    const text = bytesOfText(type);
    bytes.push(0x1a, text.length + 2, 0x12, text.length, ...text);
  }
  return Uint8Array.from(bytes);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function isNonZero(id: string): boolean {
  return /[^0]/.test(id);
}
