import { Refusal } from '@clew/pipeline';
import { StoreError } from '../errors.ts';

/** When to come back after the journal or the disk was full: about the time in which some segments are stored. */
const FULL_RETRY_MS = 5000;
/** When to come back after anything passing. */
const BUSY_RETRY_MS = 1000;

/** What a sender is told when the store did not take its data: retryable, except for what can never be taken. */
export function toRefusal(error: unknown): Refusal {
  if (!(error instanceof StoreError)) return Refusal.from(error);
  const { code, message } = error;
  switch (code) {
    case 'journal_full':
    case 'disk_full':
      return new Refusal('unavailable', message, { cause: error, retryAfterMs: FULL_RETRY_MS });
    case 'invalid_argument':
      return new Refusal('permanent', message, { cause: error });
    default:
      return new Refusal('unavailable', message, { cause: error, retryAfterMs: BUSY_RETRY_MS });
  }
}
