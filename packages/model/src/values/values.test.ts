import { arbitraryUnicode } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors.ts';
import { bytesOfText, losslessText, shownText } from '../text.ts';
import {
  decodeArray,
  decodeKeyValueList,
  doubleOfWords,
  encodeArray,
  encodeKeyValueList,
  writeDoubleWords,
} from './codec.ts';
import { equalInSearch } from './compare.ts';
import { canonicalJson, valueText } from './json.ts';
import { equalValues, type AttributeValue, type KeyValueList } from './value.ts';

const { value: anyValue } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.uint8Array({ maxLength: 12 }).map(losslessText),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.uint8Array({ maxLength: 12 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.record({ key: fc.string({ maxLength: 3 }), value: tie('value') }), { maxLength: 4 })
      .map((entries) => ({ entries })),
  ),
}));

function nested(depth: number): AttributeValue[] {
  let value: AttributeValue[] = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

describe('nested values', () => {
  it('refuse to nest deeper than the limit, both ways', () => {
    expect(() => encodeArray(nested(65))).toThrow(expect.objectContaining({ code: 'value_too_deep' }));
    const deep = encodeArray(nested(65), 100);
    expect(() => decodeArray(deep)).toThrow(expect.objectContaining({ code: 'value_too_deep' }));
    expect(decodeArray(encodeArray(nested(64)))).toEqual(nested(64));
  });

  it('refuse bytes that are cut off, too long or of another wire type, saying where', () => {
    const cases: readonly [string, number[]][] = [
      ['a length points past the end', [0x0a, 0x05, 0x00]],
      ['a number is cut off', [0x0a]],
      ['a number is cut off', [0x0a, 0x02, 0x18, 0x80]],
      ['a number is cut off', [0x0a, 0x02, 0x21, 0x00]],
      ['field 1 has wire type 0', [0x08, 0x01]],
      ['a number is longer than ten bytes', Array<number>(11).fill(0xff)],
      ['wire type 4 does not fit here', [0x54]],
      ['wire type 7 does not fit here', [0x57]],
      ['a field number is out of range', [0x02]],
    ];
    for (const [rule, bytes] of cases) {
      expect(() => decodeArray(Uint8Array.from(bytes)), rule).toThrow(
        expect.objectContaining({
          code: 'invalid_value',
          message: expect.stringContaining(rule),
          details: { offset: expect.any(Number) },
        }),
      );
    }
    expect(() => decodeArray(new Uint8Array(2), 1, 5)).toThrow('outside its buffer');
  });

  it('skip unknown fields of every wire type', () => {
    const unknown = [0x50, 0x01, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x52, 1, 9, 0x55, 1, 2, 3, 4, 0x53, 0x58, 1, 0x54];
    expect(decodeArray(Uint8Array.from([...unknown, 0x0a, 0x02, 0x10, 0x01, ...unknown]))).toEqual([true]);
  });

  it('take the last of repeated fields and merge a nested message sent in parts', () => {
    const twoScalars = Uint8Array.from([0x0a, 0x04, 0x10, 0x01, 0x18, 0x07]);
    expect(decodeArray(twoScalars)).toEqual([7n]);
    const part = [0x2a, 0x04, 0x0a, 0x02, 0x18, 0x01];
    expect(decodeArray(Uint8Array.from([0x0a, 12, ...part, ...part]))).toEqual([[1n, 1n]]);
  });

  it('survive encoding and decoding', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
        expect(equalValues(decodeArray(encodeArray(values)), values)).toBe(true);
        const list: KeyValueList = { entries: values.map((value) => ({ key: 'k', value })) };
        expect(equalValues(decodeKeyValueList(encodeKeyValueList(list)), list)).toBe(true);
      }),
    );
  });

  it('never do more than throw their error on damaged bytes', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 4 }), fc.nat(), fc.nat(255), (values, at, byte) => {
        const bytes = encodeArray(values);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        try {
          decodeArray(bytes.subarray(0, at % (bytes.length + 1)));
          decodeArray(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
    );
  });

  it('keep every bit of a double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const words = new Uint32Array(2);
        writeDoubleWords(value, words, 0);
        expect(doubleOfWords(words[0]!, words[1]!)).toBe(value);
      }),
    );
  });

  it('differ when only the type, the sign of zero or the order differs', () => {
    expect(equalValues(1n, 1)).toBe(false);
    expect(equalValues(0, -0)).toBe(false);
    expect(equalValues(Number.NaN, Number.NaN)).toBe(true);
    expect(equalValues(['a', 'b'], ['b', 'a'])).toBe(false);
    expect(equalValues(Uint8Array.of(1), Uint8Array.of(2))).toBe(false);
    expect(equalValues('', null)).toBe(false);
  });
});

