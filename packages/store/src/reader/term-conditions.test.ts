import { fromPlain, plainSpan, type AttributeValue, type PlainSpan } from '@clew/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { StoreReader } from './store-reader.ts';
import type { SpanFilter } from './span-filter.ts';
import type { TermFilter } from './term-conditions.ts';
import { noPending, openTestStore, type TestStore } from './test-support/test-store.ts';

let store: TestStore;
let reader: StoreReader;
let tenants = 0;
beforeAll(async () => {
  store = await openTestStore();
  reader = new StoreReader(store.client, noPending);
}, 60_000);
afterAll(() => store.close());

const received = 1_795_000_000_000_000_000n;
const range = { startUnixNano: received - 3_600_000_000_000n, endUnixNano: received };

/** Spans with increasing numbers as ids, all in the range. */
function spans(...parts: Partial<PlainSpan>[]): PlainSpan[] {
  return parts.map((part, i) => ({
    ...plainSpan({ traceId: (i + 1).toString(16), spanId: (i + 1).toString(16), startUnixNano: received - 1_000n }),
    ...part,
  }));
}

async function stored(list: readonly PlainSpan[]): Promise<string> {
  const tenant = `tenant ${tenants++}`;
  await store.store([{ batch: fromPlain(list), receivedUnixNano: received, tenant }]);
  return tenant;
}

/** Stores one span for each value of the attribute `k`; `undefined` for a span without it. */
function storedValues(...values: (AttributeValue | undefined)[]): Promise<string> {
  return stored(spans(...values.map((value) => ({ attributes: value === undefined ? [] : [{ key: 'k', value }] }))));
}

/** Numbers of the spans that satisfy the filter; counting must agree. */
async function matching(tenant: string, filter: SpanFilter): Promise<number[]> {
  const found = await reader.findTraces(tenant, { ...filter, range, limit: 100 });
  expect(await reader.countSpans(tenant, filter, range)).toBe(found.traces.length);
  return found.traces.map(({ traceId }) => Number.parseInt(traceId, 16)).toSorted((a, b) => a - b);
}

function term(operator: string, value?: AttributeValue, key = 'k', scope = 'any'): SpanFilter {
  const right =
    value === undefined
      ? {}
      : {
          value:
            typeof value === 'boolean'
              ? value
              : { type: typeof value === 'string' ? 'string' : 'number', text: String(value) },
        };
  return { terms: [{ scope, key, operator, ...right } as TermFilter] };
}

describe('a term', () => {
  it.each([
    ['>', true, 'use = or !='],
    ['=~', 5n, 'a pattern in quotes'],
    ['=~', '(', 'missing closing'],
    ['!~', 'a(?=b)', '(?='],
  ])('with %s %s is refused with what to do', async (operator, value, words) => {
    await expect(matching('nobody', term(operator, value))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(words) as string,
    });
  });

  it('compares text exactly, byte by byte', async () => {
    const tenant = await storedValues('b', 'B', 'ba', '', undefined, 5n, true, ['a', 'b'], []);
    expect(await matching(tenant, term('=', 'b'))).toEqual([1, 8]);
    expect(await matching(tenant, term('!=', 'b'))).toEqual([2, 3, 4]);
    expect(await matching(tenant, term('=', ''))).toEqual([4]);
    expect(await matching(tenant, term('!=', ''))).toEqual([1, 2, 3, 8]);
    expect(await matching(tenant, term('>', 'b'))).toEqual([3]);
    expect(await matching(tenant, term('<=', 'b'))).toEqual([1, 2, 4, 8]);
    expect(await matching(tenant, term('=', '5'))).toEqual([]);
    expect(await matching(tenant, term('=', 'true'))).toEqual([]);
  });
});

describe('the newest span', () => {
  it('is none for a tenant without spans', async () => {
    expect(await reader.newestSpan('nobody')).toBeUndefined();
  });

  it('is the one that started last', async () => {
    const list = spans({}, {}, {}).map((span, i) => ({ ...span, startUnixNano: received - BigInt(i === 1 ? 5 : 1e9) }));
    const tenant = await stored(list as PlainSpan[]);
    expect(await reader.newestSpan(tenant)).toEqual({
      traceId: '2'.padStart(32, '0'),
      startUnixNano: received - 5n,
      receivedUnixMs: Number(received / 1_000_000n),
    });
  });
});
