import { describe, expect, it } from 'vitest';
import { barHeight, bucketsOf, clockTicks, errorHeight } from './timeline-scale.ts';

describe('the strip above the results', () => {
  it('places buckets to the microsecond', () => {
    const buckets = bucketsOf({
      query: '',
      range: { fromUnixNano: '1767312000000000000', toUnixNano: '1767312000003000000' },
      stepNano: '1500000',
      counts: [4, 0],
      errors: [1, 0],
      warnings: [],
    });
    expect(buckets).toEqual([
      { fromUnixMs: 1_767_312_000_000, toUnixMs: 1_767_312_000_001.5, count: 4, errors: 1 },
      { fromUnixMs: 1_767_312_000_001.5, toUnixMs: 1_767_312_000_003, count: 0, errors: 0 },
    ]);
  });

  it('has round clock times, no more than asked for', () => {
    const from = Date.UTC(2026, 0, 2, 10, 7);
    const ticks = clockTicks(from, from + 3_600_000, 6);
    expect(ticks.length).toBeGreaterThan(2);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(ticks.every((tick) => tick % 600_000 === 0)).toBe(true);
  });

  it('shows something for the smallest count and nothing for none', () => {
    expect([barHeight(0, 100, 48), barHeight(1, 1_000_000, 48), barHeight(100, 100, 48), barHeight(0, 0, 48)]).toEqual([
      0, 2, 48, 0,
    ]);
  });

  it('shows errors in proportion, never hidden and never exaggerated to all', () => {
    expect([
      errorHeight(0, 10, 40),
      errorHeight(1, 1000, 40),
      errorHeight(999, 1000, 40),
      errorHeight(3, 3, 40),
    ]).toEqual([0, 1, 39, 40]);
    expect(errorHeight(1, 30, 2)).toBe(1);
  });
});