describe('canonical JSON', () => {
  it('prints each type in one way', () => {
    const list: KeyValueList = {
      entries: [
        { key: 'b', value: [1n, 1.5, true, null] },
        { key: 'a', value: Uint8Array.of(255, 0) },
        { key: 'b', value: 9007199254740993n },
      ],
    };
    expect(canonicalJson(list)).toBe('{"a":"/wA=","b":9007199254740993}');
    expect(canonicalJson([Number.NaN, Number.NEGATIVE_INFINITY, 'x"y', '\udcff'])).toBe(
      '["NaN","-Infinity","x\\"y","\ufffd"]',
    );
  });

  it('is valid JSON for any value, and the same text for an equal one', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(() => JSON.parse(canonicalJson(value)) as unknown).not.toThrow();
        expect(canonicalJson(decodeArray(encodeArray([value])))).toBe(canonicalJson([value]));
      }),
    );
  });

  it('has a bare form for one line of text', () => {
    const texts = [null, 'a', true, 5n, 0.5, Number.POSITIVE_INFINITY, Uint8Array.of(1), ['a']].map(valueText);
    expect(texts).toEqual(['', 'a', 'true', '5', '0.5', 'Infinity', 'AQ==', '["a"]']);
  });
});

describe('equality in search', () => {
  it('keeps apart what only looks alike', () => {
    const different: readonly [AttributeValue, AttributeValue][] = [
      ['500', '500x'],
      [9007199254740993n, 9007199254740992],
      [9007199254740993n, '9007199254740992'],
      ['', null],
      ['', 0n],
      [' 1', 1n],
      ['0x10', 16n],
      ['true', 1n],
      [null, null],
    ];
    for (const [a, b] of different) expect([a, equalInSearch(a, b), equalInSearch(b, a)]).toEqual([a, false, false]);
  });

  it('finds one number in every way it is sent', () => {
    const ways: AttributeValue[] = [500n, 500, '500', '500.0', '5e2', '+500'];
    for (const a of ways) for (const b of ways) expect(equalInSearch(a, b), `${String(a)} ${String(b)}`).toBe(true);
    expect(equalInSearch(true, 'true')).toBe(true);
    expect(equalInSearch('GET', 'GET')).toBe(true);
    expect(equalInSearch(Number.NaN, 'NaN')).toBe(true);
    expect(equalInSearch(0.1, '0.1')).toBe(true);
  });
});

describe('text', () => {
  it('gives any bytes back, and shows invalid ones as U+FFFD', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        expect(bytesOfText(losslessText(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(arbitraryUnicode(), (text) => {
        expect(losslessText(bytesOfText(text))).toBe(text);
      }),
    );
    expect(losslessText(Uint8Array.of(0x61, 0xc3, 0x28, 0xed, 0xa0, 0x80))).toBe('a\udcc3(\udced\udca0\udc80');
    expect(shownText(Uint8Array.of(0x61, 0xff))).toBe('a\ufffd');
  });

  it('keeps a byte order mark, which is text like any other here', () => {
    expect(losslessText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });
});
