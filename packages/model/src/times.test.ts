import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_UNIX_NANO,
  addHigh,
  addLow,
  clampWords,
  compareWords,
  elapsedNs,
  highWord,
  lowWord,
  microsOf,
  microsText,
  millisOf,
  millisText,
  nanosOfWords,
  parseUnixNano,
  rfc3339Text,
  secondsText,
  signedOfWords,
  subtractHigh,
  subtractLow,
  unixNano,
  unixNanoFromMillis,
} from './times.ts';

const unsigned = fc.bigInt({ min: 0n, max: MAX_UNIX_NANO });

describe('times', () => {
  it('refuse what 64 unsigned bits cannot hold', () => {
    expect(() => unixNano(-1n)).toThrow(expect.objectContaining({ code: 'invalid_time' }));
    expect(() => unixNano(MAX_UNIX_NANO + 1n)).toThrow('must be 0 to 18446744073709551615');
    for (const text of ['', '-1', '1.0', '1e3', '18446744073709551616', ' 1', 'x'])
      expect(parseUnixNano(text), text).toBeUndefined();
    expect(parseUnixNano('18446744073709551615')).toBe(MAX_UNIX_NANO);
  });

  it('split into words and come back', () => {
    fc.assert(fc.property(unsigned, (a) => nanosOfWords(lowWord(a), highWord(a)) === a));
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (a) => signedOfWords(lowWord(a), highWord(a)) === a,
      ),
    );
  });

  it('add, subtract and compare in words as bigints do', () => {
    fc.assert(
      fc.property(unsigned, unsigned, (a, b) => {
        const [aLo, aHi, bLo, bHi] = [lowWord(a), highWord(a), lowWord(b), highWord(b)];
        expect(nanosOfWords(subtractLow(aLo, bLo), subtractHigh(aLo, aHi, bLo, bHi))).toBe(BigInt.asUintN(64, a - b));
        expect(nanosOfWords(addLow(aLo, bLo), addHigh(aLo, aHi, bLo, bHi))).toBe(BigInt.asUintN(64, a + b));
        expect(compareWords(aLo, aHi, bLo, bHi)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('clamp in words as bigints do', () => {
    fc.assert(
      fc.property(unsigned, unsigned, unsigned, (a, x, y) => {
        const [min, max] = x < y ? [x, y] : [y, x];
        const target = new Uint32Array(2);
        const limits = { minLo: lowWord(min), minHi: highWord(min), maxLo: lowWord(max), maxHi: highWord(max) };
        clampWords(Uint32Array.of(0, lowWord(a), highWord(a)), 1, limits, target, 0);
        expect(nanosOfWords(target[0]!, target[1]!)).toBe(a < min ? min : a > max ? max : a);
      }),
    );
  });

  it('give distances within a trace exactly', () => {
    fc.assert(
      fc.property(unsigned, fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }), (a, distance) => {
        const b = a - distance;
        fc.pre(b >= 0n && b <= MAX_UNIX_NANO);
        expect(elapsedNs(lowWord(a), highWord(a), lowWord(b), highWord(b))).toBe(Number(distance));
      }),
    );
  });

  it('are printed without losing a nanosecond', () => {
    expect(microsText(1_500n)).toBe('1.5');
    expect(microsText(-1n)).toBe('-0.001');
    expect(millisText(1_400_000_000n)).toBe('1400');
    expect(secondsText(90_000_000_001n)).toBe('90.000000001');
    expect(rfc3339Text(unixNano(1_763_692_200_000_000_001n))).toBe('2025-11-21T02:30:00.000000001Z');
    expect(rfc3339Text(unixNano(0n))).toBe('1970-01-01T00:00:00.000000000Z');
  });

  it('round down to coarser units, below zero too', () => {
    expect([microsOf(1_999n), microsOf(-1n), microsOf(-2_000n), millisOf(1_999_999n)]).toEqual([1n, -1n, -2n, 1n]);
  });

  it('come from a clock in milliseconds with its fraction', () => {
    expect(unixNanoFromMillis(1_763_692_200_000)).toBe(1_763_692_200_000_000_000n);
    expect(unixNanoFromMillis(1.25)).toBe(1_250_000n);
  });
});
