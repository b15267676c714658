import { dropEqualSpans } from '@clew/model';
import { describe, expect, it } from 'vitest';

import { TagScope } from '../schema/tables.ts';
import { batchOf, NOON, traceIdText } from './test-support/spans.ts';
import { range, useSketches } from './test-support/use-sketches.ts';

const { data, stored } = useSketches();

describe('what lists and pages ask', () => {
  it('is answered per tenant: services, operations, attribute keys and values', async () => {
    const tenant = await stored(
      {
        trace: 1,
        service: 'b',
        name: 'put',
        kind: 2,
        tags: [
          ['color', 'red'],
          ['size', 4n],
        ],
      },
      {
        trace: 2,
        service: 'a',
        name: 'get',
        kind: 3,
        tags: [
          ['color', 'rose'],
          ['size', 5n],
        ],
        resourceTags: [['zone', 'eu']],
      },
      { trace: 3, service: 'a', name: 'get', kind: 2, tags: [['color', 'blue']] },
    );
    expect(await data.reader.services(tenant)).toEqual(['a', 'b']);
    expect(await data.reader.operations(tenant, 'a')).toEqual([
      { name: 'get', kind: 2 },
      { name: 'get', kind: 3 },
    ]);
    expect(await data.reader.operations(tenant, 'a', { kind: 3 })).toEqual([{ name: 'get', kind: 3 }]);
    expect((await data.reader.tagKeys(tenant, 'c')).map((each) => each.key)).toEqual(['color']);
    expect(await data.reader.tagValues(tenant, 'color', 'r', { range })).toEqual(['red', 'rose']);
    expect(await data.reader.tagValues(tenant, 'size', '', { range })).toEqual(['4', '5']);
    expect(await data.reader.tagValues(tenant, 'zone', '', { range })).toEqual(['eu']);
    expect(await data.reader.services(`${tenant} not`)).toEqual([]);
  });

  it.each(['tags', 'resourceTags'] as const)('has values of the empty key in %s beside others', async (level) => {
    const values = ['x', 7n, 1.5, true, [['deep']]];
    const tenant = await stored(
      ...values.map((value, i) => ({
        trace: i + 1,
        [level]: [
          ['k', value],
          ['', value],
        ],
      })),
      { trace: 9, [level]: [['k', 'y']] },
    );
    const scope = level === 'tags' ? TagScope.span : TagScope.resource;
    expect(
      (await data.reader.tagKeys(tenant, '')).filter((each) => each.key === '' && each.scope === scope),
    ).toHaveLength(5);
    const within = level === 'tags' ? ['deep'] : [];
    expect(await data.reader.tagValues(tenant, '', '', { range })).toEqual(['1.5', '7', ...within, 'true', 'x']);
    expect(await data.reader.tagValues(tenant, '', 'x', { range })).toEqual(['x']);
    const counts = await data.reader.valueCounts(tenant, scope, '', { range, limit: 9 });
    expect(counts?.entries.map((each) => `${each.type} ${each.text} ${each.spans}`).toSorted()).toEqual([
      'boolean true 1',
      'number 1.5 1',
      'number 7 1',
      'string x 1',
    ]);
  });

  it('summaries name the root, count spans, failures and services, and count a span sent twice once', async () => {
    const batch = batchOf(
      { trace: 1, span: 1, service: 'front', name: 'GET /', ms: 100 },
      { trace: 1, span: 2, parent: 1, service: 'back', name: 'query', atMs: 20, ms: 200, status: 2 },
      { trace: 1, span: 3, parent: 1, service: 'back', name: 'query', atMs: 30, ms: 5 },
    );
    const tenant = data.newTenant();
    const one = { batch, receivedUnixNano: NOON, tenant };
    await data.store.store([one]);
    await data.store.store([one]);
    expect(await data.reader.summaries(tenant, [traceIdText(1), traceIdText(77)])).toEqual([
      {
        traceId: traceIdText(1),
        rootName: 'GET /',
        rootService: 'front',
        hasRoot: true,
        startUnixNano: NOON,
        durationNano: 220_000_000n,
        spans: 3,
        errors: 1,
        services: [
          { name: 'back', spans: 2, errors: 1 },
          { name: 'front', spans: 1, errors: 0 },
        ],
      },
    ]);
    expect((await data.reader.readTraces(tenant, [traceIdText(1)])).get(traceIdText(1))?.count).toBe(3);
  });

  it('skeletons have the columns of a waterfall, details the rest', async () => {
    const tenant = await stored(
      { trace: 1, span: 2, parent: 1, service: 'back', atMs: 5, status: 2, tags: [['a', 'b']], eventTags: [] },
      { trace: 1, span: 1, service: 'front', name: 'root' },
    );
    const skeleton = await data.reader.skeleton(tenant, traceIdText(1));
    expect(skeleton).toMatchObject({ count: 2 });
    expect([...skeleton!.startUnixNano]).toEqual([NOON, NOON + 5_000_000n]);
    expect([...skeleton!.errors]).toEqual([0, 1]);
    expect([...skeleton!.eventCounts]).toEqual([0, 1]);
    expect([...skeleton!.services].map((index) => skeleton!.texts[index])).toEqual(['front', 'back']);
    expect(await data.reader.skeleton(tenant, traceIdText(2))).toBeUndefined();
    const details = await data.reader.spanDetails(tenant, traceIdText(1), ['0000000000000002']);
    expect(dropEqualSpans(details!).count).toBe(1);
  });

  it('a series counts spans by step with durations and failures', async () => {
    const tenant = await stored(
      { trace: 1, atMs: 0, ms: 1 },
      { trace: 2, atMs: 10, status: 2 },
      { trace: 3, atMs: 61_000 },
    );
    const series = await data.reader.series(tenant, { range, stepNano: 60_000_000_000n });
    expect(series.map(({ startUnixNano, spans, errors }) => [startUnixNano, spans, errors])).toEqual([
      [NOON, 2, 1],
      [NOON + 60_000_000_000n, 1, 0],
    ]);
    expect([...series[0]!.histogram.values()].reduce((a, b) => a + b)).toBe(2);
    await expect(data.reader.series(tenant, { range, stepNano: 1n })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});
