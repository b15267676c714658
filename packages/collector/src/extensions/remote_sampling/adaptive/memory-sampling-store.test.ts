import { describeSamplingStoreContract } from '@clew/pipeline/contract-tests';
import { MemorySamplingStore } from './test/memory-sampling-store.ts';

describeSamplingStoreContract('the store that tests use', async () => {
  const store = new MemorySamplingStore();
  return { store, addRoots: async (roots) => store.addRoots(roots), close: async () => {} };
});
