import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { WallClock } from './wall-clock.ts';

/** Nanoseconds since 1970 at `monotonicMs`. */
function nanosOf(clock: WallClock, monotonicMs: number): bigint {
  const bytes = Buffer.alloc(10, 0xee);
  clock.write(monotonicMs, bytes, 1);
  expect([bytes[0], bytes[9]]).toEqual([0xee, 0xee]);
  return bytes.readBigUInt64LE(1);
}

describe('the clock of spans', () => {
  it('writes nanoseconds exactly to the resolution of its clocks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.array(fc.integer({ min: 0, max: 1e9 })), (unixMs, elapsed) => {
        const clock = new WallClock(
          () => unixMs,
          () => 0,
        );
        for (const elapsedMs of elapsed)
          expect(nanosOf(clock, elapsedMs)).toBe(BigInt(unixMs + elapsedMs) * 1_000_000n);
      }),
    );
  });

  it('keeps the fractions of milliseconds, whatever times came before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 24 }), { minLength: 1 }), (times) => {
        const clock = new WallClock(
          () => 2 ** 40,
          () => 0,
        );
        // Multiples of 1/4096 ms, which a number of today's size can hold.
        for (const time of times) {
          const nanos = BigInt(2 ** 40) * 1_000_000n + BigInt(Math.round((time / 4096) * 1e6));
          expect(nanosOf(clock, time / 4096)).toBe(nanos);
        }
      }),
    );
  });

  it('follows a clock that is corrected, and ignores its jitter', () => {
    let unixMs = 1000;
    const corrected = new WallClock(
      () => unixMs,
      () => 0,
    );
    for (const [nowMs, seenMs] of [
      [1003, 1000n],
      [61_000, 61_000n],
      [2000, 2000n],
    ] as const) {
      unixMs = nowMs;
      corrected.adjust();
      expect(nanosOf(corrected, 0)).toBe(seenMs * 1_000_000n);
    }
  });
});
