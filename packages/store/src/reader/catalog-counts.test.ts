import { emptyScope, fromPlain, plainResource, plainSpan, unixNano, ValueType, type PlainSpan } from '@clew/model';
import { beforeAll, describe, expect, it } from 'vitest';

import { StoreError } from '../errors.ts';
import { TagScope } from '../schema/tables.ts';
import type { CountOptions } from './catalog-counts.ts';
import { StoreReader } from './store-reader.ts';
import { noPending, TENANT } from './test-support/test-store.ts';
import { useStore } from './test-support/use-store.ts';

const data = useStore();
const received = 1_795_000_000_000_000_000n;
const options: CountOptions = {
  range: { startUnixNano: received - 3_600_000_000_000n, endUnixNano: received },
  limit: 10,
};

const shop = plainResource({ 'service.name': 'shop', 'host.name': 'a' });
const cart = plainResource({ 'service.name': 'Cart', 'host.name': 'b', cpus: 4n });
let spanIds = 0;

function span(part: Partial<PlainSpan>): PlainSpan {
  return {
    ...plainSpan({ traceId: '1', spanId: (++spanIds).toString(16), startUnixNano: received - 5n }),
    resource: shop,
    ...part,
  };
}

const event = { timeUnixNano: unixNano(received), name: 'log', droppedAttributes: 0 };

beforeAll(async () => {
  const batch = fromPlain([
    span({ name: 'pay', kind: 2, statusCode: 2, attributes: [{ key: 'code', value: 200n }] }),
    span({
      name: 'pay',
      kind: 2,
      attributes: [
        { key: 'code', value: 200n },
        { key: 'ok', value: true },
      ],
    }),
    span({ name: 'list', kind: 3, attributes: [{ key: 'code', value: '200' }] }),
    span({
      resource: cart,
      name: 'add',
      scope: { ...emptyScope, attributes: [{ key: 'level', value: 1.5 }] },
      attributes: [{ key: 'code', value: 404.5 }],
      events: [{ ...event, attributes: [{ key: 'exception.type', value: 'Oops' }] }],
    }),
    span({ resource: cart, name: 'long ago', startUnixNano: unixNano(received - 7_200_000_000_000n) }),
  ]);
  await data.store.store([{ batch, receivedUnixNano: received }]);
}, 60_000);

describe('lists with counts', () => {
  it('are refused without a limit', async () => {
    await expect(data.reader.serviceCounts(TENANT, { ...options, limit: 0 })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it.each([
    ['timeout', undefined],
    ['engine_unavailable', 'engine_unavailable'],
  ] as const)('meet %s with %s', async (code, outcome) => {
    const rows = (): Promise<never> => Promise.reject(new StoreError(code, 'as the test wants it'));
    const failing = new StoreReader({ ...data.store.client, rows }, noPending);
    const counts: Promise<unknown>[] = [
      failing.serviceCounts(TENANT, options),
      failing.operationCounts(TENANT, options),
      failing.keyCounts(TENANT, options),
      failing.valueCounts(TENANT, TagScope.span, 'code', options),
    ];
    const outcomes = counts.map((count) => count.catch((error: unknown) => (error as StoreError).code));
    expect(await Promise.all(outcomes)).toEqual(counts.map(() => outcome));
  });

  it('give services and span names of the range, most spans first', async () => {
    expect(await data.reader.serviceCounts(TENANT, options)).toEqual([
      { name: 'shop', spans: 3, errors: 1 },
      { name: 'Cart', spans: 1, errors: 0 },
    ]);
    expect(await data.reader.serviceCounts(TENANT, { ...options, prefix: 'cA' })).toHaveLength(1);
    expect(await data.reader.serviceCounts('nobody', options)).toEqual([]);
    expect(await data.reader.operationCounts(TENANT, { ...options, service: 'shop' })).toEqual([
      { name: 'pay', kind: 2, spans: 2 },
      { name: 'list', kind: 3, spans: 1 },
    ]);
    expect(await data.reader.operationCounts(TENANT, { ...options, limit: 2 })).toHaveLength(2);
  });

  it('give attribute keys with their level and type', async () => {
    const keys = await data.reader.keyCounts(TENANT, { ...options, service: 'Cart' });
    expect(keys?.sampled).toBe(false);
    expect(keys?.entries).toHaveLength(6);
    expect(keys?.entries).toEqual(
      expect.arrayContaining([
        { key: 'code', scope: TagScope.span, type: ValueType.DOUBLE, spans: 1 },
        { key: 'exception.type', scope: TagScope.event, type: ValueType.STRING, spans: 1 },
        { key: 'cpus', scope: TagScope.resource, type: ValueType.INT, spans: 1 },
        { key: 'level', scope: TagScope.scope, type: ValueType.DOUBLE, spans: 1 },
      ]),
    );
    const all = await data.reader.keyCounts(TENANT, { ...options, prefix: 'CODE' });
    expect(all?.entries[0]).toEqual({ key: 'code', scope: TagScope.span, type: ValueType.INT, spans: 2 });
    expect(all?.entries).toHaveLength(3);
  });

  it('give values as a term would write them', async () => {
    expect(await data.reader.valueCounts(TENANT, TagScope.span, 'code', options)).toEqual({
      entries: [
        { type: 'number', text: '200', spans: 2 },
        { type: 'string', text: '200', spans: 1 },
        { type: 'number', text: '404.5', spans: 1 },
      ].toSorted((a, b) => b.spans - a.spans || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)),
      sampled: false,
    });
    expect((await data.reader.valueCounts(TENANT, TagScope.span, 'ok', options))?.entries).toEqual([
      { type: 'boolean', text: 'true', spans: 1 },
    ]);
    expect((await data.reader.valueCounts(TENANT, TagScope.resource, 'host.name', options))?.entries).toEqual([
      { type: 'string', text: 'a', spans: 3 },
      { type: 'string', text: 'b', spans: 1 },
    ]);
    expect((await data.reader.valueCounts(TENANT, TagScope.span, 'nobody', options))?.entries).toEqual([]);
  });
});
