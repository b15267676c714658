import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScrollMap, positionToShow } from './scroll-map.ts';
import { clampWindow, isWholeTrace, panWindow, timeTicks, windowAround, zoomWindow } from './time-axis.ts';

describe('scrolling', () => {
  it('shows the last row at the end even when the rows are taller than a browser allows', () => {
    const map = createScrollMap(5_000_000, 24, 600);
    expect(map.spacerPx).toBeLessThan(16_000_000);
    expect(map.toContentPx(map.spacerPx - 600)).toBe(5_000_000 * 24 - 600);
  });

  it('is one to one while the rows fit', () => {
    const map = createScrollMap(1000, 24, 600);
    expect([map.spacerPx, map.toContentPx(120), map.toScrollTop(120)]).toEqual([24_000, 120, 120]);
  });

  it('stays at the top when everything is visible', () => {
    const map = createScrollMap(3, 24, 600);
    expect([map.spacerPx, map.toContentPx(50), map.toScrollTop(50)]).toEqual([600, 0, 0]);
  });

  it('goes there and back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, share) => {
          const map = createScrollMap(count, 24, 600);
          const content = share * Math.max(0, map.totalPx - 600);
          expect(map.toContentPx(map.toScrollTop(content))).toBeCloseTo(content, 3);
        },
      ),
    );
  });

  it('moves only when a row is outside, and then shows some of its neighbours', () => {
    expect(positionToShow(10, 24, 600, 0)).toBe(0);
    expect(positionToShow(100, 24, 600, 0)).toBe(101 * 24 + 48 - 600);
    expect(positionToShow(10, 24, 600, 1000)).toBe(240 - 48);
    expect(positionToShow(0, 24, 600, 1000)).toBe(0);
  });
});

describe('the time axis', () => {
  it('has round ticks, no more than asked for', () => {
    expect(timeTicks({ startNano: 0, endNano: 100 }, 5)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(timeTicks({ startNano: 3, endNano: 13 }, 5)).toEqual([4, 6, 8, 10, 12]);
    expect(timeTicks({ startNano: 5, endNano: 5 }, 5)).toEqual([]);
  });

  it('zooms around the pointer', () => {
    expect(zoomWindow({ startNano: 0, endNano: 1000 }, 0.5, 250, 1000)).toEqual({ startNano: 125, endNano: 625 });
    expect(zoomWindow({ startNano: 0, endNano: 1000 }, 4, 250, 1000)).toEqual({ startNano: 0, endNano: 1000 });
  });

  it('stops at the ends', () => {
    expect(panWindow({ startNano: 500, endNano: 1000 }, 0.5, 1000)).toEqual({ startNano: 500, endNano: 1000 });
    expect(panWindow({ startNano: 100, endNano: 300 }, -1, 1000)).toEqual({ startNano: 0, endNano: 200 });
  });

  it('never leaves the trace and never becomes empty, whatever is asked', () => {
    const total = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(
        total,
        fc.integer({ min: -2e6, max: 2e6 }),
        fc.integer({ min: -10, max: 2e6 }),
        (totalNano, startNano, length) => {
          const window = clampWindow({ startNano, endNano: startNano + length }, totalNano);
          expect(window.startNano).toBeGreaterThanOrEqual(0);
          expect(window.endNano).toBeLessThanOrEqual(totalNano);
          expect(window.endNano).toBeGreaterThan(window.startNano);
        },
      ),
    );
  });

  it('gives a span some air', () => {
    expect(windowAround(100, 100, 1000)).toEqual({ startNano: 85, endNano: 215 });
    expect(isWholeTrace({ startNano: 0, endNano: 1000 }, 1000)).toBe(true);
  });
});
