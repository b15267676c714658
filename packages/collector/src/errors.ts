import { CodedError } from '@clew/base';

/**
 * Codes of errors raised by `@clew/collector`; retired codes are never used again.
 *
 * - `authenticator_missing`: a server names an authenticator that is not there or does not authenticate servers.
 * - `connector_unused`: a connector begins no pipeline.
 */
export type CollectorErrorCode = 'authenticator_missing' | 'connector_unused';

/** Raised by `@clew/collector`. */
export class CollectorError extends CodedError<CollectorErrorCode> {}
