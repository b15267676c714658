import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TraceId } from '@clew/model';
import {
  ALWAYS,
  MIN_PROBABILITY,
  NEVER,
  adjustedCount,
  probabilityOf,
  randomnessOfBytes,
  randomnessOfTraceId,
  thresholdOf,
  thresholdText,
} from './threshold.ts';
import { atLeast, complementOf, readUint56, uint56Number, uint56Text } from './uint56.ts';
import type { Uint56 } from './uint56.ts';

const TOTAL = 2n ** 56n;
const value = fc.bigInt({ min: 0n, max: TOTAL - 1n });
const words = (of: bigint): Uint56 => ({ hi: Number(of >> 32n), lo: Number(of & 0xffffffffn) });
const whole = ({ hi, lo }: Readonly<Uint56>): bigint => (BigInt(hi) << 32n) | BigInt(lo);

function textOf(probability: number, precision?: number): string {
  const into = words(0n);
  thresholdOf(probability, into, precision);
  return thresholdText(into);
}

function readText(text: string): bigint | undefined {
  const into = words(0n);
  return readUint56(`..${text}..`, 2, 2 + text.length, into) ? whole(into) : undefined;
}

/** The binary exponent by arithmetic, as `frexp` gives it. */
function exponentOf(share: number): number {
  let exponent = 0;
  for (let rest = share; rest < 0.5; rest *= 2) exponent--;
  return exponent;
}

/** The specification's rule, in whole numbers. */
function expectedThreshold(probability: number, precision: number): bigint {
  const extra = Math.max(Math.trunc(exponentOf(probability) / -4), Math.trunc(exponentOf(1 - probability) / -4));
  const digits = Math.min(14, precision + extra);
  const threshold = TOTAL - BigInt(Math.round(probability * 2 ** 56));
  const unit = 16n ** BigInt(14 - digits);
  return ((threshold + unit / 2n) / unit) * unit;
}

describe('integers of 56 bits', () => {
  it.each(['', '000000000000000', 'g', 'A', ' 1', '1 ', '-1', '\u0661'])('are not read from %j', (text) => {
    expect(readText(text)).toBeUndefined();
  });

  it('are read from digits with the missing ones at the right', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 14 }), (number, digits) => {
        const text = number.toString(16).padStart(14, '0').slice(0, digits);
        expect(readText(text)).toBe(BigInt(`0x${text.padEnd(14, '0')}`));
      }),
    );
  });

  it('are written, compared and subtracted like whole numbers', () => {
    fc.assert(
      fc.property(value, value, fc.boolean(), (a, b, sameUpper) => {
        const left = words(a);
        const right = words(sameUpper ? (a & ~0xffffffffn) | (b & 0xffffffffn) : b);
        expect(uint56Text(left)).toBe(a.toString(16).padStart(14, '0'));
        expect(uint56Number(left)).toBe(Number(a));
        expect(atLeast(left, right)).toBe(a >= whole(right));
        expect(atLeast(left, left)).toBe(true);
        const rest = words(0n);
        complementOf(left, rest);
        expect(whole(rest)).toBe(TOTAL - a);
      }),
      {
        examples: [
          [0n, 0n, false],
          [1n, 0n, true],
          [TOTAL - 1n, 1n, false],
        ],
      },
    );
  });
});

describe('the threshold of a probability', () => {
  it.each([
    [1, 4, '0'],
    [0.75, 4, '4'],
    [0.5, 4, '8'],
    [0.25, 4, 'c'],
    [0.1, 4, 'e666'],
    [0.01, 4, 'fd70a'],
    [0.001, 4, 'ffbe77'],
    [0.9, 4, '199a'],
    [0.999, 4, '004189'],
    [0.01, 5, 'fd70a4'],
    [1 / 3, 14, 'aaaaaaaaaaaaac'],
    [1 / 3, 4, 'aaab'],
    [2 ** -56, 4, 'ffffffffffffff'],
    [2 ** -8, 1, 'ff'],
  ])('%d at precision %i is %s', (probability, precision, text) => {
    expect(textOf(probability, precision)).toBe(text);
  });

  it.each([0, -1, Number.NaN, 2 ** -57])('%d keeps nothing and has no text', (probability) => {
    const into = words(5n);
    expect(thresholdOf(probability, into)).toBe(false);
    expect(into).toEqual(NEVER);
    expect(thresholdText(into)).toBe('');
    expect([probabilityOf(into), adjustedCount(into)]).toEqual([0, 0]);
    expect(atLeast(words(TOTAL - 1n), into)).toBe(false);
  });

  it.each([1, 1.5, Number.POSITIVE_INFINITY])('%d keeps everything', (probability) => {
    const into = words(5n);
    expect(thresholdOf(probability, into)).toBe(true);
    expect(into).toEqual(ALWAYS);
    expect([probabilityOf(into), adjustedCount(into)]).toEqual([1, 1]);
  });

  it('is what the specification’s rule gives in whole numbers', () => {
    const probability = fc.oneof(
      fc.double({ min: MIN_PROBABILITY, max: 1, maxExcluded: true, noNaN: true }),
      fc
        .tuple(fc.double({ min: 0.5, max: 1, noNaN: true }), fc.integer({ min: 1, max: 55 }))
        .map(([m, e]) => m * 2 ** -e),
      fc.integer({ min: 1, max: 53 }).map((e) => 1 - 2 ** -e),
    );
    fc.assert(
      fc.property(probability, fc.integer({ min: 1, max: 14 }), (share, precision) => {
        const into = words(0n);
        expect(thresholdOf(share, into, precision)).toBe(true);
        expect(whole(into)).toBe(expectedThreshold(share, precision));
        expect(whole(into)).toBeLessThan(TOTAL);
        const back = words(0n);
        const text = thresholdText(into);
        expect(readUint56(text, 0, text.length, back)).toBe(true);
        expect(back).toEqual(into);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives its probability and count back', () => {
    const into = words(0n);
    thresholdOf(0.01, into, 14);
    expect(probabilityOf(into)).toBeCloseTo(0.01, 15);
    expect(adjustedCount(into)).toBeCloseTo(100, 9);
    expect(adjustedCount(words(2n ** 55n))).toBe(2);
    expect(adjustedCount(words(TOTAL - 1n))).toBe(2 ** 56);
  });
});

describe('the randomness of a trace id', () => {
  it('is its last seven bytes, from bytes and from text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (id) => {
        const fromBytes = words(0n);
        const fromText = words(0n);
        const hex = Buffer.from(id).toString('hex');
        randomnessOfBytes(Uint8Array.from([1, 2, 3, ...id]), 3, fromBytes);
        randomnessOfTraceId(hex as TraceId, fromText);
        expect(whole(fromBytes)).toBe(BigInt(`0x${hex.slice(18)}`));
        expect(fromText).toEqual(fromBytes);
      }),
    );
  });
});
