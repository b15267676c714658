import { highWord, lowWord, nanosOfWords, signedOfWords } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JaegerTime, Nanos } from './nanos.ts';

const LAST_NANO = 2n ** 64n - 1n;
const LAST_MICRO = (LAST_NANO / 1000n) * 1000n;

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 1_700_000_000_000_000n, max: 1_800_000_000_000_000n }),
  fc.bigInt({ min: -20_000_000_000n, max: 20_000_000_000n }),
  fc.constantFrom(0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), 18_446_744_073n, 18_446_744_074n, LAST_MICRO / 1000n),
);
const nano = fc.oneof(fc.integer(), fc.integer({ min: 0, max: 999_999_999 }), fc.constant(0));
const time = fc.oneof(fc.bigInt({ min: 0n, max: LAST_NANO }), fc.constantFrom(0n, 2n ** 32n - 1n, LAST_NANO));

function clamped(value: bigint, last: bigint): bigint {
  return value < 0n ? 0n : value > last ? last : value;
}

function valueOf({ lo, hi }: Nanos): bigint {
  expect([lo >>> 0, hi >>> 0]).toEqual([lo, hi]);
  return nanosOfWords(lo, hi);
}

describe('a time', () => {
  it('of microseconds is their thousandfold, clamped to what can be kept, as is what is added', () => {
    fc.assert(
      fc.property(int64, int64, (start, duration) => {
        const nanos = new Nanos();
        nanos.setMicros(lowWord(start), highWord(start));
        const first = clamped(start * 1000n, LAST_MICRO);
        expect(valueOf(nanos)).toBe(first);
        nanos.addMicros(lowWord(duration), highWord(duration));
        expect(valueOf(nanos)).toBe(clamped(first + duration * 1000n, LAST_MICRO));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of seconds and nanoseconds is their sum, clamped step by step', () => {
    fc.assert(
      fc.property(int64, nano, int64, nano, (seconds, nanos, moreSeconds, moreNanos) => {
        const sum = new Nanos();
        sum.setSeconds(lowWord(seconds), highWord(seconds), nanos);
        const first = clamped(clamped(seconds * 1_000_000_000n, LAST_NANO) + BigInt(nanos), LAST_NANO);
        expect(valueOf(sum)).toBe(first);
        sum.addSeconds(lowWord(moreSeconds), highWord(moreSeconds), moreNanos);
        const second = clamped(first + moreSeconds * 1_000_000_000n, LAST_NANO);
        expect(valueOf(sum)).toBe(clamped(second + BigInt(moreNanos), LAST_NANO));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is written in either unit as it was read', () => {
    fc.assert(
      fc.property(time, fc.boolean(), (value, isNegative) => {
        const out = new JaegerTime();
        const sign = isNegative ? -1n : 1n;
        out.micros(lowWord(value), highWord(value), isNegative);
        expect(signedOfWords(out.lo, out.hi)).toBe(sign * (value / 1000n));
        out.seconds(lowWord(value), highWord(value), isNegative);
        expect(signedOfWords(out.lo, out.hi)).toBe(sign * (value / 1_000_000_000n));
        expect(BigInt(out.nanos)).toBe(sign * (value % 1_000_000_000n));
      }),
      { numRuns: 2_000 },
    );
  });
});
