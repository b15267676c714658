import { SpanBatch, fromPlain, toPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireError } from '../errors.ts';
import type { DecodeLimits } from '../limits.ts';
import { encodeTraces } from '../otlp/protobuf-encode.ts';
import { decodeSafely, refusalOf } from '../test/decode-safely.ts';
import { protocols, writeStruct } from '../thrift/test/any-value.ts';
import { decodeModelBatch, decodePostSpans } from './model-decode.ts';
import { encodeModelBatches, encodePostSpans } from './model-encode.ts';
import { arbitraryBatchStruct } from './test/arbitrary-batch.ts';
import { batchFields, binaryBytes, tagList } from './test/message.ts';
import { encodeAgentMessages, encodeThriftBatches } from './thrift-batches.ts';
import { decodeAgentMessage, decodeThriftBatch } from './thrift.ts';

type Decode = (bytes: Uint8Array, batch: SpanBatch, limits?: DecodeLimits) => unknown;

/** Whatever is decoded can be written again. */
function decodeAndEncode(decode: Decode, bytes: Uint8Array): void {
  const batch = decodeSafely(bytes, decode);
  if (batch === undefined) return;
  encodeTraces(batch);
  encodeThriftBatches(batch);
  encodePostSpans(batch);
}

function wireErrorOf(decode: Decode, bytes: Uint8Array, limits?: DecodeLimits): WireError {
  return refusalOf(bytes, (input, batch) => decode(input, batch, limits));
}

const encodings = [
  {
    name: 'Thrift binary',
    decode: decodeThriftBatch as Decode,
    encode: (batch: SpanBatch) => encodeThriftBatches(batch),
  },
  {
    name: 'Thrift compact',
    decode: decodeThriftBatch as Decode,
    encode: (batch: SpanBatch) => encodeThriftBatches(batch, undefined, { protocol: 'compact' }),
  },
  {
    name: 'datagrams',
    decode: decodeAgentMessage as Decode,
    encode: (batch: SpanBatch) => encodeAgentMessages(batch).datagrams,
  },
  { name: 'PostSpansRequest', decode: decodePostSpans as Decode, encode: (batch: SpanBatch) => encodePostSpans(batch) },
  {
    name: 'Batch of api_v2',
    decode: decodeModelBatch as Decode,
    encode: (batch: SpanBatch) => encodeModelBatches(batch),
  },
] as const;

const sample = fc.sample(arbitrarySpans({ maxSpans: 3 }), { numRuns: 3, seed: 11 });

