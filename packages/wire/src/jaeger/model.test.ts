import { fileURLToPath } from 'node:url';
import { SpanBatch, fromPlain, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeModelBatch, decodePostSpans } from './model-decode.ts';
import { encodeModelBatches, encodePostSpans } from './model-encode.ts';
import { encodeThriftBatches } from './thrift-batches.ts';
import { decodeThriftBatch } from './thrift.ts';

/** Jaeger's api_v2, read and written by another implementation from `testdata/model.proto`. */

const root = protobuf.loadSync(fileURLToPath(new URL('testdata/model.proto', import.meta.url)));
const requestType = root.lookupType('jaeger.PostSpansRequest');
const batchType = root.lookupType('jaeger.Batch');

type Message = Readonly<Record<string, unknown>>;

const traceId = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const spanId = Uint8Array.from({ length: 8 }, (_, i) => i + 0xa0);

function bytesOf(type: protobuf.Type, message: Message): Uint8Array {
  return type.encode(type.fromObject(message)).finish();
}

function decodedRequest(batch: Message): PlainSpan[] {
  const spans = new SpanBatch();
  decodePostSpans(bytesOf(requestType, { batch }), spans);
  return toPlain(spans);
}

function objectOf(type: protobuf.Type, bytes: Uint8Array): Message {
  return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: Array });
}

