import { PassThrough } from '@clew/pipeline';

/**
 * Passes everything on. Where others count here what goes by, the `remote_sampling` extension counts what is stored: that survives
 * restarts, and is the same whichever process received it.
 */
export class AdaptiveSamplingProcessor extends PassThrough {
  readonly mutatesData = false;
}
