import { describe, expect, it } from 'vitest';
import { RouteCache } from './route-cache.ts';

describe('RouteCache', () => {
  it('never holds more than its size, and keeps what is asked for', () => {
    const cache = new RouteCache<number>(10);
    cache.set('kept', 0);
    for (let i = 0; i < 1000; i++) {
      cache.set(`k${i}`, i);
      expect(cache.get('kept')).toBe(0);
      expect(cache.size).toBeLessThanOrEqual(11);
    }
    expect(cache.get('k0')).toBeUndefined();
    expect(cache.get('k999')).toBe(999);
  });

  it('does not remember keys of any length', () => {
    const cache = new RouteCache<number>(10);
    cache.set('x'.repeat(10_000), 1);
    expect(cache.size).toBe(0);
  });
});
