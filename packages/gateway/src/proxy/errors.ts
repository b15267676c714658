import { CodedError } from '@clew/base';
import type { AttemptFailureReason } from './exchange.ts';

/**
 * Codes of errors of the proxy: the reasons why attempts fail, and
 *
 * - `bind_failed`: a listener's address could not be bound.
 * - `tls_config`: a listener's or an upstream's certificates cannot be used.
 * - `static_root`: a folder of static files cannot be used.
 * - `body_too_large`, `body_broken`: a request body that must not go on.
 * - `invalid_field`: a field or a target that no message may have.
 * - `invalid_state`: a method was called at a time it makes no sense.
 */
export type ProxyErrorCode =
  | AttemptFailureReason
  | 'bind_failed'
  | 'tls_config'
  | 'static_root'
  | 'body_too_large'
  | 'body_broken'
  | 'invalid_field'
  | 'invalid_state';

/** Raised by the proxy. */
export class ProxyError extends CodedError<ProxyErrorCode> {}
