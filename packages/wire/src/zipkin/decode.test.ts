import { SpanBatch, SpanKind, StatusCode } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodeZipkin } from './decode.ts';
import { decodeZipkinV1Json, decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Protobuf } from './protobuf-encode.ts';
import { decodeZipkinV2Protobuf } from './protobuf-decode.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';
import { attributesOf, batchOf, jsonBytes, spansOf, wireErrorOf } from './test/spans.ts';

const ids = { traceId: '463ac35c9f6413ad48485a3953bb6124', id: 'a2fb4a1d1a96d312' };

/** The span that v2 members, beside ids, decode to. */
function spanOf(members: Record<string, unknown>, options: ZipkinDecodeOptions = {}): PlainSpan {
  const [span] = spansOf(
    (bytes, batch) => decodeZipkinV2Json(bytes, batch, options),
    jsonBytes([{ ...ids, ...members }]),
  );
  return span!;
}

function errorOf(input: unknown): { code: string; message: string; details: Readonly<Record<string, unknown>> } {
  return wireErrorOf(() => decodeZipkin(jsonBytes(input), new SpanBatch()));
}

describe('input that is no list of spans', () => {
  it.each([
    ['a single object', ids, 'wrong_json_type', 0],
    ['a single object after white space', '\n {}', 'wrong_json_type', 2],
    ['text', 'spans', 'unknown_format', 0],
    ['a number', '12', 'unknown_format', 0],
    ['white space alone', ' \r', 'unknown_format', 2],
    ['a list of numbers', '[1]', 'wrong_json_type', 1],
    ['a list of lists', '[[]]', 'wrong_json_type', 1],
    ['a list that does not end', '[', 'truncated', 1],
    ['two lists', '[][]', 'invalid_json', 2],
    ['a comma too many', '[{"traceId":"1","id":"2"},]', 'invalid_json', 26],
  ])('%s is refused with its code and byte offset', (_, input, code, offset) => {
    const error = errorOf(input);
    expect(error).toMatchObject({ code, details: { offset } });
  });

  it('says what a single object must become', () => {
    expect(errorOf(ids).message).toContain('Expected a list of spans, but found a single object: put it in [ ]');
  });
});

describe('ids', () => {
  it.each([
    [{ id: '1' }, 'a span lacks its traceId'],
    [{ traceId: '1' }, 'a span lacks its id'],
    [{ traceId: '', id: '1' }, 'traceId is empty'],
    [{ traceId: '1'.repeat(33), id: '1' }, 'traceId.length > 32'],
    [{ traceId: '0'.repeat(32), id: '1' }, 'traceId is all zeros'],
    [{ traceId: 'xyz', id: '1' }, 'traceId should be lower-hex encoded with no prefix'],
    [{ traceId: '0x12', id: '1' }, 'traceId should be lower-hex encoded with no prefix'],
    [{ traceId: '1', id: '' }, 'id is empty'],
    [{ traceId: '1', id: '1'.repeat(17) }, 'id.length > 16'],
    [{ traceId: '1', id: '0' }, 'id is all zeros'],
    [{ traceId: '1', id: '1', parentId: '1'.repeat(17) }, 'parentId.length > 16'],
  ])('%j is refused in v2', (span, wording) => {
    const error = errorOf([{ ...span, tags: {} }]);
    expect(error.code).toBe('invalid_id');
    expect(error.message).toContain(wording);
  });

  it.each([
    [{ traceId: '1'.repeat(33), id: '1' }, 'hex traceId span has wrong length (expected 16 or 32)'],
    [{ traceId: '0', id: '1' }, 'traceId is zero'],
    [{ traceId: '1', id: '1'.repeat(17) }, 'hex Id has wrong length (expected 16)'],
    [{ traceId: '1', id: '0000' }, 'ID is zero'],
    [{ id: '1' }, 'a span lacks its traceId'],
  ])('%j is refused in v1', (span, wording) => {
    const error = wireErrorOf(() => decodeZipkinV1Json(jsonBytes([span]), new SpanBatch()));
    expect(error.code).toBe('invalid_id');
    expect(error.message).toContain(wording);
  });

  it.each([
    ['1', '1'.padStart(32, '0')],
    ['48485a3953bb6124', '48485a3953bb6124'.padStart(32, '0')],
    ['3ac35c9f6413ad48485a3953bb6124', '003ac35c9f6413ad48485a3953bb6124'],
    ['463AC35C9F6413AD48485A3953BB6124', '463ac35c9f6413ad48485a3953bb6124'],
    [' 48485a3953bb6124 ', '48485a3953bb6124'.padStart(32, '0')],
  ])('%j is the trace id %s', (traceId, expected) => {
    expect(spanOf({ traceId }).traceId).toBe(expected);
  });

  it('a parent of zeros, an empty one and the span itself are no parent', () => {
    for (const parentId of ['0000000000000000', '', ids.id, null]) expect(spanOf({ parentId }).parentSpanId).toBe('');
    expect(spanOf({ parentId: 'ff' }).parentSpanId).toBe('00000000000000ff');
  });
});

