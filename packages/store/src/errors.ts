import { CodedError } from '@clew/base';

/**
 * What can go wrong in the store. Codes are part of the public contract: never reused, never renamed.
 *
 * Retryable by the caller without any change: `engine_unavailable`, `overloaded`, `journal_full`, `journal_write_failed`, `disk_full`.
 * Caused by the question asked: `timeout`, `memory_limit`, `result_limit`, `sql_error`, `invalid_argument`.
 */
export type StoreErrorCode =
  /** The engine is not running, is being restarted, or went away while the statement ran. */
  | 'engine_unavailable'
  /** Too many statements wait already, or this one waited longer than allowed: try later. */
  | 'overloaded'
  /** The statement passed its time limit and was killed. */
  | 'timeout'
  /** The caller aborted, or stopped reading. */
  | 'cancelled'
  /** The statement, or the engine as a whole, reached its memory limit. */
  | 'memory_limit'
  /** The result has more rows or bytes than allowed. */
  | 'result_limit'
  /** The engine refused the statement; `details.engineCode` is ClickHouse's error number. */
  | 'sql_error'
  /** Another process works on the same data directory. */
  | 'directory_locked'
  /** The data directory cannot be created, read or written. */
  | 'directory_unreadable'
  /** The data was written by a newer version whose schema this one does not know. */
  | 'schema_newer'
  /** A step of creating or migrating the schema failed. */
  | 'schema_failed'
  /** The journal holds as many bytes as it may. */
  | 'journal_full'
  /** Writing or syncing the journal failed for another reason than space: nothing of the request was kept. */
  | 'journal_write_failed'
  /** The file system is full. */
  | 'disk_full'
  /** A journal record does not match its checksum. */
  | 'journal_damaged'
  /** Inserting a segment failed for good. */
  | 'insert_failed'
  /** A caller passed a value outside the contract: an error in the program, not in the data. */
  | 'invalid_argument';

/** Raised by `@clew/store`. */
export class StoreError extends CodedError<StoreErrorCode> {}
