import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeTraces } from './protobuf-decode.ts';
import {
  attribute,
  bytes,
  decoded,
  decodedSpan,
  fixed32,
  fixed64,
  group,
  message,
  number,
  raw,
  requestOfSpan,
  text,
  varint,
  wireErrorOf,
} from './test/message.ts';

const traceId = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const spanId = Uint8Array.from({ length: 8 }, (_, i) => i + 0xa0);

/** Nested `ArrayValue`s around a text: an `AnyValue` with `levels` arrays. */
function nestedArrays(levels: number): Uint8Array {
  let value = text(1, 'deep');
  for (let i = 0; i < levels; i++) value = message(5, message(1, value));
  return value;
}

describe('malformed protobuf', () => {
  it.each([
    ['a varint that ends with the input', raw(0x0a, 0x80), 'truncated', 1],
    ['a length past the end of the request', raw(0x0a, 0x05, 0x00), 'truncated', 1],
    ['a length of 2^63', bytes(raw(0x0a), varint(2n ** 63n)), 'truncated', 1],
    ['a varint of eleven bytes', bytes(raw(0x78), new Uint8Array(10).fill(0x80), raw(0)), 'invalid_varint', 1],
    ['the field number 0', raw(0x02, 0x00), 'invalid_tag', 1],
    ['a field number above 2^29', bytes(varint(2n ** 33n), raw(0)), 'invalid_tag', 0],
    ['wire type 6', raw(0x7e, 0x00), 'invalid_tag', 1],
    ['a group that does not end', raw(0x7b, 0x08, 0x01), 'truncated', 1],
    ['a group with the end tag of another', raw(0x7b, 0x84, 0x01), 'invalid_group', 1],
    ['an end of group on its own', raw(0x7c), 'invalid_group', 1],
    ['a request field of the wrong wire type', raw(0x08, 0x01), 'wrong_wire_type', 1],
  ])('%s fails with its code and byte offset', (_, input, code, offset) => {
    const error = wireErrorOf(() => decoded(input));
    expect(error.code).toBe(code);
    expect(error.details['offset']).toBe(offset);
    expect(error.message).toContain(`at byte ${offset}`);
  });

  it.each([
    ['trace_id as varint', number(1, 1)],
    ['name as fixed32', fixed32(5, 1)],
    ['kind as bytes', text(6, 'x')],
    ['start time as varint', number(7, 5)],
    ['end time as bytes', message(8, new Uint8Array(8))],
    ['attributes as varint', number(9, 5)],
    ['dropped count as fixed64', fixed64(10, 1n)],
    ['flags as varint', number(16, 5)],
    ['flags as bytes', text(16, 'abcd')],
    ['event time as varint', message(11, number(1, 5))],
    ['link flags as varint', message(13, number(6, 5))],
    ['status code as fixed32', message(15, fixed32(3, 1))],
    ['attribute key as varint', message(9, number(1, 5))],
    ['attribute value as varint', message(9, text(1, 'k'), number(2, 5))],
    ['a double of four bytes', attribute(9, 'k', fixed32(4, 1))],
    ['a text inside an array as varint', attribute(9, 'k', message(5, message(1, number(1, 5))))],
    ['the key inside a map as varint', attribute(9, 'k', message(6, message(1, number(1, 5))))],
  ])('a known field of the wrong wire type is an error: %s', (_, field) => {
    expect(wireErrorOf(() => decoded(requestOfSpan(field))).code).toBe('wrong_wire_type');
  });

  it.each([
    ['trace', requestOfSpan(message(1, new Uint8Array(15))), 'unmarshal: invalid TraceID length'],
    ['span', requestOfSpan(message(2, new Uint8Array(9))), 'unmarshal: invalid SpanID length'],
    ['parent span', requestOfSpan(message(4, new Uint8Array(16))), 'unmarshal: invalid SpanID length'],
    ['linked trace', requestOfSpan(message(13, message(1, new Uint8Array(8)))), 'unmarshal: invalid TraceID length'],
  ])('a %s id of the wrong length fails the request', (_, request, wording) => {
    const error = wireErrorOf(() => decoded(request));
    expect(error.code).toBe('invalid_id');
    expect(error.message).toContain(wording);
  });

  it('leaves what the batch held before, and its dictionary, as they were', () => {
    const batch = new SpanBatch();
    decodeTraces(requestOfSpan(text(5, 'kept'), attribute(9, 'k', text(1, 'v'))), batch);
    const before = toPlain(batch);
    const strings = batch.strings.count;
    const bad = bytes(requestOfSpan(text(5, 'lost'), attribute(9, 'lost key', text(1, 'x'))), raw(0x0a, 0x7f));
    expect(() => decodeTraces(bad, batch)).toThrow(WireError);
    expect(toPlain(batch)).toEqual(before);
    expect(batch.strings.count).toBe(strings);
    decodeTraces(requestOfSpan(text(5, 'next')), batch);
    expect(toPlain(batch).map((span) => span.name)).toEqual(['kept', 'next']);
  });

  it('lets go of a borrowed body when the request fails', () => {
    const batch = new SpanBatch();
    expect(() => decodeTraces(raw(0x0a, 0x7f), batch)).toThrow(WireError);
    expect(batch.heapOwned).toBe(true);
    expect(batch.heapLength).toBe(0);
  });
});

