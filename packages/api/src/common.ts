/** Where the Clew API starts, below the server's base path. Everything in this package is version 1. */
export const apiPrefix = '/api/clew/v1';

/** Nanoseconds, or nanoseconds since 1970-01-01 UTC, as a decimal string: JSON numbers cannot hold them exactly. */
export type NanoString = string;

/** A trace id: 32 lower-case hex digits. */
export type TraceIdText = string;

/** A span id: 16 lower-case hex digits. */
export type SpanIdText = string;

/** Why a request failed. Closed and additive; a retired code is never used again. */
export type ApiErrorCode =
  | 'invalid_request'
  | 'unsupported_query'
  | 'not_found'
  | 'unauthorized'
  | 'forbidden'
  | 'too_large'
  | 'query_limit'
  | 'timeout'
  | 'overloaded'
  | 'unavailable'
  | 'internal';

/** The body of every answer whose status is 4xx or 5xx. */
export interface ApiErrorBody {
  readonly code: ApiErrorCode;
  /** One sentence: what was attempted, what was seen, which rule broke. */
  readonly message: string;
  /** What the person can do about it. */
  readonly hint?: string;
  /** When trying again makes sense; the same as the Retry-After header, in milliseconds. */
  readonly retryAfterMs?: number;
  /** For `invalid_request` and `unsupported_query`: each thing that was wrong. */
  readonly problems?: readonly RequestProblem[];
}

/** One thing wrong with one request parameter. */
export interface RequestProblem {
  /** The parameter's name as it is written in the address. */
  readonly parameter: string;
  readonly message: string;
  /** Where in the parameter's text the problem is, as UTF-16 offsets, when that is known. */
  readonly range?: { readonly start: number; readonly end: number };
  /** A text that would be accepted instead. */
  readonly suggestion?: string;
}

/** Something the reader of an answer should know, shown beside it and never swallowed. */
export interface ApiWarning {
  /** A stable word such as `time_limit`, `negative_duration` or `engine_backlog`. */
  readonly code: string;
  readonly message: string;
  /** How many spans, rows or keys it concerns, when it can be counted. */
  readonly count?: number;
}

/** Why a list ended where it did. `complete`: there was nothing more. */
export type StopReason = 'complete' | 'limit' | 'scan_limit' | 'time_limit' | 'memory_limit';

/** What every list answer says about itself. */
export interface ListFacts {
  /** The limit that applied, whether asked for or the default. */
  readonly limit: number;
  readonly returned: number;
  /** True when rows exist beyond those returned. */
  readonly more: boolean;
  readonly stopReason: StopReason;
  readonly warnings: readonly ApiWarning[];
}

/** What an answer cost to find. */
export interface ScanFacts {
  readonly scannedRows: number;
  /** Absent when the store does not tell. */
  readonly scannedBytes?: number;
  readonly elapsedMs: number;
}

/** A closed time range; `fromUnixNano` is inside it, `toUnixNano` is not. */
export interface TimeRange {
  readonly fromUnixNano: NanoString;
  readonly toUnixNano: NanoString;
}
