import { errorMessage } from '@clew/base';
import { textReply } from '@clew/net';
import type { HttpReply } from '@clew/net';
import { Refusal } from '@clew/pipeline';
import { WireError } from '@clew/wire';
import { bodyFailureStatus } from './http-ingest.ts';

/** How long clients without a hint wait before they send again, seconds. */
const defaultRetrySeconds = 1;

/** The words a protocol puts before the cause of a failure. */
export interface FailureWords {
  readonly badBody: string;
  readonly notTaken: string;
}

/** The answer of protocols that speak in plain text: 202 and nothing. */
export const acceptedReply: HttpReply = Object.freeze({ status: 202 });

/**
 * What plain-text protocols answer to a failure: 400 to a body that is not what it should be, 413 and 408 to one too large or too slow,
 * 503 with Retry-After when the same request may succeed later, 500 when it never will.
 */
export function plainFailure(caught: unknown, words: FailureWords): HttpReply {
  const status = bodyFailureStatus(caught);
  if (status !== undefined) return textReply(status, words.badBody + errorMessage(caught));
  if (caught instanceof WireError) return textReply(400, words.badBody + caught.message);
  return plainRefusal(Refusal.from(caught), words);
}

/** What plain-text protocols answer when the pipeline does not take spans. */
export function plainRefusal(refusal: Refusal, words: FailureWords): HttpReply {
  const text = words.notTaken + refusal.message;
  if (!refusal.retryable) return textReply(refusal.code === 'invalid' ? 400 : 500, text);
  const seconds = refusal.retryAfterMs === undefined ? defaultRetrySeconds : Math.ceil(refusal.retryAfterMs / 1000);
  return textReply(503, text, { 'retry-after': String(Math.max(1, seconds)) });
}
