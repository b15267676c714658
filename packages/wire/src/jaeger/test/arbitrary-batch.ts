import fc from 'fast-check';
import { arbitraryStruct } from '../../thrift/test/any-value.ts';
import type { AnyField, AnyThrift } from '../../thrift/test/any-value.ts';
import { ThriftType } from '../../thrift/types.ts';

/**
 * `Batch` structs of jaeger.thrift as any client might send them: fields in any order, fields nobody knows between them, tags that mean
 * something beside tags that do not, keys twice, values of unusual types, absurd times.
 */

/** Keys the mapping knows, and some it does not. */
const keys = [
  'span.kind',
  'error',
  'otel.status_code',
  'otel.status_description',
  'http.status_code',
  'http.status_message',
  'w3c.tracestate',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'telemetry.sdk.language',
  '@jaeger@warnings',
  'event',
  'service.name',
  'hostname',
  'host.name',
  'jaeger.version',
  'opencensus.exporterversion',
  'clew.carrier.jaeger.flags',
  'clew.carrier.unheard.of',
  'component',
  '',
];

const texts = [
  '',
  'client',
  'SERVER',
  'server',
  'OK',
  'ERROR',
  'Error',
  'true',
  'false',
  '404',
  '500',
  'go',
  'Go-2.30.0',
  'Node-3.19.0',
  'OTLPResourceNoServiceName',
  'k=v',
  'some text',
];

const text = (value: string): AnyThrift => ({ type: ThriftType.STRING, value: new TextEncoder().encode(value) });

/** A string: one that may mean something, or any bytes. */
const anyText = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...texts).map(text) }, bytes());

function bytes(): fc.Arbitrary<AnyThrift> {
  return fc.uint8Array({ maxLength: 10 }).map((value) => ({ type: ThriftType.STRING, value }));
}

const i32 = (value: number): AnyThrift => ({ type: ThriftType.I32, value });
const i64 = (value: bigint): AnyThrift => ({ type: ThriftType.I64, value });

const anyLong = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 404n, 500n, -1n, 2n ** 40n, -(2n ** 63n)).map(i64),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(i64),
);

const anyMicros = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 1_700_000_000_000_000n, max: 1_700_000_100_000_000n }).map(i64) },
  { weight: 4, arbitrary: fc.bigInt({ min: -1_000n, max: 5_000_000n }).map(i64) },
  anyLong,
);

/** Few different ids, so that references meet their spans. */
const anyId = fc.oneof(fc.constantFrom(0n, 1n, 2n, 3n, -1n).map(i64), anyLong);
const anyTrace = fc.constantFrom(0n, 7n, -7n).map(i64);

/** Some of the fields, in some order, with fields nobody knows between them. */
function structOf(
  fields: Readonly<Record<number, fc.Arbitrary<AnyThrift>>>,
  required: readonly number[] = [],
): fc.Arbitrary<AnyThrift> {
  const known = Object.entries(fields).map(([id, value]) => {
    const field = value.map((one): AnyField => ({ id: Number(id), value: one }));
    return required.includes(Number(id)) ? field : fc.option(field, { freq: 6, nil: undefined });
  });
  const unknown = arbitraryStruct(2).map(({ value }) =>
    value.map((field) => ({ ...field, id: 100 + (field.id & 0x3f) })),
  );
  return fc
    .tuple(fc.tuple(...known), fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, unknown), fc.boolean())
    .chain(([some, others, isShuffled]) => {
      const all = [...some.filter((field) => field !== undefined), ...others];
      return isShuffled ? fc.shuffledSubarray(all, { minLength: all.length }) : fc.constant(all);
    })
    .map((value) => ({ type: ThriftType.STRUCT, value }));
}

function listOf(element: fc.Arbitrary<AnyThrift>, maxLength: number): fc.Arbitrary<AnyThrift> {
  return fc.array(element, { maxLength }).map((value) => ({ type: ThriftType.LIST, of: ThriftType.STRUCT, value }));
}

const tag = structOf({
  1: fc.constantFrom(...keys).map(text),
  2: fc.oneof({ weight: 8, arbitrary: fc.nat(4).map(i32) }, fc.integer().map(i32)),
  3: anyText,
  4: fc
    .oneof(fc.constantFrom(200, 500, 500.5, Number.NaN), fc.double())
    .map((value) => ({ type: ThriftType.DOUBLE, value })),
  5: fc.boolean().map((value) => ({ type: ThriftType.BOOL, value })),
  6: anyLong,
  7: bytes(),
});

const reference = structOf({
  1: fc.oneof({ weight: 8, arbitrary: fc.nat(1).map(i32) }, fc.integer().map(i32)),
  2: anyTrace,
  3: anyTrace,
  4: anyId,
});

const log = structOf({ 1: anyMicros, 2: listOf(tag, 3) });

const span = structOf({
  1: anyTrace,
  2: anyTrace,
  3: anyId,
  4: anyId,
  5: anyText,
  6: listOf(reference, 3),
  7: fc.oneof(fc.constantFrom(0, 1, 3, -1).map(i32), fc.integer().map(i32)),
  8: anyMicros,
  9: anyMicros,
  10: listOf(tag, 8),
  11: listOf(log, 2),
});

const process = structOf({ 1: anyText, 2: listOf(tag, 6) });
const stats = structOf({ 1: anyLong, 2: anyLong, 3: anyLong });

/** The fields of a `Batch`. */
export function arbitraryBatchStruct(): fc.Arbitrary<readonly AnyField[]> {
  return structOf({ 1: process, 2: listOf(span, 4), 3: anyLong, 4: stats }, [1, 2]).map(
    (struct) => struct.value as readonly AnyField[],
  );
}
