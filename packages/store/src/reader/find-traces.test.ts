import { describe, expect, it } from 'vitest';

import type { TraceSearch } from './trace-search.ts';
import { NOON } from './test-support/spans.ts';
import { HOUR, range, useSketches } from './test-support/use-sketches.ts';

const { data, stored, find } = useSketches();

describe('a search', () => {
  it('refuses a limit that is not positive', async () => {
    await expect(data.reader.findTraces('t', { range, limit: 0 })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('finds nothing for a tenant without spans', async () => {
    expect(await find('nobody', {})).toEqual([]);
  });

  it('wants all conditions from one span', async () => {
    const tenant = await stored(
      { trace: 1, service: 'a', name: 'x', ms: 50, tags: [['color', 'red']] },
      { trace: 2, service: 'a', name: 'x', ms: 5, tags: [['color', 'red']] },
      { trace: 2, service: 'b', name: 'x', ms: 50, tags: [['color', 'red']] },
      { trace: 3, service: 'a', name: 'y', ms: 50, tags: [['color', 'red']] },
      { trace: 4, service: 'a', name: 'x', ms: 50, tags: [['color', 'blue']] },
    );
    const search = {
      service: 'a',
      operation: 'x',
      minDurationNano: 50_000_000n,
      tags: [{ key: 'color', value: 'red' }],
    };
    expect(await find(tenant, search)).toEqual([1]);
    expect(await find(tenant, { service: 'A' })).toEqual([]);
    expect((await find(tenant, { maxDurationNano: 5_000_000n })).length).toBe(1);
  });

  it('gives the traces with the latest match first, ties by trace id', async () => {
    const tenant = await stored(
      { trace: 1, atMs: 5000 },
      { trace: 2, atMs: 7000 },
      { trace: 3, atMs: 1000 },
      { trace: 3, atMs: 6000 },
      { trace: 5, atMs: 2000 },
      { trace: 4, atMs: 2000 },
      { trace: 6, startUnixNano: NOON - 11n * HOUR },
    );
    expect(await find(tenant, {})).toEqual([2, 3, 1, 4, 5, 6]);
    expect(await find(tenant, { limit: 2 })).toEqual([2, 3]);
    expect(await find(tenant, { order: 'trace_start' })).toEqual([2, 1, 4, 5, 3, 6]);
  });

  it('pages through everything once, also when a trace matches again further down', async () => {
    const sketches = Array.from({ length: 37 }, (_, i) => [
      { trace: i + 1, span: 2 * i + 1, atMs: 1000 * i },
      { trace: i + 1, span: 2 * i + 2, atMs: 7 * ((i * 13) % 37) },
    ]).flat();
    const tenant = await stored(...sketches);
    const pages: string[] = [];
    for (let after: TraceSearch['after'] | undefined, more = true; more;) {
      const page = await data.reader.findTraces(tenant, { range, limit: 5, ...(after === undefined ? {} : { after }) });
      pages.push(...page.traces.map((trace) => trace.traceId));
      after = page.next;
      more = after !== undefined;
    }
    const all = await data.reader.findTraces(tenant, { range, limit: 100 });
    expect(all.facts.stopped).toBe('exhausted');
    expect(pages).toEqual(all.traces.map((trace) => trace.traceId));
    expect(new Set(pages).size).toBe(37);
  });

  it('orders by the longest match and by the number of spans', async () => {
    const tenant = await stored(
      { trace: 1, ms: 10 },
      { trace: 2, ms: 900 },
      { trace: 2, ms: 1 },
      { trace: 3, ms: 500 },
      { trace: 3, ms: 400 },
      { trace: 3, ms: 300 },
    );
    expect(await find(tenant, { order: 'longest_match', limit: 2 })).toEqual([2, 3]);
    expect(await find(tenant, { order: 'most_spans' })).toEqual([3, 2, 1]);
  });

  it('keeps to its time range, both ends included, wherever a span was filed', async () => {
    const early = 1_000_000_000n;
    const late = NOON + 400n * 24n * HOUR;
    const tenant = await stored(
      { trace: 1, atMs: 0 },
      { trace: 2, startUnixNano: early },
      { trace: 3, startUnixNano: late },
    );
    expect(await find(tenant, { range: { startUnixNano: NOON, endUnixNano: NOON } })).toEqual([1]);
    expect(await find(tenant, { range: { startUnixNano: NOON + 1n, endUnixNano: NOON + HOUR } })).toEqual([]);
    expect(await find(tenant, { range: { startUnixNano: 0n, endUnixNano: early } })).toEqual([2]);
    expect(await find(tenant, { range: { startUnixNano: late, endUnixNano: late + HOUR } })).toEqual([3]);
  });

  it('says when it looked at everything', async () => {
    const tenant = await stored({ trace: 1 });
    const { facts, next } = await data.reader.findTraces(tenant, { range, limit: 1 });
    expect(facts).toMatchObject({ stopped: 'exhausted', searchedFromUnixNano: range.startUnixNano });
    expect(next).toBeUndefined();
  });
});
