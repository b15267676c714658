import { describe, expect, it } from 'vitest';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { rawHeaders } from './carriers/raw-headers.ts';
import { DEFAULT_EXTRACTION, extract } from './composite.ts';
import { TraceContext } from './context.ts';
import { SPAN, TRACE } from './test/carry.ts';

const CALLS = 10_000;
const SAMPLES = 15;

/** Heap bytes one call of `work` leaves behind: the median of several samples, so that collections in between do not count. */
function bytesPerCall(work: () => void): number {
  for (let i = 0; i < CALLS * 5; i++) work();
  const samples = Array.from({ length: SAMPLES }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) work();
    return (process.memoryUsage().heapUsed - before) / CALLS;
  });
  return samples.sort((a, b) => a - b)[SAMPLES >> 1]!;
}

describe('a request without any trace header', () => {
  const headers = {
    host: 'example.org',
    'user-agent': 'curl',
    accept: '*/*',
    'content-length': '0',
    'x-request-id': 'x',
  };
  const list = Object.entries(headers).flat();
  const into = new TraceContext();

  it('costs no memory as a header object or as a raw list', () => {
    expect(bytesPerCall(() => extract(DEFAULT_EXTRACTION, headers, lowerCaseHeaders, into))).toBeLessThan(4);
    expect(bytesPerCall(() => extract(DEFAULT_EXTRACTION, list, rawHeaders, into))).toBeLessThan(4);
  });

  it('is measured by a means that sees a single small object', () => {
    let last: unknown;
    const bytes = bytesPerCall(() => {
      last = { at: into };
    });
    expect(last).toBeDefined();
    expect(bytes).toBeGreaterThan(4);
  });
});

describe('a request with a trace header', () => {
  it('costs its two ids', () => {
    const into = new TraceContext();
    const headers = { host: 'example.org', traceparent: `00-${TRACE}-${SPAN}-01` };
    expect(bytesPerCall(() => extract(DEFAULT_EXTRACTION, headers, lowerCaseHeaders, into))).toBeLessThan(128);
  });
});
