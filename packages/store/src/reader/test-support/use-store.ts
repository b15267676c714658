import type { SpanBatch } from '@clew/model';
import { afterAll, beforeAll } from 'vitest';

import { StoreReader } from '../store-reader.ts';
import { noPending, openTestStore, type TestStore } from './test-store.ts';

/** A store of one test file and a reader of it; both are there while its tests run. */
export interface UsedStore {
  readonly store: TestStore;
  readonly reader: StoreReader;
  /** A tenant nobody else has. */
  newTenant(): string;
  /** Stores a batch for a tenant of its own, which it returns. */
  stored(batch: SpanBatch, receivedUnixNano: bigint): Promise<string>;
}

/** Opens a store before the tests of the file and closes it behind them. */
export function useStore(): UsedStore {
  let opened: { readonly store: TestStore; readonly reader: StoreReader } | undefined;
  let tenants = 0;
  beforeAll(async () => {
    const store = await openTestStore();
    opened = { store, reader: new StoreReader(store.client, noPending) };
  }, 120_000);
  afterAll(() => opened?.store.close());

  const used = (): NonNullable<typeof opened> => {
    if (opened === undefined) throw new Error('the store is there only while tests run');
    return opened;
  };
  const newTenant = (): string => `tenant ${tenants++}`;
  return {
    get store() {
      return used().store;
    },
    get reader() {
      return used().reader;
    },
    newTenant,
    async stored(batch, receivedUnixNano) {
      const tenant = newTenant();
      await used().store.store([{ batch, receivedUnixNano, tenant }]);
      return tenant;
    },
  };
}
