import { StoreError } from '../errors.ts';

/** ClickHouse's numbers of errors that come from the engine's surroundings although they are reported as refusals of a statement. */
const environmentCodes: ReadonlySet<number> = new Set([
  3, // UNEXPECTED_END_OF_FILE
  8, // THERE_IS_NO_COLUMN
  16, // NO_SUCH_COLUMN_IN_TABLE
  23, // CANNOT_READ_FROM_ISTREAM
  33, // CANNOT_READ_ALL_DATA
  60, // UNKNOWN_TABLE
  74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
  75, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  76, // CANNOT_OPEN_FILE
  77, // CANNOT_CLOSE_FILE
  81, // UNKNOWN_DATABASE
  107, // FILE_DOESNT_EXIST
  164, // READONLY
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  218, // TABLE_IS_DROPPED
  236, // ABORTED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  244, // UNEXPECTED_ZOOKEEPER_ERROR
  319, // UNKNOWN_STATUS_OF_INSERT
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  473, // DEADLOCK_AVOIDED
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
  999, // KEEPER_EXCEPTION
]);

const TOO_MANY_PARTS = 252;

/**
 * Whether the same spans would fail the same way for ever. False is the safe answer: the segment stays in the journal and is tried again.
 * What is neither the store's nor the system's error comes from unpacking or building, and is about the data.
 */
export function failsForGood(error: unknown): boolean {
  if (!(error instanceof StoreError)) return !(error instanceof Error && 'syscall' in error);
  if (error.code !== 'sql_error') return false;
  const engineCode = Number(error.details['engineCode'] ?? 0);
  // One number for two things: a table with too many parts heals by merging, a block of too many partitions never.
  if (engineCode === TOO_MANY_PARTS) return error.message.includes('partitions for single INSERT');
  return engineCode !== 0 && !environmentCodes.has(engineCode);
}

/** Whether the rows may be there although storing the segment failed. */
export function leavesDoubt(error: unknown): boolean {
  return !(error instanceof StoreError && error.code === 'overloaded');
}

/** Whether a smaller block may pass where this one did not. */
export function needsLess(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'memory_limit';
}