describe('members of the wrong type', () => {
  it.each([
    [{ tags: { 'http.status_code': 200 } }, 'the value of tag "http.status_code" is not a string'],
    [{ tags: { flag: true } }, 'the value of tag "flag" is not a string'],
    [{ tags: [] }, 'an object'],
    [{ timestamp: 1.5 }, 'timestamp must be a whole number of microseconds'],
    [{ timestamp: -1 }, 'timestamp must be a whole number of microseconds'],
    [{ timestamp: 'now' }, 'timestamp must be a whole number of microseconds'],
    [{ duration: 1e30 }, 'duration must be a whole number of microseconds'],
    [{ annotations: [{ timestamp: true, value: 'x' }] }, 'a number'],
    [{ annotations: {} }, 'an array'],
    [{ name: 5 }, 'a string'],
    [{ kind: 5 }, 'a string'],
    [{ debug: 'true' }, 'true or false'],
    [{ localEndpoint: { port: 65_536 } }, 'invalid port 65536'],
    [{ localEndpoint: { port: -1 } }, 'a port'],
    [{ localEndpoint: 'here' }, 'an object'],
    [{ traceId: 5 }, 'a string'],
  ])('%j is refused', (members, wording) => {
    const error = wireErrorOf(() => spanOf(members));
    expect(error.code).toBe('wrong_json_type');
    expect(error.message).toContain(wording);
  });
});

describe('what is accepted', () => {
  it('an empty body and an empty list, as no spans', () => {
    expect(decodeZipkin(new Uint8Array(0), new SpanBatch())).toEqual({ spans: 0, format: 'v2_json' });
    expect(decodeZipkin(jsonBytes('\n[ ]\n'), new SpanBatch())).toEqual({ spans: 0, format: 'v2_json' });
  });

  it('unknown members, nulls, and members in any order with any white space', () => {
    const text = ` [ {"tags" : { "a" : "b" , "n" : null } , "x":[{"y":1}], "annotations":[null],
      "id":"2", "name":null, "traceId":"1", "timestamp":"7", "duration" : 3 } , null ]`;
    const [span] = spansOf(decodeZipkin, jsonBytes(text));
    expect(span).toMatchObject({ spanId: '0000000000000002', name: '', startUnixNano: 7000n, endUnixNano: 10_000n });
    expect(attributesOf(span!)).toEqual({ a: 'b', n: '' });
  });

  it('escapes in keys and values, also where the key before was guessed', () => {
    const text = `[{"traceId":"1","id":"2","tags":{"a\\u0022":"1","b":"2"}},{"traceId":"1","id":"2","tags":{"a\\"":"3","b":"\\n"}}]`;
    const spans = spansOf(decodeZipkin, jsonBytes(text)).map(attributesOf);
    expect(spans).toMatchObject([
      { 'a"': '1', b: '2' },
      { 'a"': '3', b: '\n' },
    ]);
  });

  it('protobuf that looks like JSON after a line end', () => {
    // 91 bytes of a span, whose length is the code of a bracket.
    const batch = batchOf(decodeZipkinV2Json, jsonBytes([{ ...ids, name: 'x'.repeat(0x5b - 30) }]));
    const bytes = encodeZipkinV2Protobuf(batch);
    expect([...bytes.subarray(0, 2)]).toEqual([0x0a, 0x5b]);
    expect(decodeZipkin(bytes, new SpanBatch())).toEqual({ spans: 1, format: 'v2_protobuf' });
  });

  it('the largest times there are, the last moment standing for any later', () => {
    const { startUnixNano, endUnixNano } = spanOf({ timestamp: '18446744073709551', duration: 1 });
    expect([startUnixNano, endUnixNano]).toEqual([18_446_744_073_709_551_000n, 2n ** 64n - 1n]);
    expect(spanOf({ timestamp: '18446744073709551615' }).startUnixNano).toBe(2n ** 64n - 1n);
  });

  it('a debug request marks protobuf spans and no others', () => {
    const bytes = encodeZipkinV2Protobuf(batchOf(decodeZipkinV2Json, jsonBytes([ids])));
    const marked = spansOf((input, batch) => decodeZipkinV2Protobuf(input, batch, { debug: true }), bytes);
    expect(attributesOf(marked[0]!)).toMatchObject({ 'clew.carrier.zipkin.debug': true });
    expect(attributesOf(spanOf({}, { debug: true }))).not.toHaveProperty('clew.carrier.zipkin.debug');
  });
});

