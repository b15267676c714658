import { hexOf, selectSpans, splitByTrace, type SpanBatch, toPlain } from '@clew/model';
import { arbitraryBatch } from '@clew/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ResourceCache } from './resource-cache.ts';
import { readTraces } from './read-traces.ts';
import { toStorageOrder } from './storage-order.ts';
import { batchOf } from './test-support/spans.ts';
import { noPending, openTestStore, TENANT, type TestStore } from './test-support/test-store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
}, 60_000);
afterAll(() => store.close());

const received = 1_795_000_000_000_000_000n;

/** Plain spans in an order that does not depend on where they were stored. */
function sorted(batch: SpanBatch): string[] {
  const copy = selectSpans(
    batch,
    Uint8Array.from({ length: batch.count }, () => 1),
  );
  toStorageOrder(copy);
  return toPlain(copy)
    .map((span) =>
      JSON.stringify(span, (_, value: unknown) =>
        typeof value === 'bigint'
          ? `${value}n`
          : value instanceof Uint8Array
            ? `hex ${hexOf(value, 0, value.length)}`
            : Object.is(value, -0)
              ? '-0'
              : typeof value === 'number' && !Number.isFinite(value)
                ? String(value)
                : value,
      ),
    )
    .toSorted();
}

/** Every trace of the batch is read as it was stored, equal spans once. */
async function expectStored(tenant: string, batch: SpanBatch): Promise<void> {
  const traces = splitByTrace(batch);
  const ids = traces.map(({ first }) => hexOf(batch.traceIds, first * 16, 16));
  const source = { client: store.client, pending: noPending, resources: new ResourceCache(store.client) };
  const found = await readTraces(source, tenant, ids);
  expect([...found.keys()].toSorted()).toEqual(ids.toSorted());
  traces.forEach(({ rows }, i) => {
    const wanted = [...new Set(sorted(selectSpans(batch, rows)))];
    expect(sorted(found.get(ids[i]!)!)).toEqual(wanted);
  });
}

describe('a stored batch', () => {
  it('comes back with everything it had, whatever it had', async () => {
    let tenants = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryBatch(), { minLength: 4, maxLength: 10 }), async (batches) => {
        // One segment for all, as it is when many clients send at once.
        const stored = batches.map((batch) => ({ batch, receivedUnixNano: received, tenant: `tenant-${tenants++}` }));
        await store.store(stored);
        for (const { batch, tenant } of stored) await expectStored(tenant, batch);
      }),
      { numRuns: 10 },
    );
  }, 120_000);

  it('comes back when its service name is no valid UTF-8', async () => {
    const batch = batchOf({ trace: 1, service: 'caf\udce9' }, { trace: 1, service: 'café' });
    await store.store([{ batch, receivedUnixNano: received, tenant: 'latin' }]);
    await expectStored('latin', batch);
  }, 60_000);

  it('is found before it is stored, and once when it is both waiting and stored', async () => {
    const batch = fc.sample(arbitraryBatch(), { numRuns: 20, seed: 7 }).find((each) => each.count > 2)!;
    const [first] = splitByTrace(batch);
    const id = hexOf(batch.traceIds, first!.first * 16, 16);
    const pending = { ...noPending, findTrace: async () => [{ batch, rows: first!.rows, receivedUnixNano: received }] };
    const source = { client: store.client, pending, resources: new ResourceCache(store.client) };
    const wanted = [...new Set(sorted(selectSpans(batch, first!.rows)))];
    expect(sorted((await readTraces(source, TENANT, [id])).get(id)!)).toEqual(wanted);
    await store.store([{ batch, receivedUnixNano: received }]);
    expect(sorted((await readTraces(source, TENANT, [id])).get(id)!)).toEqual(wanted);
  }, 60_000);

  it('is not there for another tenant', async () => {
    const batch = fc.sample(arbitraryBatch(), { numRuns: 20, seed: 8 }).find((each) => each.count > 0)!;
    await store.store([{ batch, receivedUnixNano: received }]);
    const id = hexOf(batch.traceIds, 0, 16);
    const source = { client: store.client, pending: noPending, resources: new ResourceCache(store.client) };
    expect((await readTraces(source, TENANT, [id])).size).toBe(1);
    expect((await readTraces(source, 'somebody else', [id])).size).toBe(0);
  }, 60_000);
});
