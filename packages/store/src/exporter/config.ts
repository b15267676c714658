import { z } from 'zod';

/** `clew_store` has no settings: where and how data is kept is said once, in the `clew_storage` extension. */
export const clewStoreConfig = z.strictObject({}).prefault({});

/** Settings of `clew_store`. */
export type ClewStoreConfig = z.output<typeof clewStoreConfig>;