describe.each(encodings)('damaged $name', ({ decode, encode }) => {
  it('is refused or decoded when cut at any byte', () => {
    for (const bytes of sample.flatMap((spans) => encode(fromPlain(spans)))) {
      for (let end = 0; end < bytes.length; end += bytes.length > 1_500 ? 7 : 1)
        decodeAndEncode(decode, bytes.slice(0, end));
    }
  });

  it('is refused or decoded when bits are flipped', () => {
    const flips = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(arbitrarySpans({ maxSpans: 3 }), flips, (spans, positions) => {
        for (const bytes of encode(fromPlain(spans))) {
          const damaged = bytes.slice();
          for (const flip of positions) damaged[(flip >> 3) % damaged.length]! ^= 1 << (flip & 7);
          decodeAndEncode(decode, damaged);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is refused or decoded when it is noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeAndEncode(decode, bytes)),
      { numRuns: 200 },
    );
  });
});

describe.each(protocols)('a batch as clients send it, in $name', ({ writer }) => {
  it('is refused or decoded when cut or with flipped bits', () => {
    fc.assert(
      fc.property(arbitraryBatchStruct(), fc.nat(), fc.nat(), (fields, cut, flip) => {
        const out = writer();
        writeStruct(out, fields);
        const bytes = out.finish();
        decodeAndEncode(decodeThriftBatch, bytes.slice(0, cut % bytes.length));
        bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
        decodeAndEncode(decodeThriftBatch, bytes);
      }),
      { numRuns: 120 },
    );
  });
});

describe('what is no batch', () => {
  const old = [0, 0, 0, 9, ...new TextEncoder().encode('emitBatch'), 4, 0, 0, 0, 0];
  const cases: readonly (readonly [string, Decode, readonly number[], string, number, string])[] = [
    ['an empty body', decodeThriftBatch, [], 'truncated', 0, 'a struct runs past the end of the input (byte 0)'],
    ['an empty struct', decodeThriftBatch, [0], 'missing_field', 0, 'no process, which it must have'],
    ['a batch without spans', decodeThriftBatch, [12, 0, 1, 0, 0], 'missing_field', 0, 'no spans, which it must have'],
    ['JSON', decodeThriftBatch, [0x5b, 0x7b, 0x7d, 0x5d], 'truncated', 1, 'a map of 123 entries'],
    [
      'a process that is a text',
      decodeThriftBatch,
      [11, 0, 1, 0, 0, 0, 0, 0],
      'wrong_thrift_type',
      3,
      'is a string, not a struct',
    ],
    [
      'spans that are numbers',
      decodeThriftBatch,
      [12, 0, 1, 0, 15, 0, 2, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0],
      'wrong_thrift_type',
      12,
      'is a i32, not a struct',
    ],
    [
      '2^31 - 1 spans',
      decodeThriftBatch,
      [12, 0, 1, 0, 15, 0, 2, 12, 0x7f, 0xff, 0xff, 0xff, 0, 0],
      'truncated',
      7,
      'a list of 2147483647 elements',
    ],
    [
      '2^31 spans, compact',
      decodeThriftBatch,
      [0x1c, 0, 0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x08, 0, 0],
      'truncated',
      3,
      'a list of 2147483648 elements',
    ],
    [
      'a message of another method',
      decodeAgentMessage,
      [0x82, 0x81, 0, 3, 0x66, 0x6f, 0x6f, 0],
      'unsupported_message',
      0,
      'the method "foo" is neither emitBatch nor emitZipkinBatch',
    ],
    ['a message without a batch', decodeAgentMessage, [...old, 0], 'missing_field', 18, 'has no argument'],
    [
      'a message whose batch is a list',
      decodeAgentMessage,
      [...old, 15, 0, 1, 12, 0, 0, 0, 0, 0],
      'wrong_thrift_type',
      21,
      'is a list, not a struct',
    ],
    ['text to an agent', decodeAgentMessage, [0x68, 0x69], 'unsupported_message', 0, 'the first byte is 0x68'],
    [
      'a trace id of 7 bytes',
      decodeModelBatch,
      [0x0a, 9, 0x0a, 7, 1, 2, 3, 4, 5, 6, 7],
      'invalid_id',
      4,
      'a trace id has 7 bytes instead of 0, 8 or 16',
    ],
    [
      'a span id of 3 bytes',
      decodeModelBatch,
      [0x0a, 5, 0x12, 3, 1, 2, 3],
      'invalid_id',
      4,
      'a span id has 3 bytes instead of 0 or 8',
    ],
    ['flags as text', decodeModelBatch, [0x0a, 3, 0x2a, 1, 0x41], 'wrong_wire_type', 4, 'field 5 has the wire type 2'],
    ['a name as a number', decodeModelBatch, [0x0a, 2, 0x18, 1], 'wrong_wire_type', 3, 'field 3 has the wire type 0'],
    ['a process as a number', decodeModelBatch, [0x10, 1], 'wrong_wire_type', 1, 'field 2 has the wire type 0'],
    [
      'a start time as a number',
      decodeModelBatch,
      [0x0a, 2, 0x30, 1],
      'wrong_wire_type',
      3,
      'field 6 has the wire type 0',
    ],
    [
      'seconds as text',
      decodeModelBatch,
      [0x0a, 4, 0x32, 2, 0x0a, 0],
      'wrong_wire_type',
      5,
      'field 1 has the wire type 2',
    ],
    [
      'a tag whose key is a number',
      decodeModelBatch,
      [0x0a, 4, 0x42, 2, 0x08, 1],
      'wrong_wire_type',
      5,
      'field 1 has the wire type 0',
    ],
    ['a span longer than the input', decodeModelBatch, [0x0a, 9, 0], 'truncated', 1, 'a field of 9 bytes'],
  ];

  it.each(cases)('%s: refused', (_, decode, bytes, code, offset, wording) => {
    const error = wireErrorOf(decode, Uint8Array.from(bytes));
    expect([error.code, error.details['offset']]).toEqual([code, offset]);
    expect(error.message).toContain(wording);
    expect(error.message).toContain(`at byte ${offset}`);
  });

  it('what follows a batch is not looked at', () => {
    const bytes = binaryBytes(batchFields([{}]));
    expect(decodeThriftBatch(Uint8Array.from([...bytes, 1, 2, 3]), new SpanBatch()).spans).toBe(1);
  });
});

describe('limits', () => {
  it.each([
    ['maxSpans', { maxSpans: 2 }, 'too_many_spans'],
    ['maxChildren', { maxChildren: 2 }, 'too_many_children'],
  ] as const)('%s is named by the error', (name, limits, code) => {
    const logs = [{ timeUs: 0n, fields: [] }];
    const bytes = binaryBytes(batchFields([{ logs }, { logs }, { logs }]));
    const error = wireErrorOf(decodeThriftBatch, bytes, limits);
    expect(error.code).toBe(code);
    expect(error.message).toContain(`2, the limit ${name}`);
    const batch = new SpanBatch();
    decodeThriftBatch(bytes, batch);
    const inProtobuf = wireErrorOf(decodePostSpans, encodePostSpans(batch)[0]!, limits);
    expect([inProtobuf.code, inProtobuf.message.includes(`2, the limit ${name}`)]).toEqual([code, true]);
  });

  it('fields to be skipped may not nest without end', () => {
    const nested = Array.from({ length: 50_000 }, () => [12, 0, 1]).flat();
    const bytes = Uint8Array.from([12, 0, 1, 12, 0, 99, ...nested]);
    const error = wireErrorOf(decodeThriftBatch, bytes);
    expect([error.code, error.message]).toEqual(['too_deep', expect.stringContaining('64, the limit maxDepth')]);
    expect(wireErrorOf(decodeThriftBatch, bytes, { maxDepth: 3 }).message).toContain('3, the limit maxDepth');
  });

  it('scopes of their own for very many spans cost no more than their number', () => {
    const spans = Array.from({ length: 20_000 }, (_, i) => ({ tags: [['otel.scope.name', `scope ${i}`]] as const }));
    const batch = new SpanBatch();
    decodeThriftBatch(binaryBytes(batchFields(spans)), batch);
    expect(batch.scopeTable.count).toBe(20_000);
  });
});

describe('beside the spans', () => {
  it('the client’s sequence number and losses are told', () => {
    const stats = [5n, 6n, -1n].map((value, i) => ({ id: i + 1, value: { type: 10, value } as const }));
    const bytes = binaryBytes([
      ...batchFields([{}]),
      { id: 3, value: { type: 10, value: 41n } },
      { id: 4, value: { type: 12, value: stats } },
    ]);
    expect(decodeThriftBatch(bytes, new SpanBatch())).toEqual({
      spans: 1,
      sequenceNumber: 41n,
      clientStats: { fullQueueDroppedSpans: 5n, tooLargeDroppedSpans: 6n, failedToEmitSpans: -1n },
    });
    expect(decodeThriftBatch(binaryBytes(batchFields([])), new SpanBatch())).toEqual({
      spans: 0,
      sequenceNumber: undefined,
      clientStats: undefined,
    });
  });

  it('a tag of a type that is none has a text that says so', () => {
    const tags = tagList([['k', 'v']]);
    if (tags.type !== 15) throw new Error('no list');
    const [tag] = tags.value;
    if (tag?.type !== 12) throw new Error('no tag');
    tag.value[1] = { id: 2, value: { type: 8, value: -3 } };
    const [process, spans] = batchFields([{}]);
    const span = spans!.value;
    if (span.type !== 15 || span.value[0]?.type !== 12) throw new Error('no span');
    span.value[0].value.push({ id: 10, value: tags });
    const batch = new SpanBatch();
    decodeThriftBatch(binaryBytes([process!, spans!]), batch);
    expect(toPlain(batch)[0]!.attributes).toEqual([{ key: 'k', value: '<Unknown Jaeger TagType "-3">' }]);
  });

  it('Zipkin’s spans come in the same envelope', () => {
    const span = [
      { id: 1, value: { type: 10, value: 1n } as const },
      { id: 3, value: { type: 11, value: new TextEncoder().encode('get') } as const },
      { id: 4, value: { type: 10, value: 2n } as const },
    ];
    for (const { name, writer } of protocols) {
      const out = writer();
      out.message(new TextEncoder().encode('emitZipkinBatch'), 4, 0);
      writeStruct(out, [{ id: 1, value: { type: 15, of: 12, value: [{ type: 12, value: span }] } }]);
      const batch = new SpanBatch();
      const result = decodeAgentMessage(out.finish(), batch);
      expect([result.method, result.protocol, result.spans]).toEqual(['emitZipkinBatch', name, 1]);
      expect(toPlain(batch)[0]).toMatchObject({ name: 'get', spanId: '0000000000000002' });
    }
  });
});