describe('mapping of v2', () => {
  it('gives each service a resource, and each library a scope of its own', () => {
    const spans = [
      {
        ...ids,
        localEndpoint: { serviceName: 'a' },
        tags: { 'otel.library.name': 'lib', 'otel.library.version': '1' },
      },
      { ...ids, localEndpoint: { serviceName: 'b' } },
      { ...ids, localEndpoint: { serviceName: 'a' } },
      { ...ids },
      {
        ...ids,
        localEndpoint: { serviceName: 'a' },
        tags: { 'otel.library.name': 'lib', 'otel.library.version': '1' },
      },
    ];
    const batch = batchOf(decodeZipkin, jsonBytes(spans));
    expect([batch.resourceTable.count, batch.scopeTable.count]).toEqual([3, 4]);
    const decoded = spansOf(decodeZipkin, jsonBytes(spans));
    expect(decoded.map(({ resource }) => resource.attributes[0]?.value)).toEqual(['a', 'b', 'a', undefined, 'a']);
    expect(decoded.map(({ scope }) => `${scope.name} ${scope.version}`)).toEqual(['lib 1', ' ', ' ', ' ', 'lib 1']);
    expect(decoded[0]!.attributes.map(({ key }) => key)).toEqual(['otel.zipkin.absentField.startTime']);
  });

  it('puts a service name under the attribute it came from', () => {
    const tags = (source: string): PlainSpan =>
      spanOf({ localEndpoint: { serviceName: 'f' }, tags: { 'otlp.service.name.source': source } });
    expect(tags('faas.name').resource.attributes).toEqual([{ key: 'faas.name', value: 'f' }]);
    expect(tags('other').resource.attributes).toEqual([{ key: 'service.name', value: 'f' }]);
    expect(attributesOf(tags('other'))).toMatchObject({ 'otlp.service.name.source': 'other' });
  });

  it('keeps endpoints as attributes of the current names', () => {
    const span = spanOf({
      timestamp: 1,
      localEndpoint: { serviceName: 'a', ipv4: '10.0.0.5', port: 80 },
      remoteEndpoint: { serviceName: 'b', ipv4: '10.0.0.9', ipv6: '2001:db8::1', port: 5432 },
    });
    expect(attributesOf(span)).toEqual({
      'network.local.address': '10.0.0.5',
      'net.host.port': 80n,
      'service.peer.name': 'b',
      'network.peer.address': '2001:db8::1',
      'clew.carrier.zipkin.peer_ipv4': '10.0.0.9',
      'net.peer.port': 5432n,
    });
    const local = spanOf({ timestamp: 1, localEndpoint: { ipv4: '10.0.0.5', ipv6: '2001:db8::2' } });
    expect(attributesOf(local)).toEqual({
      'network.local.address': '2001:db8::2',
      'clew.carrier.zipkin.local_ipv4': '10.0.0.5',
    });
  });

  it.each([
    ['CLIENT', SpanKind.CLIENT],
    ['SERVER', SpanKind.SERVER],
    ['PRODUCER', SpanKind.PRODUCER],
    ['CONSUMER', SpanKind.CONSUMER],
    ['server', SpanKind.SERVER],
    ['SIDEWAYS', SpanKind.UNSPECIFIED],
    ['', SpanKind.UNSPECIFIED],
  ])('kind %j is %i', (kind, expected) => {
    expect(spanOf({ kind }).kind).toBe(expected);
  });

  it('knows an internal span by its tag, when it has no kind', () => {
    expect(spanOf({ tags: { 'span.kind': 'internal' } })).toMatchObject({ kind: SpanKind.INTERNAL });
    expect(spanOf({ kind: 'SERVER', tags: { 'span.kind': 'internal' } })).toMatchObject({ kind: SpanKind.SERVER });
    expect(spanOf({ tags: { 'span.kind': 'server' } })).toMatchObject({ kind: SpanKind.UNSPECIFIED });
  });

  const { UNSET, OK, ERROR } = StatusCode;
  it.each([
    [{}, UNSET, '', []],
    [{ error: 'true' }, ERROR, '', []],
    [{ error: 'false' }, UNSET, '', ['error']],
    [{ error: '' }, ERROR, '', ['error']],
    [{ error: 'refused' }, ERROR, 'refused', ['error']],
    [{ 'otel.status_code': 'STATUS_CODE_OK' }, OK, '', []],
    [{ 'otel.status_code': 'Ok' }, OK, '', ['otel.status_code']],
    [{ 'otel.status_code': 'ERROR' }, ERROR, '', ['otel.status_code']],
    [{ 'otel.status_code': 'ERROR', error: 'refused' }, ERROR, 'refused', ['otel.status_code', 'error']],
    [{ 'otel.status_code': 'nonsense' }, UNSET, '', ['otel.status_code']],
    [{ 'otel.status_code': '2' }, UNSET, '', ['otel.status_code']],
    [{ 'otel.status_code': 'STATUS_CODE_OK', error: 'true' }, ERROR, '', ['otel.status_code']],
    [{ error: 'true', 'otel.status_code': 'STATUS_CODE_ERROR', 'otel.status_description': 'why' }, ERROR, 'why', []],
    [{ 'otel.status_description': 'why' }, UNSET, '', ['otel.status_description']],
  ])('tags %j give status %i and message %j, and %j stay', (tags, code, message, rest) => {
    const span = spanOf({ timestamp: 1, tags });
    expect(span).toMatchObject({ statusCode: code, statusMessage: message });
    expect(span.attributes.map(({ key }) => key)).toEqual(
      rest.toSorted((a, b) => Object.keys(tags).indexOf(a) - Object.keys(tags).indexOf(b)),
    );
  });

  it('makes an event with attributes of the form the OpenTelemetry exporter writes, and of no other', () => {
    const values = [
      'plain',
      'e|{"i":9007199254740993,"d":2.0,"s":"x","l":[1,null],"m":{"k":true}}|2',
      'a|b|c',
      'e|{}|0',
      'e|{bad}|1',
    ];
    const { events } = spanOf({ annotations: values.map((value, at) => ({ timestamp: at + 1, value })) });
    expect(events.map(({ name }) => name)).toEqual(['plain', 'e', 'a|b|c', 'e|{}|0', 'e|{bad}|1']);
    expect(events[1]).toMatchObject({
      timeUnixNano: 2000n,
      droppedAttributes: 2,
      attributes: [
        { key: 'i', value: 9_007_199_254_740_993n },
        { key: 'd', value: 2 },
        { key: 's', value: 'x' },
        { key: 'l', value: [1n, null] },
        { key: 'm', value: { entries: [{ key: 'k', value: true }] } },
      ],
    });
  });

  it('makes links of numbered tags as far as they follow each other', () => {
    const link = (span: string): string => `463ac35c9f6413ad48485a3953bb6124|${span}|a=b|{"k":1}|4`;
    const span = spanOf({
      timestamp: 1,
      tags: {
        'otlp.link.1': link('0000000000000002'),
        'otlp.link.0': link('0000000000000001'),
        'otlp.link.3': link('0000000000000003'),
      },
    });
    expect(span.links.map(({ spanId }) => spanId)).toEqual(['0000000000000001', '0000000000000002']);
    expect(span.links[0]).toMatchObject({
      traceState: 'a=b',
      droppedAttributes: 4,
      attributes: [{ key: 'k', value: 1n }],
    });
    expect(span.attributes.map(({ key }) => key)).toEqual(['otlp.link.3']);
    expect(spanOf({ tags: { 'otlp.link.0': 'nonsense' } }).links).toEqual([]);
  });

  it('keeps what OpenTelemetry has no field for beside the attributes', () => {
    const span = spanOf({ timestamp: 0, duration: 2, shared: true, debug: true, tags: { 'w3c.tracestate': 'a=b' } });
    expect(span).toMatchObject({ startUnixNano: 0n, endUnixNano: 2000n, traceState: 'a=b' });
    expect(attributesOf(span)).toEqual({
      'otel.zipkin.absentField.startTime': true,
      'clew.carrier.zipkin.shared': true,
      'clew.carrier.zipkin.debug': true,
    });
  });

  it('gives tags the type of their text only when asked to', () => {
    const tags = {
      i: '42',
      n: '-7',
      d: '2.50',
      t: 'true',
      z: '007',
      big: '9223372036854775808',
      max: '-9223372036854775808',
      e: '1e3',
      s: 'x',
      neg: '-0',
    };
    expect(attributesOf(spanOf({ timestamp: 1, tags }))).toEqual(tags);
    expect(attributesOf(spanOf({ timestamp: 1, tags }, { parseStringTags: true }))).toEqual({
      ...tags,
      i: 42n,
      n: -7n,
      d: 2.5,
      t: true,
      max: -(2n ** 63n),
    });
  });
});
