import type { RetryPolicyConfig } from '../../config/model/route.ts';

/** Methods that may be repeated without doing more than once (RFC 9110 section 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

export function isIdempotent(method: string): boolean {
  return idempotent.has(method);
}

/** What a decision about another try depends on. */
export interface RetrySituation {
  readonly policy: RetryPolicyConfig | undefined;
  readonly method: string;
  /** Tries made so far. */
  readonly attempts: number;
  /** Whether anything may have been sent upstream. */
  readonly sent: boolean;
  /** Whether the body, if there is one, can be sent from its beginning. */
  readonly bodyAvailable: boolean;
}

/** Whether a failed attempt is followed by another one. */
export function mayRetry({ policy, method, attempts, sent, bodyAvailable }: RetrySituation): boolean {
  if (policy === undefined || attempts >= policy.maxAttempts || !bodyAvailable) return false;
  // Nothing has happened yet: it is the first try all the same.
  if (!sent) return true;
  return policy.retryNonIdempotent || isIdempotent(method);
}

/** Before the try after `attempts` tries. */
export function backoffMs(policy: RetryPolicyConfig, attempts: number): number {
  return Math.min(policy.backoffMs * 2 ** Math.max(attempts - 1, 0), policy.maxBackoffMs);
}
