import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatNanoExact,
  formatShare,
  formatShortCount,
  plural,
  speakDuration,
  unixMsOf,
} from './format.ts';

describe('formats people read', () => {
  it.each([
    [0, '0 ns'],
    [999, '999 ns'],
    [1000, '1 µs'],
    [12_345, '12.3 µs'],
    [999_960_000, '1 s'],
    [1_400_000_000, '1.4 s'],
    [59_000_000_000, '59 s'],
    [125_000_000_000, '2m 05s'],
    [3_599_900_000_000, '1h 00m'],
    [90_000_000_000_000, '1d 01h'],
  ])('write a duration of %d ns as %s', (nano, text) => {
    expect(formatDuration(nano)).toBe(text);
  });

  it('write every nanosecond when asked for the exact value', () => {
    expect(formatNanoExact(1_400_000_123)).toBe('1.400000123 s');
    expect(formatNanoExact(250_000_000)).toBe('250 ms');
    expect(formatNanoExact(7)).toBe('7 ns');
  });

  it('spell units for screen readers', () => {
    expect(speakDuration(1_400_000_000)).toBe('1.4 seconds');
    expect(speakDuration(70_000_000)).toBe('70 milliseconds');
  });

  it.each([
    [0, '0'],
    [999, '999'],
    [1234, '1.2k'],
    [12_345, '12k'],
    [999_999, '1M'],
    [48_000_000, '48M'],
    [123_456, '123k'],
  ])('shorten %d to %s', (value, text) => {
    expect(formatShortCount(value)).toBe(text);
  });

  it('group, count and divide', () => {
    expect(formatCount(1_204_311)).toBe('1,204,311');
    expect([plural(1, 'span'), plural(0, 'span'), plural(2, 'entry', 'entries')]).toEqual([
      '1 span',
      '0 spans',
      '2 entries',
    ]);
    expect([formatBytes(0), formatBytes(1536), formatBytes(5 * 1024 ** 3)]).toEqual(['0 B', '1.50 KiB', '5.00 GiB']);
    expect([formatShare(0), formatShare(0.0004), formatShare(0.004), formatShare(0.7)]).toEqual([
      '0%',
      '<0.1%',
      '0.4%',
      '70%',
    ]);
  });

  it('say how long ago, and also what lies ahead when clocks disagree', () => {
    expect(formatAgo(0, 3000)).toBe('just now');
    expect(formatAgo(0, 3 * 3600e3)).toBe('3 h ago');
    expect(formatAgo(300e3, 0)).toBe('in 5 min');
  });

  it('keep the fraction of a millisecond', () => {
    expect(unixMsOf('1500000')).toBe(1.5);
  });
});
