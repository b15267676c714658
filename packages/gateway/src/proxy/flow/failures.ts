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

/** Nothing in the configuration says where the request belongs. */
export const noRoute: GatewayFailure = Object.freeze({
  status: 404,
  type: 'NotFound',
  reason: 'no_route',
  message: 'no route matches the request',
});

/** A mistake of the gateway's own. */
export function internal(caught: unknown): GatewayFailure {
  return { status: 500, type: 'Internal', reason: 'internal_error', message: errorMessage(caught) };
}

/** The opening of a WebSocket is a GET without a body (RFC 6455 section 4.1). */
export const upgradeWithBody: GatewayFailure = Object.freeze({
  status: 400,
  type: 'RequestValidation',
  reason: 'upgrade_with_body',
  message: 'the request asks for an upgrade and has a body',
  closeConnection: true,
});
