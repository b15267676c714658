import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationToMs, formatDuration, formatDurationMs, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['1s5', 'time: missing unit in duration "1s5"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['.s', 'time: invalid duration ".s"'],
    ['-', 'time: invalid duration "-"'],
    ['--1s', 'time: invalid duration "--1s"'],
    ['1s-2s', 'time: unknown unit "s-" in duration "1s-2s"'],
    [' 1s', 'time: invalid duration " 1s"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
  ])('refuses %j as Go does', (text, message) => {
    expect(parseDuration(text)).toEqual({ ok: false, error: message });
  });

  it.each([
    ['0', 0n],
    ['+5s', 5_000_000_000n],
    ['-1.5h', -5_400_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['100ns2us3µs4μs5ms', 5_009_100n],
    ['0.3333333333333333333h', 1_199_999_999_999n],
    ['9223372036854775807ns', 9_223_372_036_854_775_807n],
    ['-9223372036854775808ns', -9_223_372_036_854_775_808n],
  ])('reads %s', (text, nanos) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: nanos });
  });

  it('reads back whatever formatDuration writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (nanos) => {
        expect(parseDuration(formatDuration(nanos))).toEqual({ ok: true, value: nanos });
      }),
    );
  });
});

describe('formatDuration', () => {
  it('spells durations as Go does', () => {
    const spelled = [0n, 1n, 1_100n, 2_200_000n, 200_000_000n, 1_500_000_000n, 90_000_000_000n, 3_600_000_000_000n];
    expect(spelled.map(formatDuration)).toEqual(['0s', '1ns', '1.1µs', '2.2ms', '200ms', '1.5s', '1m30s', '1h0m0s']);
    expect(formatDurationMs(1500)).toBe('1.5s');
  });
});

describe('durationToMs', () => {
  it('keeps parts of a millisecond', () => {
    expect(durationToMs(1_500_000n)).toBe(1.5);
  });
});
