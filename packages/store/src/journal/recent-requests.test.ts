import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecentRequests, REQUEST_WINDOW_MS } from './recent-requests.ts';
import { requestKey } from './request-key.ts';

const keyOf = (n: number): Uint8Array => hash('sha256', String(n), 'buffer').subarray(0, 16);
const startMs = 1_750_000_000_000;

describe('recent requests', () => {
  it('are remembered for ten minutes and forgotten soon after', () => {
    const recent = new RecentRequests(1000);
    recent.add(keyOf(1), 0, startMs, startMs);
    recent.expire(startMs + REQUEST_WINDOW_MS - 1);
    expect(recent.has(keyOf(1), 0)).toBe(true);
    recent.expire(startMs + REQUEST_WINDOW_MS * 1.3);
    expect(recent.has(keyOf(1), 0)).toBe(false);
    expect(recent.size).toBe(0);
  });

  it('are found among many, and others are not', () => {
    const recent = new RecentRequests(100_000);
    for (let n = 0; n < 20_000; n++) recent.add(keyOf(n), 0, startMs + n * 20, startMs + n * 20);
    for (let n = 0; n < 20_000; n += 7) expect(recent.has(keyOf(n), 0)).toBe(true);
    for (let n = 20_000; n < 25_000; n++) expect(recent.has(keyOf(n), 0)).toBe(false);
    expect(recent.size).toBe(20_000);
  });

  it('never take more than the limit: the oldest go early, the newest stay', () => {
    const recent = new RecentRequests(1000);
    for (let n = 0; n < 5000; n++) recent.add(keyOf(n), 0, startMs, startMs);
    expect(recent.size).toBeLessThanOrEqual(1500);
    expect(recent.byteLength).toBeLessThan(100_000);
    expect(recent.evictedEarly).toBeGreaterThan(0);
    expect(recent.has(keyOf(4999), 0)).toBe(true);
    expect(recent.has(keyOf(0), 0)).toBe(false);
  });

  it('that arrive out of order after a restart go into their own time', () => {
    const recent = new RecentRequests(1000);
    recent.add(keyOf(2), 0, startMs, startMs);
    recent.add(keyOf(1), 0, startMs - REQUEST_WINDOW_MS / 2, startMs);
    recent.add(keyOf(0), 0, startMs - REQUEST_WINDOW_MS * 2, startMs);
    expect(recent.has(keyOf(1), 0)).toBe(true);
    expect(recent.has(keyOf(0), 0)).toBe(false);
    recent.expire(startMs + REQUEST_WINDOW_MS * 0.75);
    expect(recent.has(keyOf(1), 0)).toBe(false);
    expect(recent.has(keyOf(2), 0)).toBe(true);
  });

  it('have keys of tenant and body together, and none without a proper hash', () => {
    const body = 'ab'.repeat(16);
    expect(requestKey('a', body)).toEqual(requestKey('a', body));
    expect(requestKey('a', body)).not.toEqual(requestKey('b', body));
    expect(requestKey('a', 'xy'.repeat(16))).toBeUndefined();
    expect(requestKey('a', 'ab')).toBeUndefined();
  });
});
