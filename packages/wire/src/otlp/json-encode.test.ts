import { SpanBatch, fromPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { encodeTracesJson } from './json-encode.ts';
import { decodeTraces } from './protobuf-decode.ts';
import { attribute, bytes, fixed64, message, number, raw, requestOfSpan, text } from './test/message.ts';

/** The JSON text of what a protobuf request holds. */
function jsonOf(request: Uint8Array): string {
  const batch = new SpanBatch();
  decodeTraces(request, batch);
  return new TextDecoder().decode(encodeTracesJson(batch));
}

/** The JSON text of the value of an attribute whose `AnyValue` has these fields. */
function valueJson(...anyValue: readonly Uint8Array[]): string {
  const json = jsonOf(requestOfSpan(attribute(9, 'k', ...anyValue)));
  const found = /"value":(.*)\}\],"status"/.exec(json);
  if (found?.[1] === undefined) throw new Error(`no value in ${json}`);
  return found[1];
}

describe('OTLP/JSON as written', () => {
  it('an empty batch is an empty object', () => {
    expect(new TextDecoder().decode(encodeTracesJson(fromPlain([])))).toBe('{}');
  });

  it('leaves out defaults but for ids, resource, scope and status', () => {
    expect(jsonOf(requestOfSpan())).toBe(
      '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"","spanId":"","parentSpanId":"","status":{}}]}]}]}',
    );
  });

  it('ids are lower-case hexadecimal, enums numbers, 64-bit integers text', () => {
    const span = requestOfSpan(
      message(1, new Uint8Array(16).fill(0xab)),
      message(2, new Uint8Array(8).fill(0xcd)),
      text(5, 'n'),
      number(6, 2),
      fixed64(7, 2n ** 64n - 1n),
      fixed64(8, 1_000_000n),
      message(15, text(2, 'm'), number(3, 2)),
      number(12, 5),
    );
    expect(jsonOf(span)).toContain(
      `{"traceId":"${'ab'.repeat(16)}","spanId":"${'cd'.repeat(8)}","parentSpanId":"","name":"n","kind":2,` +
        '"startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"1000000","droppedEventsCount":5,"status":{"message":"m","code":2}}',
    );
  });

  it.each([
    ['the empty value', '{}', []],
    ['an empty text', '{"stringValue":""}', [text(1, '')]],
    ['false', '{"boolValue":false}', [number(2, 0)]],
    ['zero', '{"intValue":"0"}', [number(3, 0)]],
    ['the smallest integer', '{"intValue":"-9223372036854775808"}', [number(3, -(2n ** 63n))]],
    ['a double', '{"doubleValue":0.1}', [fixed64(4, 0x3fb9_9999_9999_999an)]],
    ['minus zero', '{"doubleValue":-0}', [fixed64(4, 2n ** 63n)]],
    ['not a number', '{"doubleValue":"NaN"}', [fixed64(4, 0x7ff8_0000_0000_0000n)]],
    ['minus infinity', '{"doubleValue":"-Infinity"}', [fixed64(4, 0xfff0_0000_0000_0000n)]],
    ['bytes', '{"bytesValue":"AAH/"}', [message(7, raw(0, 1, 255))]],
    ['one byte', '{"bytesValue":"/w=="}', [message(7, raw(255))]],
    ['an empty array', '{"arrayValue":{}}', [message(5)]],
    [
      'an array',
      '{"arrayValue":{"values":[{"intValue":"1"},{},{"boolValue":true}]}}',
      [message(5, message(1, number(3, 1)), message(1), message(1, number(2, 1)))],
    ],
    [
      'a map',
      '{"kvlistValue":{"values":[{"key":"a","value":{"doubleValue":1}},{"key":"","value":{}}]}}',
      [message(6, message(1, text(1, 'a'), message(2, fixed64(4, 0x3ff0_0000_0000_0000n))), message(1))],
    ],
    [
      'an array within that came in parts',
      '{"arrayValue":{"values":[{"arrayValue":{"values":[{"intValue":"1"},{"intValue":"2"}]}}]}}',
      [
        message(
          5,
          message(1, text(1, 'gone'), message(5, message(1, number(3, 1))), message(5, message(1, number(3, 2)))),
        ),
      ],
    ],
  ])('%s is %s', (_, expected, fields) => {
    expect(valueJson(...fields)).toBe(expected);
  });

  it('texts are escaped, and other characters stay as they are', () => {
    expect(valueJson(text(1, '"\\\u0000\n\u001f/é漢😀'))).toBe('{"stringValue":"\\"\\\\\\u0000\\u000a\\u001f/é漢😀"}');
  });

  it.each([
    ['a lone continuation byte', raw(0x61, 0x80, 0x62), 'a\ufffdb'],
    ['an overlong slash', raw(0xc0, 0xaf), '\ufffd\ufffd'],
    ['an overlong three-byte form', raw(0xe0, 0x80, 0x80), '\ufffd\ufffd\ufffd'],
    ['half a surrogate pair', raw(0xed, 0xa0, 0x80), '\ufffd\ufffd\ufffd'],
    ['a code point behind the last', raw(0xf4, 0x90, 0x80, 0x80), '\ufffd\ufffd\ufffd\ufffd'],
    ['a sequence that is cut off', raw(0x61, 0xf0, 0x9f, 0x98), 'a\ufffd\ufffd\ufffd'],
  ])('%s becomes U+FFFD, as a UTF-8 decoder would have it', (_, invalid, shown) => {
    expect(new TextDecoder().decode(invalid).replaceAll('\ufffd', '')).toBe(shown.replaceAll('\ufffd', ''));
    expect(valueJson(message(1, invalid))).toBe(`{"stringValue":"${shown}"}`);
  });

  it('entity references', () => {
    const ref = message(3, text(1, 's'), text(2, 'host'), text(3, 'host.id'), text(4, 'a'), text(4, 'b'));
    const request = message(1, message(1, ref, message(3)), message(2, message(2)));
    expect(jsonOf(bytes(request))).toContain(
      '"entityRefs":[{"schemaUrl":"s","type":"host","idKeys":["host.id"],"descriptionKeys":["a","b"]},{}]',
    );
  });
});
