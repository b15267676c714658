import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodePartialSuccess, encodePartialSuccess } from './partial-success.ts';
import { bytes, jsonBytes, message, number, raw, text, wireErrorOf } from './test/message.ts';

const none = { rejected: 0n, message: '' };
const asText = (json: Uint8Array): string => new TextDecoder().decode(json);

describe('the response of an export', () => {
  it('that is malformed fails with a WireError', () => {
    expect(wireErrorOf(() => decodePartialSuccess(raw(0x0a, 0x05), 'protobuf')).code).toBe('truncated');
    expect(wireErrorOf(() => decodePartialSuccess(message(1, text(1, 'x')), 'protobuf')).code).toBe('wrong_wire_type');
    expect(wireErrorOf(() => decodePartialSuccess(jsonBytes('[]'), 'json')).code).toBe('wrong_json_type');
    expect(() => decodePartialSuccess(jsonBytes('{"partialSuccess":{"rejectedSpans":"many"}}'), 'json')).toThrow(
      WireError,
    );
  });

  it('to say that everything was accepted has no bytes in protobuf and an empty partial success in JSON', () => {
    expect(encodePartialSuccess(none, 'protobuf', 'traces')).toHaveLength(0);
    expect(asText(encodePartialSuccess(none, 'json', 'traces'))).toBe('{"partialSuccess":{}}');
    expect(decodePartialSuccess(new Uint8Array(0), 'protobuf')).toBeUndefined();
    expect(decodePartialSuccess(message(1), 'protobuf')).toBeUndefined();
    expect(decodePartialSuccess(jsonBytes('{}'), 'json')).toBeUndefined();
    expect(decodePartialSuccess(jsonBytes('{"partialSuccess":null}'), 'json')).toBeUndefined();
  });

  it.each([
    ['traces', 'rejectedSpans'],
    ['metrics', 'rejectedDataPoints'],
    ['logs', 'rejectedLogRecords'],
  ] as const)('names what it rejects of %s', (signal, member) => {
    const partial = { rejected: 2n ** 60n + 1n, message: 'nobody "wants" them\n' };
    const json = encodePartialSuccess(partial, 'json', signal);
    expect(JSON.parse(asText(json))).toEqual({
      partialSuccess: { [member]: '1152921504606846977', errorMessage: partial.message },
    });
    expect(decodePartialSuccess(json, 'json')).toEqual(partial);
    const protobuf = encodePartialSuccess(partial, 'protobuf', signal);
    expect(protobuf).toEqual(message(1, number(1, partial.rejected), text(2, partial.message)));
    expect(decodePartialSuccess(protobuf, 'protobuf')).toEqual(partial);
  });

  it('may be a warning without anything rejected', () => {
    const warning = { rejected: 0n, message: 'slow down' };
    for (const encoding of ['protobuf', 'json'] as const) {
      expect(decodePartialSuccess(encodePartialSuccess(warning, encoding, 'traces'), encoding)).toEqual(warning);
    }
  });

  it('may carry unknown fields, and numbers in place of texts', () => {
    const request = bytes(number(9, 1), message(1, number(1, 3), text(7, 'x')));
    expect(decodePartialSuccess(request, 'protobuf')).toEqual({ rejected: 3n, message: '' });
    const json = jsonBytes('{"x":1,"partial_success":{"rejected_log_records":3,"y":[]}}');
    expect(decodePartialSuccess(json, 'json')).toEqual({ rejected: 3n, message: '' });
  });
});
