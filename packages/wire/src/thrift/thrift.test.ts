import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { wireErrorOf } from '../otlp/test/message.ts';
import { MessageReaders } from './message.ts';
import { NO_FIELD } from './reader.ts';
import { arbitraryStruct, protocols, readStruct, writeStruct } from './test/any-value.ts';
import { MessageType, ThriftType } from './types.ts';

const MAX_DEPTH = 64;

function offsetOf(error: WireError): unknown {
  expect(error.message).toContain(`at byte ${String(error.details['offset'])}`);
  return error.details['offset'];
}

const hostile: readonly (readonly [string, string, readonly number[], string, number])[] = [
  ['binary', 'nothing', [], 'truncated', 0],
  ['binary', 'a header without its id', [11, 0], 'truncated', 0],
  ['binary', 'an i32 cut short', [8, 0, 1, 0, 0], 'truncated', 3],
  ['binary', 'an i64 cut short', [10, 0, 1, 0, 0, 0, 0, 0, 0, 0], 'truncated', 3],
  ['binary', 'a string longer than the input', [11, 0, 1, 0, 0, 0, 5, 1, 2], 'truncated', 3],
  ['binary', 'a string of negative length', [11, 0, 1, 0xff, 0xff, 0xff, 0xff], 'invalid_thrift', 3],
  ['binary', 'a type that is none', [5, 0, 1, 0], 'invalid_thrift', 0],
  ['binary', 'a type above all', [99, 0, 1, 0], 'invalid_thrift', 0],
  ['binary', 'a list of 2^31 - 1 structs', [15, 0, 1, 12, 0x7f, 0xff, 0xff, 0xff, 0], 'truncated', 3],
  ['binary', 'a list of negative count', [15, 0, 1, 12, 0x80, 0, 0, 0], 'invalid_thrift', 3],
  [
    'binary',
    'a list of more i64 than bytes for them',
    [15, 0, 1, 10, 0, 0, 0, 2, ...Array(15).fill(0)],
    'truncated',
    3,
  ],
  ['binary', 'a list of a type that is none', [15, 0, 1, 7, 0, 0, 0, 1, 0], 'invalid_thrift', 3],
  ['binary', 'a map of 2^31 - 1 entries', [13, 0, 1, 2, 2, 0x7f, 0xff, 0xff, 0xff, 0], 'truncated', 3],
  ['binary', 'a struct that does not end', [12, 0, 1, 2, 0, 1, 1], 'truncated', 7],
  ['compact', 'nothing', [], 'truncated', 0],
  ['compact', 'an id cut short', [0x08, 0x80], 'truncated', 1],
  ['compact', 'a varint of eleven bytes', [0x16, ...Array(10).fill(0x80), 0], 'invalid_varint', 1],
  ['compact', 'a double cut short', [0x17, 0, 0, 0, 0, 0, 0, 0], 'truncated', 1],
  ['compact', 'a string longer than the input', [0x18, 5, 1, 2], 'truncated', 1],
  ['compact', 'a string of 2^35 bytes', [0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 1], 'truncated', 1],
  ['compact', 'a type that is none', [0x1d, 0], 'invalid_thrift', 0],
  ['compact', 'a list of 2^31 structs', [0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x08, 0], 'truncated', 1],
  ['compact', 'a list of 2^35 structs', [0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0], 'truncated', 1],
  ['compact', 'a list of a type that is none', [0x19, 0x1e, 0], 'invalid_thrift', 1],
  ['compact', 'a map of 2^31 entries', [0x1b, 0x80, 0x80, 0x80, 0x80, 0x08, 0x22], 'truncated', 1],
  ['compact', 'a struct that does not end', [0x1c, 0x11], 'truncated', 2],
];

