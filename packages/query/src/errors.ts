import { CodedError } from '@clew/base';

/**
 * Codes of errors raised by `@clew/query`; retired codes are never used again.
 *
 * - `no_storage`: the query extension found no storage extension to read from.
 */
export type QueryErrorCode = 'no_storage';

/** Raised by `@clew/query`. */
export class QueryError extends CodedError<QueryErrorCode> {}