describe('limits', () => {
  it('arrays may nest 64 deep by default and no deeper', () => {
    expect(decoded(requestOfSpan(attribute(9, 'k', nestedArrays(64))))).toHaveLength(1);
    const error = wireErrorOf(() => decoded(requestOfSpan(attribute(9, 'k', nestedArrays(65)))));
    expect(error.code).toBe('too_deep');
    expect(error.message).toMatch(/64, the limit maxDepth/);
  });

  it('groups to be skipped may not nest without end', () => {
    const groups = bytes(new Uint8Array(100_000).fill(0x7b));
    expect(wireErrorOf(() => decoded(groups)).code).toBe('too_deep');
  });

  it('arrays nested far deeper are refused by the same rule', () => {
    expect(wireErrorOf(() => decoded(requestOfSpan(attribute(9, 'k', nestedArrays(1_000))))).code).toBe('too_deep');
  });

  it('more spans than maxSpans are refused, naming limit and value', () => {
    const batch = new SpanBatch();
    const request = message(1, message(2, raw(0x12, 0, 0x12, 0, 0x12, 0)));
    expect(decodeTraces(request, batch, { maxSpans: 3 })).toBe(3);
    const error = wireErrorOf(() => decodeTraces(request, batch, { maxSpans: 2 }));
    expect(error.code).toBe('too_many_spans');
    expect(error.details).toMatchObject({ limit: 'maxSpans', value: 2 });
    expect(batch.count).toBe(3);
  });

  it('more events, links, scopes and resources than maxChildren are refused', () => {
    const request = requestOfSpan(raw(0x5a, 0, 0x5a, 0, 0x6a, 0));
    expect(decodeTraces(request, new SpanBatch(), { maxChildren: 5 })).toBe(1);
    expect(wireErrorOf(() => decodeTraces(request, new SpanBatch(), { maxChildren: 4 })).code).toBe(
      'too_many_children',
    );
  });
});

