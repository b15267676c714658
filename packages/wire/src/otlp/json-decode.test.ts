import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeTracesJson, decodeTracesJsonLines } from './json-decode.ts';
import { decodedJson, jsonBytes, wireErrorOf } from './test/message.ts';

/** A request of one span with these members. */
function withSpan(span: unknown): unknown {
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

/** The JSON text of a request of one span whose members are given as text. */
function spanText(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
}

/** The value an attribute has whose `AnyValue` is given as JSON text. */
function valueOf(anyValue: string): unknown {
  return decodedJson(spanText(`"attributes":[{"key":"k","value":${anyValue}}]`))[0]?.attributes[0]?.value;
}

describe('malformed JSON', () => {
  it.each([
    ['nothing', '', 'truncated', 0],
    ['an array at the top', '[]', 'wrong_json_type', 0],
    ['a number at the top', '12', 'wrong_json_type', 0],
    ['null at the top', 'null', 'wrong_json_type', 0],
    ['no JSON at all', 'resourceSpans', 'invalid_json', 0],
    ['an object that does not end', '{"a":1', 'truncated', 6],
    ['a string that does not end', '{"a', 'truncated', 1],
    ['a comma before the end', '{"a":1,}', 'invalid_json', 7],
    ['a missing colon', '{"a" 1}', 'invalid_json', 5],
    ['a missing comma', '{"a":1 "b":2}', 'invalid_json', 7],
    ['an unquoted name', '{a:1}', 'invalid_json', 1],
    ['a misspelt literal', '{"a":nulL}', 'invalid_json', 5],
    ['a number with a leading zero', '{"a":01}', 'invalid_json', 5],
    ['a number without a fraction', '{"a":1.}', 'invalid_json', 5],
    ['a control character in a string', '{"a":"\n"}', 'invalid_json', 6],
    ['an unknown escape', '{"a":"\\x"}', 'invalid_json', 6],
    ['an escape with too few digits', '{"a":"\\u12"}', 'invalid_json', 6],
    ['something behind the request', '{} {}', 'invalid_json', 3],
  ])('%s fails with its code and byte offset', (_, input, code, offset) => {
    const error = wireErrorOf(() => decodedJson(input));
    expect(error.code).toBe(code);
    expect(error.details['offset']).toBe(offset);
  });

  it.each([
    ['an object where an array must be', { resourceSpans: {} }],
    ['a number as a name', withSpan({ name: 5 })],
    ['a text as attributes', withSpan({ attributes: 'x' })],
    ['a time that is negative', withSpan({ startTimeUnixNano: '-1' })],
    ['a time of 2^64', withSpan({ startTimeUnixNano: '18446744073709551616' })],
    ['a time that is no number', withSpan({ startTimeUnixNano: 'now' })],
    ['an empty time', withSpan({ startTimeUnixNano: '' })],
    ['a time with a fraction', withSpan({ startTimeUnixNano: 1.5 })],
    ['a dropped count of 2^32', withSpan({ droppedEventsCount: 4294967296 })],
    ['a kind nobody knows by name', withSpan({ kind: 'SPAN_KIND_SIDEWAYS' })],
    ['a kind beyond 32 bits', withSpan({ kind: 2147483648 })],
    ['an integer of 2^63', withSpan({ attributes: [{ key: 'k', value: { intValue: '9223372036854775808' } }] })],
    ['a text as bool', withSpan({ attributes: [{ key: 'k', value: { boolValue: 'true' } }] })],
    ['a word as double', withSpan({ attributes: [{ key: 'k', value: { doubleValue: 'inf' } }] })],
    ['bytes that are no base64', withSpan({ attributes: [{ key: 'k', value: { bytesValue: 'a*' } }] })],
    ['base64 of an impossible length', withSpan({ attributes: [{ key: 'k', value: { bytesValue: 'abcde' } }] })],
  ])('%s is refused', (_, request) => {
    expect(wireErrorOf(() => decodedJson(request)).code).toBe('wrong_json_type');
  });

  it.each([
    [{ traceId: 'abcd' }, 'unmarshal: invalid TraceID length'],
    [{ spanId: '00'.repeat(16) }, 'unmarshal: invalid SpanID length'],
    [{ parentSpanId: 'zz'.repeat(8) }, 'unmarshal: invalid SpanID'],
    [{ traceId: 'ASNFZ4mrze8BI0VniavN7w==' }, 'unmarshal: invalid TraceID length'],
    [{ links: [{ traceId: '0' }] }, 'unmarshal: invalid TraceID length'],
  ])('an id that is not hexadecimal of its length is refused: %j', (span, wording) => {
    const error = wireErrorOf(() => decodedJson(withSpan(span)));
    expect(error.code).toBe('invalid_id');
    expect(error.message).toContain(wording);
  });

  it('leaves what the batch held before as it was', () => {
    const batch = new SpanBatch();
    decodeTracesJson(
      jsonBytes(withSpan({ name: 'kept', attributes: [{ key: 'k', value: { stringValue: 'v' } }] })),
      batch,
    );
    const before = toPlain(batch);
    const bad = jsonBytes(
      withSpan({ name: 'lost', attributes: [{ key: 'x', value: { stringValue: 'lost' } }], kind: 'no' }),
    );
    expect(() => decodeTracesJson(bad, batch)).toThrow(WireError);
    expect(toPlain(batch)).toEqual(before);
  });

  it('nesting is limited in values and in what is skipped', () => {
    const array = (depth: number): string => (depth === 0 ? '{}' : `{"arrayValue":{"values":[${array(depth - 1)}]}}`);
    expect(valueOf(array(64))).toBeDefined();
    expect(wireErrorOf(() => valueOf(array(65))).code).toBe('too_deep');
    expect(wireErrorOf(() => decodedJson(`{"unknown":${'['.repeat(100_000)}`)).code).toBe('too_deep');
    expect(decodedJson(`{"unknown":${'['.repeat(64)}${']'.repeat(64)}}`)).toEqual([]);
  });

  it('spans and children are limited as in protobuf', () => {
    const request = jsonBytes(withSpan({ events: [{}, {}], links: [{}] }));
    expect(decodeTracesJson(request, new SpanBatch(), { maxSpans: 1, maxChildren: 5 })).toBe(1);
    expect(wireErrorOf(() => decodeTracesJson(request, new SpanBatch(), { maxSpans: 0 })).code).toBe('too_many_spans');
    expect(wireErrorOf(() => decodeTracesJson(request, new SpanBatch(), { maxChildren: 4 })).code).toBe(
      'too_many_children',
    );
  });
});

describe('what is accepted', () => {
  it('every member of every message, in lowerCamelCase', () => {
    const attributes = [{ key: 'k', value: { stringValue: 'v' } }];
    const [span] = decodedJson({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: '0102030405060708090A0b0c0d0e0f10',
                  spanId: 'A0A1A2A3A4A5A6A7',
                  parentSpanId: '5f5e5d5c5b5a5958',
                  traceState: 'a=1',
                  flags: 4294967295,
                  name: 'GET /',
                  kind: 3,
                  startTimeUnixNano: '18446744073709551615',
                  endTimeUnixNano: '1795219546178215586',
                  attributes,
                  droppedAttributesCount: 1,
                  events: [{ timeUnixNano: '7', name: 'e', attributes, droppedAttributesCount: 2 }],
                  droppedEventsCount: 3,
                  links: [
                    {
                      traceId: '0102030405060708090a0b0c0d0e0f10',
                      spanId: 'a0a1a2a3a4a5a6a7',
                      traceState: 'b=2',
                      attributes,
                      droppedAttributesCount: 4,
                      flags: 769,
                    },
                  ],
                  droppedLinksCount: 5,
                  status: { message: 'boom', code: 2 },
                },
              ],
              schemaUrl: 'scope-schema',
              scope: { name: 'lib', version: '1.0', attributes, droppedAttributesCount: 6 },
            },
          ],
          schemaUrl: 'resource-schema',
          resource: { attributes, droppedAttributesCount: 7 },
        },
      ],
    });
    const plainAttributes = [{ key: 'k', value: 'v' }];
    expect(span).toMatchObject({
      traceId: '0102030405060708090a0b0c0d0e0f10',
      spanId: 'a0a1a2a3a4a5a6a7',
      parentSpanId: '5f5e5d5c5b5a5958',
      traceState: 'a=1',
      flags: 0xffff_ffff,
      name: 'GET /',
      kind: 3,
      startUnixNano: 2n ** 64n - 1n,
      endUnixNano: 1_795_219_546_178_215_586n,
      attributes: plainAttributes,
      droppedAttributes: 1,
      events: [{ timeUnixNano: 7n, name: 'e', attributes: plainAttributes, droppedAttributes: 2 }],
      droppedEvents: 3,
      links: [
        {
          traceState: 'b=2',
          spanId: 'a0a1a2a3a4a5a6a7',
          attributes: plainAttributes,
          droppedAttributes: 4,
          flags: 769,
        },
      ],
      droppedLinks: 5,
      statusMessage: 'boom',
      statusCode: 2,
      scope: {
        name: 'lib',
        version: '1.0',
        schemaUrl: 'scope-schema',
        attributes: plainAttributes,
        droppedAttributes: 6,
      },
      resource: { schemaUrl: 'resource-schema', attributes: plainAttributes, droppedAttributes: 7 },
    });
  });

  it('snake_case names', () => {
    const request = {
      resource_spans: [
        {
          scope_spans: [{ spans: [{ trace_id: 'ab'.repeat(16), start_time_unix_nano: 5, dropped_links_count: 2 }] }],
          schema_url: 's',
        },
      ],
    };
    expect(decodedJson(request)).toMatchObject([
      { traceId: 'ab'.repeat(16), startUnixNano: 5n, droppedLinks: 2, resource: { schemaUrl: 's' } },
    ]);
    expect(valueOf('{"string_value":"x"}')).toBe('x');
  });

  it('names with escapes', () => {
    expect(decodedJson(spanText('"n\\u0061me":"x"'))).toMatchObject([{ name: 'x' }]);
  });

  it.each([
    ['"9223372036854775807"', 2n ** 63n - 1n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['-1', -1n],
    ['0', 0n],
    ['-0', 0n],
    ['1.50e2', 150n],
    ['"12e0"', 12n],
    ['0.0e5', 0n],
    ['10000000000000000.00', 10n ** 16n],
  ])('the integer %s without loss', (text, value) => {
    expect(valueOf(`{"intValue":${text}}`)).toBe(value);
  });

  it.each([
    ['0.1', 0.1],
    ['-0', -0],
    ['-0.0', -0],
    ['1e-7', 1e-7],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['0.1234567890123456789', 0.12345678901234568],
    ['"NaN"', NaN],
    ['"Infinity"', Infinity],
    ['"-Infinity"', -Infinity],
    ['"2.5"', 2.5],
    ['1e999', Infinity],
  ])('the double %s', (text, value) => {
    expect(valueOf(`{"doubleValue":${text}}`)).toBe(value);
  });

  it('enums by number, by number in a text, and by name', () => {
    expect(decodedJson(withSpan({ kind: '2', status: { code: 'STATUS_CODE_ERROR' } }))).toMatchObject([
      { kind: 2, statusCode: 2 },
    ]);
    expect(decodedJson(withSpan({ kind: 'SPAN_KIND_CONSUMER', status: { code: -1 } }))).toMatchObject([
      { kind: 5, statusCode: -1 },
    ]);
  });

  it('32-bit numbers as text', () => {
    expect(decodedJson(withSpan({ flags: '257', droppedAttributesCount: '3' }))).toMatchObject([
      { flags: 257, droppedAttributes: 3 },
    ]);
  });

  it('escapes, surrogate pairs among them', () => {
    expect(decodedJson(spanText('"name":"a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u6f22\\ud83d\\ude00z"'))).toMatchObject([
      { name: 'a"\\/\b\f\n\r\té漢😀z' },
    ]);
  });

  it('half a surrogate pair, as U+FFFD', () => {
    expect(decodedJson(spanText('"name":"\\ud83dx\\ude00\\ud83d\\u0041"'))).toMatchObject([
      { name: '\ufffdx\ufffd\ufffdA' },
    ]);
  });

  it('values of every type, nested too', () => {
    expect(valueOf('{"stringValue":""}')).toBe('');
    expect(valueOf('{"boolValue":true}')).toBe(true);
    expect(valueOf('{"bytesValue":"AP8="}')).toEqual(Uint8Array.of(0, 255));
    expect(valueOf('{"bytesValue":"-_-_"}')).toEqual(Uint8Array.of(251, 255, 191));
    expect(valueOf('{"bytesValue":"AP8"}')).toEqual(Uint8Array.of(0, 255));
    expect(
      valueOf(
        '{"arrayValue":{"values":[{"intValue":-1},null,{},{"doubleValue":0.5},{"boolValue":false},{"bytesValue":"AA=="}]}}',
      ),
    ).toEqual([-1n, null, null, 0.5, false, Uint8Array.of(0)]);
    const long = 'x'.repeat(20_000);
    expect(
      valueOf(
        `{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"${long}"}]}}},{"key":"b"}]}}`,
      ),
    ).toEqual({
      entries: [
        { key: 'a', value: [long] },
        { key: 'b', value: null },
      ],
    });
    expect(valueOf('{"arrayValue":{}}')).toEqual([]);
  });

  it('an absent value as the empty one, and null as absent everywhere', () => {
    expect(valueOf('{}')).toBeNull();
    expect(valueOf('null')).toBeNull();
    expect(valueOf('{"stringValue":null}')).toBeNull();
    expect(valueOf('{"intValue":"1","stringValue":null}')).toBe(1n);
    const nothing = decodedJson({
      resourceSpans: [
        null,
        {
          resource: null,
          scopeSpans: [
            null,
            { scope: null, spans: [null, { name: null, status: null, attributes: null, events: [null] }] },
          ],
        },
      ],
    });
    expect(nothing).toMatchObject([{ name: '', attributes: [], events: [] }]);
    expect(decodedJson({ resourceSpans: null })).toEqual([]);
  });

  it('the last of several members of a value', () => {
    expect(valueOf('{"stringValue":"x","intValue":"2"}')).toBe(2n);
    expect(valueOf('{"arrayValue":{"values":[{"intValue":"1","stringValue":"y"}]}}')).toEqual(['y']);
  });

  it('unknown members at any depth, instrumentationLibrarySpans among them', () => {
    const unknown = { x: [1, -2.5e3, 'a\\"b', true, false, null, { y: [] }] };
    const request = {
      ...unknown,
      resourceSpans: [
        {
          ...unknown,
          instrumentationLibrarySpans: [{ spans: [{ name: 'ignored' }] }],
          resource: unknown,
          scopeSpans: [
            {
              scope: unknown,
              spans: [
                {
                  ...unknown,
                  name: 'n',
                  attributes: [
                    { ...unknown, key: 'k', value: { ...unknown, arrayValue: { ...unknown, values: [unknown] } } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    };
    expect(decodedJson(request)).toMatchObject([{ name: 'n', attributes: [{ key: 'k', value: [null] }] }]);
  });

  it('entity references', () => {
    const entityRefs = [
      { schemaUrl: 's', type: 'host', idKeys: ['host.id'], descriptionKeys: ['host.name', 'os'] },
      { type: 'service' },
    ];
    const [span] = decodedJson({ resourceSpans: [{ resource: { entityRefs }, scopeSpans: [{ spans: [{}] }] }] });
    const text = (value: string): number[] => [value.length, ...jsonBytes(value)];
    const host = [
      0x0a,
      ...text('s'),
      0x12,
      ...text('host'),
      0x1a,
      ...text('host.id'),
      0x22,
      ...text('host.name'),
      0x22,
      ...text('os'),
    ];
    const service = [0x12, ...text('service')];
    expect(span?.resource.entityRefs).toEqual(
      Uint8Array.from([0x1a, host.length, ...host, 0x1a, service.length, ...service]),
    );
  });

  it('white space anywhere between tokens', () => {
    const text = JSON.stringify(withSpan({ name: 'n', kind: 1 }), null, '\t').replaceAll('\n', '\r\n ');
    expect(decodedJson(` \n${text}\n`)).toMatchObject([{ name: 'n', kind: 1 }]);
  });
});

describe('lines of JSON', () => {
  it('are decoded one after the other, blank lines and pretty-printed ones too', () => {
    const batch = new SpanBatch();
    const lines = [
      JSON.stringify(withSpan({ name: 'a' })),
      '',
      JSON.stringify(withSpan({ name: 'b' }), null, 2),
      '{}',
      '',
    ].join('\n');
    expect(decodeTracesJsonLines(jsonBytes(lines), batch)).toBe(2);
    expect(toPlain(batch).map((span) => span.name)).toEqual(['a', 'b']);
  });

  it('leave nothing behind when one of them is malformed, and the offset is that in the whole', () => {
    const batch = new SpanBatch();
    const first = JSON.stringify(withSpan({ name: 'a' }));
    const error = wireErrorOf(() => decodeTracesJsonLines(jsonBytes(`${first}\n[]`), batch));
    expect(error.details['offset']).toBe(first.length + 1);
    expect(batch.count).toBe(0);
  });

  it('may be none at all', () => {
    expect(decodeTracesJsonLines(jsonBytes('\n'), new SpanBatch())).toBe(0);
  });
});
