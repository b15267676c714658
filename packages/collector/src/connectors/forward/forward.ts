import { PassThrough } from '@clew/pipeline';

/** Hands everything from the pipelines it ends to those it begins. */
export class Forward extends PassThrough {
  readonly mutatesData = false;
}
