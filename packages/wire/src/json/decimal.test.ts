import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendSigned, appendUnsigned, parseDouble, parseInteger } from './decimal.ts';
import { TextBuffer } from './text-buffer.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(text: string, signed: boolean): bigint | undefined {
  const words = { lo: 0, hi: 0 };
  const bytes = ascii(`..${text}..`);
  if (!parseInteger(bytes, 2, bytes.length - 2, signed, words)) return undefined;
  const value = (BigInt(words.hi) << 32n) | BigInt(words.lo);
  return signed ? BigInt.asIntN(64, value) : value;
}

function written(value: bigint, append: typeof appendUnsigned): string {
  const out = new TextBuffer();
  append(out, Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  return new TextDecoder().decode(out.bytes.subarray(0, out.length));
}

describe('64-bit integers in decimal', () => {
  it.each([
    '',
    '-',
    '+1',
    ' 1',
    '1 ',
    '0x10',
    '1.5',
    '1e-1',
    '1e',
    '1.',
    '.5',
    'NaN',
    '1e400',
    '99999999999999999999',
    '1e20',
  ])('refuses %j', (text) => {
    expect(parsed(text, true)).toBeUndefined();
    expect(parsed(text, false)).toBeUndefined();
  });

  it('refuses what is out of range by one', () => {
    expect(parsed('18446744073709551616', false)).toBeUndefined();
    expect(parsed('-1', false)).toBeUndefined();
    expect(parsed('9223372036854775808', true)).toBeUndefined();
    expect(parsed('-9223372036854775809', true)).toBeUndefined();
  });

  it('reads and writes every unsigned and signed value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(written(value, appendUnsigned)).toBe(String(value));
        expect(parsed(String(value), false)).toBe(value);
        const signed = BigInt.asIntN(64, value);
        expect(written(signed, appendSigned)).toBe(String(signed));
        expect(parsed(String(signed), true)).toBe(signed);
      }),
      {
        examples: [
          [0n],
          [9n],
          [10n],
          [999_999n],
          [1_000_000n],
          [10n ** 12n],
          [10n ** 18n],
          [2n ** 32n],
          [2n ** 63n],
          [2n ** 64n - 1n],
        ],
      },
    );
  });

  it('reads whole numbers that have a fraction or an exponent', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.nat(6), (value, zeros) => {
        expect(parsed(`${value}.${'0'.repeat(zeros + 1)}`, true)).toBe(value);
        expect(parsed(`${value}e${zeros}`, true)).toBe(value * 10n ** BigInt(zeros));
        expect(parsed(`${value}${'0'.repeat(zeros)}E-${zeros}`, true)).toBe(value);
      }),
    );
  });
});

describe('doubles in decimal', () => {
  it('are read as JavaScript reads them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.float({ noNaN: true, noDefaultInfinity: true }),
        ),
        (value) => {
          for (const text of [String(value), value.toExponential(), value.toFixed(5)]) {
            const bytes = ascii(text);
            expect(parseDouble(bytes, 0, bytes.length)).toBe(Number(text));
          }
        },
      ),
    );
  });
});
