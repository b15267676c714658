import { errorMessage } from '@clew/base';
import type { GatewayFailure } from '../failure.ts';

/** Too much at once: it may work a moment later. */
export function overload(reason: string, message: string): GatewayFailure {
  return { status: 503, type: 'LimitExceeded', reason, message, retryAfterSeconds: 1 };
}

/** A body beyond its limit. */
export function tooLarge(message: string): GatewayFailure {
  return { status: 413, type: 'LimitExceeded', reason: 'body_size', message, closeConnection: true };
}

/** A mistake of the gateway's own. */
export function internal(caught: unknown): GatewayFailure {
  return { status: 500, type: 'Internal', reason: 'internal_error', message: errorMessage(caught) };
}