describe('a request written by another implementation', () => {
  const full = {
    traceId,
    spanId,
    operationName: 'GET /',
    references: [
      { traceId, spanId: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9) },
      { traceId: traceId.slice(8), spanId, refType: 'FOLLOWS_FROM' },
    ],
    flags: 3,
    startTime: { seconds: 1_700_000_000, nanos: 123_456_789 },
    duration: { seconds: 1, nanos: 5 },
    tags: [
      { key: 'text', vStr: 'x' },
      { key: 'bool', vType: 'BOOL', vBool: true },
      { key: 'int', vType: 'INT64', vInt64: -5 },
      { key: 'double', vType: 'FLOAT64', vFloat64: 0.25 },
      { key: 'binary', vType: 'BINARY', vBinary: Uint8Array.of(1, 2) },
      { key: 'unknown', vType: 9 },
      { key: 'span.kind', vStr: 'client' },
    ],
    logs: [{ timestamp: { seconds: 1_700_000_001 }, fields: [{ key: 'event', vStr: 'retry' }] }],
    processId: 'p1',
    warnings: ['clock skew', ''],
  };

  it('is decoded with every field', () => {
    const [span] = decodedRequest({
      spans: [full],
      process: { serviceName: 'api', tags: [{ key: 'hostname', vStr: 'h' }] },
    });
    expect(span).toMatchObject({
      traceId: '0102030405060708090a0b0c0d0e0f10',
      spanId: 'a0a1a2a3a4a5a6a7',
      parentSpanId: '0000000000000009',
      name: 'GET /',
      kind: 3,
      startUnixNano: 1_700_000_000_123_456_789n,
      endUnixNano: 1_700_000_001_123_456_794n,
      attributes: [
        { key: 'text', value: 'x' },
        { key: 'bool', value: true },
        { key: 'int', value: -5n },
        { key: 'double', value: 0.25 },
        { key: 'binary', value: Uint8Array.of(1, 2) },
        { key: 'unknown', value: '<Unknown Jaeger TagType "9">' },
        { key: '@jaeger@warnings', value: ['clock skew', ''] },
        { key: 'clew.carrier.jaeger.flags', value: 3n },
        { key: 'clew.carrier.jaeger.process_id', value: 'p1' },
      ],
      events: [{ timeUnixNano: 1_700_000_001_000_000_000n, name: 'retry', attributes: [] }],
      links: [{ traceId: '0000000000000000090a0b0c0d0e0f10', spanId: 'a0a1a2a3a4a5a6a7' }],
    });
    expect(span!.resource.attributes.slice(0, 2)).toEqual([
      { key: 'service.name', value: 'api' },
      { key: 'host.name', value: 'h' },
    ]);
  });

  it('is written as it was read, but for the text of a type that is none', () => {
    const batch = { spans: [full], process: { serviceName: 'api', tags: [{ key: 'hostname', vStr: 'h' }] } };
    const spans = new SpanBatch();
    decodePostSpans(bytesOf(requestType, { batch }), spans);
    const [written] = encodePostSpans(spans);
    const [unknownTag] = [{ key: 'unknown', vStr: '<Unknown Jaeger TagType "9">' }];
    const tags = full.tags.map((tag) => (tag.key === 'unknown' ? unknownTag : tag));
    const references = full.references.map((reference, i) =>
      i === 1 ? { ...reference, traceId: padded(reference.traceId) } : reference,
    );
    const sent = { batch: { ...batch, spans: [{ ...full, tags, references }] } };
    expect(objectOf(requestType, written!)).toEqual(objectOf(requestType, bytesOf(requestType, sent)));
  });

  it('the first CHILD_OF reference within the trace is the parent, however it is written', () => {
    const ids = [1, 2].map((n) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n));
    const [first, second] = ids.map((id) => [0x0a, 16, ...traceId, 0x12, 8, ...id]);
    const reference = (body: readonly number[]): number[] => [0x22, body.length, ...body];
    const written = (...references: readonly (readonly number[])[]): Uint8Array => {
      const span = [0x0a, 16, ...traceId, 0x12, 8, ...spanId, ...references.flatMap(reference)];
      return Uint8Array.from([0x0a, span.length, ...span]);
    };
    const parentOf = (bytes: Uint8Array): readonly [string, number] => {
      const batch = new SpanBatch();
      decodeModelBatch(bytes, batch);
      const [span] = toPlain(batch);
      return [span!.parentSpanId, span!.links.length];
    };
    // A type that is written out although it is the default, and one of another kind before.
    expect(parentOf(written(first!, second!))).toEqual(['0000000000000001', 1]);
    expect(parentOf(written([...first!, 0x18, 0], second!))).toEqual(['0000000000000001', 1]);
    expect(parentOf(written([...first!, 0x18, 1], second!))).toEqual(['0000000000000002', 1]);
  });

  it('a span’s own process goes before the batch’s, and equal ones are one resource', () => {
    const own = { serviceName: 'own', tags: [{ key: 'k', vStr: 'v' }] };
    const spans = decodedRequest({
      spans: [
        { spanId, process: own },
        { spanId },
        { spanId, process: own },
        { spanId, process: { serviceName: 'all' } },
      ],
      process: { serviceName: 'all' },
    });
    expect(spans.map(({ resource }) => resource.attributes[0]!.value)).toEqual(['own', 'all', 'own', 'all']);
    expect(spans[0]!.resource).toBe(spans[2]!.resource);
    expect(spans[1]!.resource).toBe(spans[3]!.resource);
  });

  it('without any process has a resource without anything', () => {
    const spans = decodedRequest({ spans: [{ spanId }] });
    expect(spans[0]!.resource.attributes).toEqual([]);
    const batch = new SpanBatch();
    decodePostSpans(bytesOf(requestType, { batch: { spans: [{ spanId }] } }), batch);
    expect(objectOf(requestType, encodePostSpans(batch)[0]!)).toMatchObject({
      batch: { process: { serviceName: 'OTLPResourceNoServiceName' } },
    });
  });

  it('times before 1970 and beyond 2554 are clamped', () => {
    const [early, late] = decodedRequest({
      spans: [
        { startTime: { seconds: -5, nanos: 0 }, duration: { seconds: 2 } },
        { startTime: { seconds: '9223372036854775807', nanos: -1 }, duration: { seconds: -1, nanos: -1 } },
      ],
    });
    expect([early!.startUnixNano, early!.endUnixNano]).toEqual([0n, 2_000_000_000n]);
    expect([late!.startUnixNano, late!.endUnixNano]).toEqual([2n ** 64n - 2n, 2n ** 64n - 2n - 1_000_000_001n]);
  });

  it('a bare Batch is read by its own function', () => {
    const spans = new SpanBatch();
    expect(decodeModelBatch(bytesOf(batchType, { spans: [full, full] }), spans)).toBe(2);
  });
});

describe('what is written', () => {
  it('is read by another implementation and written again as the same bytes', () => {
    fc.assert(
      fc.property(arbitrarySpans({ invalidUtf8: false }), (spans) => {
        for (const bytes of encodeModelBatches(fromPlain(spans))) {
          // Only meaning is compared: an empty time is written here and left out there, or the other way round.
          const again = batchType.encode(batchType.decode(bytes)).finish();
          const first = new SpanBatch();
          decodeModelBatch(bytes, first);
          const second = new SpanBatch();
          decodeModelBatch(again, second);
          expect(toPlain(second)).toEqual(toPlain(first));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('keeps warnings as a tag of text in Thrift, which has no field for them', () => {
    const sent = new SpanBatch();
    decodeModelBatch(bytesOf(batchType, { spans: [{ spanId, warnings: ['a', 'b'] }] }), sent);
    const received = new SpanBatch();
    for (const bytes of encodeThriftBatches(sent)) decodeThriftBatch(bytes, received);
    expect(toPlain(received)[0]!.attributes).toEqual([{ key: '@jaeger@warnings', value: '["a","b"]' }]);
  });
});

function padded(id: Uint8Array): Uint8Array {
  const whole = new Uint8Array(16);
  whole.set(id, 8);
  return whole;
}