describe.each(protocols)('hostile $name', ({ name, reader }) => {
  it.each(hostile.filter(([protocol]) => protocol === name))(
    '%s: %s fails with its code and byte offset',
    (_, __, bytes, code, offset) => {
      const input = reader();
      input.bind(Uint8Array.from(bytes), 0, MAX_DEPTH);
      const error = wireErrorOf(() => {
        for (let id = input.field(0); id !== NO_FIELD; id = input.field(id)) input.skip();
      });
      expect(error.code).toBe(code);
      expect(offsetOf(error)).toBe(offset);
    },
  );

  it.each(['struct', 'list'])('a %s nested without end is refused at maxDepth', (what) => {
    const struct = name === 'binary' ? [12, 0, 1] : [0x1c];
    const list = name === 'binary' ? [15, 0, 0, 0, 1] : [0x19];
    const step = what === 'struct' ? struct : list;
    const start = what === 'struct' ? [] : name === 'binary' ? [15, 0, 1] : [0x19];
    const bytes = Uint8Array.from([...start, ...Array.from({ length: 100_000 }, () => step).flat()]);
    const input = reader();
    input.bind(bytes, 0, MAX_DEPTH);
    input.field(0);
    const error = wireErrorOf(() => input.skip());
    expect(error.code).toBe('too_deep');
    expect(error.message).toContain('64, the limit maxDepth');
    offsetOf(error);
  });

  it('a field of another type than its definition says is an error', () => {
    const input = reader();
    const bytes = name === 'binary' ? [8, 0, 1, 0, 0, 0, 1, 0] : [0x15, 2, 0];
    input.bind(Uint8Array.from(bytes), 0, MAX_DEPTH);
    input.field(0);
    const error = wireErrorOf(() => input.expect(ThriftType.STRING));
    expect([error.code, offsetOf(error)]).toEqual(['wrong_thrift_type', name === 'binary' ? 3 : 1]);
    expect(error.message).toContain('is a i32, not a string');
  });

  it('a list of other elements than its definition says is an error, unless it is empty', () => {
    const input = reader();
    const [one, none] =
      name === 'binary'
        ? [
            [15, 0, 1, 8, 0, 0, 0, 1, 0, 0, 0, 1],
            [15, 0, 1, 8, 0, 0, 0, 0],
          ]
        : [
            [0x19, 0x15, 2],
            [0x19, 0x05],
          ];
    input.bind(Uint8Array.from(none), 0, MAX_DEPTH);
    input.field(0);
    expect(input.listOf(ThriftType.STRUCT)).toBe(0);
    input.bind(Uint8Array.from(one), 0, MAX_DEPTH);
    input.field(0);
    expect(wireErrorOf(() => input.listOf(ThriftType.STRUCT)).code).toBe('wrong_thrift_type');
  });

  it('any bytes are read, skipped or refused within the input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, skips) => {
        const input = reader();
        input.bind(bytes, 0, MAX_DEPTH);
        try {
          if (skips) for (let id = input.field(0); id !== NO_FIELD; id = input.field(id)) input.skip();
          else readStruct(input);
          expect(input.pos).toBeLessThanOrEqual(bytes.length);
        } catch (caught) {
          if (!(caught instanceof WireError)) throw caught;
          expect(caught.details['offset']).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe.each(protocols)('$name', ({ reader, writer }) => {
  it('reads any struct as it was written', () => {
    fc.assert(
      fc.property(arbitraryStruct(3), (struct) => {
        const out = writer();
        writeStruct(out, struct.value);
        const input = reader();
        input.bind(out.finish(), 0, MAX_DEPTH);
        expect(readStruct(input)).toEqual(struct.value);
        expect(input.pos).toBe(out.length);
      }),
      { numRuns: 300 },
    );
  });

  it('skips any value, so that what follows is read', () => {
    fc.assert(
      fc.property(arbitraryStruct(3), (struct) => {
        const out = writer();
        writeStruct(out, [...struct.value, { id: 77, value: { type: ThriftType.I32, value: -5 } }]);
        const input = reader();
        input.bind(out.finish(), 0, MAX_DEPTH);
        let id = input.field(0);
        for (const _ of struct.value) {
          input.skip();
          id = input.field(id);
        }
        expect([id, input.i32(), input.field(id)]).toEqual([77, -5, NO_FIELD]);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a struct cut at any byte', () => {
    fc.assert(
      fc.property(arbitraryStruct(2), (struct) => {
        const out = writer();
        writeStruct(out, struct.value);
        const whole = out.finish();
        for (let end = 0; end < whole.length; end++) {
          const input = reader();
          input.bind(whole.slice(0, end), 0, MAX_DEPTH);
          expect(wireErrorOf(() => readStruct(input)).code).toMatch(/truncated|invalid_thrift/);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('message headers', () => {
  const emitBatch = new TextEncoder().encode('emitBatch');
  const readers = new MessageReaders();

  it.each([
    ['compact', MessageType.CALL],
    ['compact', MessageType.ONEWAY],
    ['binary', MessageType.CALL],
    ['binary', MessageType.ONEWAY],
  ] as const)('a %s message of type %i is opened and its arguments follow', (protocol, type) => {
    const out = protocols.find(({ name }) => name === protocol)!.writer();
    out.message(emitBatch, type, 0xffff_fff0);
    writeStruct(out, [{ id: 1, value: { type: ThriftType.BYTE, value: 7 } }]);
    const header = readers.open(out.finish(), MAX_DEPTH);
    expect(header).toEqual({ protocol, type, method: 'emitBatch', sequenceId: 0xffff_fff0 });
    expect(readStruct(readers.of(protocol))).toEqual([{ id: 1, value: { type: ThriftType.BYTE, value: 7 } }]);
  });

  it('a binary message without a version is opened', () => {
    const bytes = Uint8Array.from([0, 0, 0, 9, ...emitBatch, MessageType.ONEWAY, 0, 0, 0, 3, 0]);
    expect(readers.open(bytes, MAX_DEPTH)).toEqual({
      protocol: 'old_binary',
      type: MessageType.ONEWAY,
      method: 'emitBatch',
      sequenceId: 3,
    });
    expect(readStruct(readers.of('old_binary'))).toEqual([]);
  });

  it.each([
    ['no bytes', [], 'truncated', 0, 'empty'],
    ['another first byte', [0x7b, 0x22], 'unsupported_message', 0, '0x7b'],
    ['a compact header cut short', [0x82], 'truncated', 0, 'header'],
    ['version 2 of compact', [0x82, 0x22, 0, 0], 'unsupported_message', 1, 'version 2'],
    ['a compact reply', [0x82, 0x41, 0, 1, 0x61], 'unsupported_message', 1, 'type 2'],
    ['version 2 of binary', [0x80, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 'unsupported_message', 0, 'version 2'],
    ['a binary exception', [0x80, 1, 0, 3, 0, 0, 0, 1, 0x61, 0, 0, 0, 0], 'unsupported_message', 0, 'type 3'],
    ['an old binary reply', [0, 0, 0, 1, 0x61, 2, 0, 0, 0, 0], 'unsupported_message', 5, 'type 2'],
    ['a name longer than the input', [0, 0, 0, 99, 0x61], 'truncated', 0, '99 bytes'],
  ])('%s: refused', (_, bytes, code, offset, wording) => {
    const error = wireErrorOf(() => readers.open(Uint8Array.from(bytes), MAX_DEPTH));
    expect([error.code, offsetOf(error)]).toEqual([code, offset]);
    expect(error.message).toContain(wording);
  });
});
