import { z } from 'zod';

/** `adaptive_sampling` has no settings: those of adaptive sampling are in the `remote_sampling` extension. */
export const adaptiveSamplingConfig = z.strictObject({}).prefault({});

/** Settings of `adaptive_sampling`. */
export type AdaptiveSamplingConfig = z.output<typeof adaptiveSamplingConfig>;