describe('what is kept', () => {
  it('an empty request and an empty span are valid', () => {
    expect(decoded(new Uint8Array(0))).toEqual([]);
    expect(decodedSpan(requestOfSpan())).toMatchObject({ traceId: '', spanId: '', parentSpanId: '', name: '' });
  });

  it('every scalar of a span', () => {
    const span = decodedSpan(
      requestOfSpan(
        message(1, traceId),
        message(2, spanId),
        text(3, 'a=1'),
        message(
          4,
          spanId.map((byte) => byte ^ 0xff),
        ),
        text(5, 'GET /'),
        number(6, 3),
        fixed64(7, 2n ** 64n - 1n),
        fixed64(8, 1_795_219_546_178_215_586n),
        number(10, 4_000_000_000),
        number(12, 2),
        number(14, 3),
        message(15, text(2, 'boom'), number(3, 2)),
        fixed32(16, 0xffff_ffff),
      ),
    );
    expect(span).toMatchObject({
      traceId: '0102030405060708090a0b0c0d0e0f10',
      spanId: 'a0a1a2a3a4a5a6a7',
      parentSpanId: '5f5e5d5c5b5a5958',
      traceState: 'a=1',
      name: 'GET /',
      kind: 3,
      startUnixNano: 2n ** 64n - 1n,
      endUnixNano: 1_795_219_546_178_215_586n,
      droppedAttributes: 4_000_000_000,
      droppedEvents: 2,
      droppedLinks: 3,
      statusCode: 2,
      statusMessage: 'boom',
      flags: 0xffff_ffff,
    });
  });

  it('enum numbers nobody assigned, negative ones included', () => {
    expect(decodedSpan(requestOfSpan(number(6, -2), message(15, number(3, 77))))).toMatchObject({
      kind: -2,
      statusCode: 77,
    });
  });

  it('values of every type, the empty one apart from the empty text, duplicates in order', () => {
    const span = decodedSpan(
      requestOfSpan(
        attribute(9, 'k', text(1, 'one')),
        attribute(9, 'k', text(1, '')),
        attribute(9, 'empty'),
        message(9, text(1, 'no value')),
        attribute(9, 'yes', number(2, 1)),
        attribute(9, 'no', number(2, 0)),
        attribute(9, 'int', number(3, -(2n ** 63n))),
        attribute(9, 'double', fixed64(4, 0x3ff8_0000_0000_0000n)),
        attribute(9, 'bytes', message(7, raw(0, 255))),
        attribute(9, 'array', message(5, message(1, text(1, 'a')), message(1))),
        attribute(9, 'map', message(6, message(1, text(1, 'x'), message(2, number(3, 5))))),
      ),
    );
    expect(span.attributes).toEqual([
      { key: 'k', value: 'one' },
      { key: 'k', value: '' },
      { key: 'empty', value: null },
      { key: 'no value', value: null },
      { key: 'yes', value: true },
      { key: 'no', value: false },
      { key: 'int', value: -(2n ** 63n) },
      { key: 'double', value: 1.5 },
      { key: 'bytes', value: raw(0, 255) },
      { key: 'array', value: ['a', null] },
      { key: 'map', value: { entries: [{ key: 'x', value: 5n }] } },
    ]);
  });

  it('integers and bools of every length a varint can have, longer than they need be too', () => {
    const integers = [0n, 1n, 2n, 127n, 128n, 200n, 16_383n, 16_384n, 2n ** 32n, 2n ** 63n - 1n, -1n];
    const fields = integers.map((value) => attribute(9, 'i', number(3, value)));
    const long = [
      attribute(9, 'i', raw(0x18, 0x81, 0x00)),
      attribute(9, 'b', raw(0x10, 0x81, 0x00)),
      attribute(9, 'b', raw(0x10, 2)),
    ];
    expect(decodedSpan(requestOfSpan(...fields, ...long)).attributes.map(({ value }) => value)).toEqual([
      ...integers,
      1n,
      true,
      true,
    ]);
  });

  it('keys and values longer than 127 bytes', () => {
    const long = 'x'.repeat(300);
    expect(
      decodedSpan(requestOfSpan(attribute(9, long, text(1, long)), attribute(9, long, text(1, 'b')))).attributes,
    ).toEqual([
      { key: long, value: long },
      { key: long, value: 'b' },
    ]);
  });

  it('the last of several members of a oneof, and of a repeated scalar', () => {
    const span = decodedSpan(
      requestOfSpan(
        text(5, 'first'),
        attribute(9, 'k', text(1, 'text'), number(3, 7)),
        attribute(9, 'n', number(3, 7), text(1, 'text')),
        message(9, text(1, 'early'), text(1, 'late')),
        text(5, 'last'),
        number(6, 1),
        number(6, 2),
      ),
    );
    expect(span).toMatchObject({ name: 'last', kind: 2 });
    expect(span.attributes).toEqual([
      { key: 'k', value: 7n },
      { key: 'n', value: 'text' },
      { key: 'late', value: null },
    ]);
  });

  it('a singular message that comes in parts, merged', () => {
    const span = decodedSpan(
      requestOfSpan(
        message(15, text(2, 'first')),
        message(15, number(3, 2)),
        message(9, text(1, 'k'), message(2, text(1, 'kept')), message(2)),
        attribute(9, 'list', message(5, message(1, text(1, 'a'))), message(5, message(1, text(1, 'b')))),
        attribute(9, 'reset', message(5, message(1, text(1, 'a'))), text(1, 'x'), message(5, message(1, text(1, 'b')))),
      ),
    );
    expect(span).toMatchObject({ statusMessage: 'first', statusCode: 2 });
    expect(span.attributes).toEqual([
      { key: 'k', value: 'kept' },
      { key: 'list', value: ['a', 'b'] },
      { key: 'reset', value: ['b'] },
    ]);
  });

  it('an array that comes in parts of several values, or is replaced after all', () => {
    const part = (value: string) => message(5, message(1, text(1, value)));
    const span = decodedSpan(
      requestOfSpan(
        message(9, text(1, 'values'), message(2, part('a')), message(2, part('b'), part('c')), message(2)),
        message(9, message(2, part('a'), part('b'), text(1, 'x')), text(1, 'text'), message(2, text(1, 'y'))),
        attribute(9, 'int', part('a'), part('b'), number(3, 7), number(3, 8)),
        attribute(9, 'map', part('a'), part('b'), message(6), message(6, message(1, text(1, 'k')))),
        attribute(9, 'plain', text(1, 'z')),
      ),
    );
    expect(span.attributes).toEqual([
      { key: 'values', value: ['a', 'b', 'c'] },
      { key: 'text', value: 'y' },
      { key: 'int', value: 8n },
      { key: 'map', value: { entries: [{ key: 'k', value: null }] } },
      { key: 'plain', value: 'z' },
    ]);
  });

  it('a value or entity references in very many parts, in no more time than their bytes take', () => {
    const parts = 200_000;
    const many = (part: Uint8Array): Uint8Array => {
      const whole = new Uint8Array(part.length * parts);
      for (let i = 0; i < parts; i++) whole.set(part, i * part.length);
      return whole;
    };
    const bytesOf = (field: number, body: Uint8Array): Uint8Array[] => [
      varint((field << 3) | 2),
      varint(body.length),
      body,
    ];
    const join = (pieces: readonly Uint8Array[]): Uint8Array => Buffer.concat(pieces);
    const scattered = join(bytesOf(1, many(raw(0x1a, 2, 0x12, 0, 0x10, 1))));
    const values = join(bytesOf(9, join(bytesOf(2, many(raw(0x2a, 2, 0x0a, 0))))));
    const span = join(bytesOf(2, join(bytesOf(2, values))));
    const batch = new SpanBatch();
    expect(decodeTraces(join(bytesOf(1, join([scattered, span]))), batch)).toBe(1);
    expect(batch.resourceTable.entityRefs[1]).toBe(parts * 4);
    expect(batch.spanAttrs.hi[0]).toBe(parts * 2);
  });

  it('repeated fields that are interleaved, in their order', () => {
    const span = decodedSpan(
      requestOfSpan(
        attribute(9, 'a', text(1, '1')),
        message(11, text(2, 'e1'), attribute(3, 'x', text(1, '1'))),
        message(13, message(2, spanId), attribute(4, 'l', number(2, 1))),
        attribute(9, 'b', text(1, '2')),
        message(11, attribute(3, 'y', text(1, '2')), text(2, 'e2'), fixed64(1, 5n), number(4, 6)),
        message(13, message(1, traceId), text(3, 'ts'), number(5, 8), fixed32(6, 0x301)),
      ),
    );
    expect(span.attributes.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(span.events).toMatchObject([
      { name: 'e1', attributes: [{ key: 'x', value: '1' }] },
      { name: 'e2', timeUnixNano: 5n, droppedAttributes: 6, attributes: [{ key: 'y', value: '2' }] },
    ]);
    expect(span.links).toMatchObject([
      { spanId: 'a0a1a2a3a4a5a6a7', attributes: [{ key: 'l', value: true }] },
      { traceState: 'ts', droppedAttributes: 8, flags: 0x301 },
    ]);
  });

  it('a resource that comes after its spans, and in parts', () => {
    const request = message(
      1,
      message(2, message(2, text(5, 'span'))),
      message(1, attribute(1, 'a', text(1, '1'))),
      text(3, 'https://schema'),
      message(1, attribute(1, 'b', text(1, '2')), number(2, 9)),
    );
    expect(decodedSpan(request).resource).toMatchObject({
      attributes: [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ],
      droppedAttributes: 9,
      schemaUrl: 'https://schema',
    });
  });

  it('scopes with everything they carry, each span at its own', () => {
    const scope = (name: string) =>
      message(
        2,
        message(2, text(5, `${name}-span`)),
        message(1, text(1, name), text(2, '1.0'), attribute(3, 'k', text(1, name)), number(4, 3)),
        text(3, `schema-${name}`),
      );
    expect(decoded(message(1, scope('one'), scope('two')))).toMatchObject(
      ['one', 'two'].map((name) => ({
        name: `${name}-span`,
        scope: {
          name,
          version: '1.0',
          schemaUrl: `schema-${name}`,
          droppedAttributes: 3,
          attributes: [{ key: 'k', value: name }],
        },
      })),
    );
  });

  it('instrumentation_library_spans (field 1000) like scope_spans', () => {
    const span = decodedSpan(message(1, message(1000, message(1, text(1, 'lib')), message(2, text(5, 'old')))));
    expect(span).toMatchObject({ name: 'old', scope: { name: 'lib' } });
  });

  it('entity references as they were sent, also when something stands between them', () => {
    const first = message(3, text(2, 'host'), text(3, 'host.id'));
    const second = message(3, text(2, 'service'));
    const together = message(1, message(1, first, second), message(2, message(2)));
    const apart = message(1, message(1, first, attribute(1, 'k', text(1, 'v')), second), message(2, message(2)));
    expect(decodedSpan(together).resource.entityRefs).toEqual(bytes(first, second));
    expect(decodedSpan(apart).resource).toMatchObject({
      entityRefs: bytes(first, second),
      attributes: [{ key: 'k', value: 'v' }],
    });
  });

  it('strings that are no valid UTF-8, as bytes', () => {
    const batch = new SpanBatch();
    decodeTraces(
      requestOfSpan(message(5, raw(0xff, 0xfe)), message(9, message(1, raw(0x80)), message(2, message(1, raw(0xc0))))),
      batch,
    );
    expect(batch.strings.equals(batch.names[0]!, raw(0xff, 0xfe), 0, 2)).toBe(true);
    expect(batch.heap[batch.spanAttrs.lo[0]!]).toBe(0xc0);
  });

  it('tags and lengths written longer than they need be', () => {
    const span = decodedSpan(requestOfSpan(raw(0xaa, 0x80, 0x00), raw(0x82, 0x80, 0x00), raw(0x68, 0x69)));
    expect(span.name).toBe('hi');
  });

  it('nothing of unknown fields of any wire type, at any level', () => {
    const unknown = bytes(
      number(500, 1),
      fixed64(501, 1n),
      message(502, raw(1, 2, 3)),
      fixed32(503, 1),
      group(504, number(1, 1), group(1, message(2, raw(9)))),
    );
    const value = bytes(unknown, message(5, unknown, message(1, unknown, text(1, 'v'))), unknown);
    const attributes = message(9, unknown, text(1, 'k'), unknown, message(2, value), unknown);
    const request = bytes(
      unknown,
      message(
        1,
        unknown,
        message(1, unknown),
        message(
          2,
          unknown,
          message(1, unknown, text(1, 's')),
          message(
            2,
            unknown,
            text(5, 'n'),
            attributes,
            message(11, unknown),
            message(13, unknown),
            message(15, unknown),
            unknown,
          ),
        ),
      ),
      unknown,
    );
    expect(decodedSpan(request)).toMatchObject({
      name: 'n',
      scope: { name: 's' },
      attributes: [{ key: 'k', value: ['v'] }],
      events: [{ name: '' }],
      links: [{ spanId: '' }],
    });
  });

  it('rows of several requests in one batch, values of all', () => {
    const batch = new SpanBatch();
    for (const name of ['a', 'b', 'c']) {
      expect(decodeTraces(requestOfSpan(text(5, name), attribute(9, 'k', text(1, `v${name}`))), batch)).toBe(1);
    }
    expect(toPlain(batch)).toMatchObject(
      ['a', 'b', 'c'].map((name) => ({ name, attributes: [{ key: 'k', value: `v${name}` }] })),
    );
  });

  it('a Buffer that is a window into a larger one', () => {
    const request = requestOfSpan(text(5, 'window'), attribute(9, 'k', text(1, 'v')));
    const larger = Buffer.concat([Buffer.alloc(7), request, Buffer.alloc(9)]);
    const batch = new SpanBatch();
    decodeTraces(larger.subarray(7, 7 + request.length), batch);
    expect(toPlain(batch)).toMatchObject([{ name: 'window', attributes: [{ key: 'k', value: 'v' }] }]);
  });
});
