import { CodedError } from '@clew/base';

/**
 * Codes of errors raised by `@clew/collector`; retired codes are never used again.
 *
 * - `authenticator_missing`: a server names an authenticator that is not there or does not authenticate servers.
 * - `connector_unused`: a connector begins no pipeline.
 * - `sampling_unreadable`: the file or address with sampling strategies cannot be read.
 * - `sampling_invalid`: what was read from there are no sampling strategies.
 * - `sampling_store_missing`: adaptive sampling finds no storage to work with.
 */
export type CollectorErrorCode =
  'authenticator_missing' | 'connector_unused' | 'sampling_unreadable' | 'sampling_invalid' | 'sampling_store_missing';

/** Raised by `@clew/collector`. */
export class CollectorError extends CodedError<CollectorErrorCode> {}
