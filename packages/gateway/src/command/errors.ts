import { CodedError } from '@clew/base';

/**
 * Codes of errors about running a gateway; retired codes are never used again.
 *
 * - `configuration`: no usable configuration; the message is the whole report.
 * - `start_failed`: a listener could not be opened or another part not be started.
 * - `thread_lost`: a thread of the gateway ended while it was asked for something.
 */
export type GatewayErrorCode = 'configuration' | 'start_failed' | 'thread_lost';

/** Raised when a gateway cannot be started. */
export class GatewayError extends CodedError<GatewayErrorCode> {}
