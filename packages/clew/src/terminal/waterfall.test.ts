import type { TraceSkeleton } from '@clew/api';
import { describe, expect, it } from 'vitest';
import { durationText, waterfall } from './waterfall.ts';

const trace: TraceSkeleton = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  etag: 'e',
  spanCount: 4,
  startUnixNano: '1760000000000000000',
  durationNano: '2000000000',
  services: ['api-gateway', 'user-service'],
  names: ['GET /users', 'SELECT users', 'lost'],
  scopes: [],
  missingParents: ['00f067aa0ba902b7'],
  labels: [],
  columns: {
    ids: '',
    parents: [-1, 0, 1, -2],
    startDeltaNano: [0, 100_000_000, 50_000_000, 850_000_000],
    durationNano: [2_000_000_000, 1_500_000_000, 1_400_000_000, 830],
    services: [0, 1, 1, -1],
    names: [0, 0, 1, 2],
    scopes: [-1, -1, -1, -1],
    labels: [-1, -1, -1, -1],
    kinds: [2, 2, 3, 1],
    statuses: [0, 0, 2, 0],
    flags: [0, 0, 0, 0],
    events: [0, 0, 0, 0],
    links: [0, 0, 0, 0],
    attributes: [0, 0, 0, 0],
  },
  completeness: { growing: false, missingParentCount: 1 },
  warnings: [{ code: 'missing_parents', message: 'one parent is missing' }],
  facts: { limit: 10, returned: 4, more: false, stopReason: 'complete', warnings: [] },
};

describe('the waterfall in a terminal', () => {
  const lines = waterfall(trace, { columns: 100, color: false, maxRows: 50 }).split('\n');

  it('says what the trace is in its first line', () => {
    expect(lines[0]).toBe(
      'trace 4bf92f3577b34da6a3ce929d0e0e4736  2 s  4 spans, 2 services, 1 errors  2025-10-09T08:53:20.000Z',
    );
  });

  it('indents children below their parents and marks errors', () => {
    expect(lines[2]).toMatch(/^api-gateway: GET \/users/);
    expect(lines[3]).toMatch(/^ {2}user-service: GET \/users/);
    expect(lines[4]).toMatch(/^ {4}✗ user-service: SELECT users/);
  });

  it('draws bars in proportion, beginning where the span begins', () => {
    const barOf = (line: string) => /█+/.exec(line)![0].length;
    expect(barOf(lines[2]!)).toBeGreaterThan(barOf(lines[3]!));
    expect(lines[4]!.indexOf('█')).toBeGreaterThan(lines[3]!.indexOf('█'));
    expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(100);
  });

  it('shows spans whose parent is missing as roots, and the warnings', () => {
    expect(lines[5]).toMatch(/^\(no service\): lost .* 830 ns/);
    expect(lines[6]).toBe('! one parent is missing');
  });

  it('counts what it leaves out', () => {
    expect(waterfall(trace, { columns: 80, color: false, maxRows: 1 })).toContain('… 3 more spans');
  });

  it('colours by service and errors red', () => {
    const colored = waterfall(trace, { columns: 80, color: true, maxRows: 10 });
    expect(colored).toContain('\u001b[36mapi-gateway');
    expect(colored).toContain('\u001b[31m');
  });

  it.each([
    [830, '830 ns'],
    [1_500, '1.50 µs'],
    [12_000_000, '12 ms'],
    [1_400_000_000, '1.40 s'],
  ])('writes %d ns as %s', (nanos, text) => {
    expect(durationText(nanos)).toBe(text);
  });
});
