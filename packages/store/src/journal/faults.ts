/**
 * Named places at which tests end the process or fail an operation. In production no handler is set and a place costs one comparison.
 */
export type FaultStep =
  | 'journal.before_write'
  | 'journal.after_write'
  | 'journal.before_sync'
  | 'journal.after_sync'
  | 'journal.before_seal'
  | 'journal.after_create'
  | 'writer.before_build'
  | 'writer.after_file'
  | 'writer.before_insert'
  | 'writer.between_tables'
  | 'writer.after_insert_before_delete'
  | 'writer.after_request_log'
  | 'writer.after_delete'
  | 'recovery.before_scan'
  | 'recovery.before_truncate'
  | 'recovery.before_count'
  | 'recovery.after_count'
  | 'recovery.after_delete_rows';

/** All steps, for tests that visit each. */
export const FAULT_STEPS = Object.freeze([
  'journal.before_write',
  'journal.after_write',
  'journal.before_sync',
  'journal.after_sync',
  'journal.before_seal',
  'journal.after_create',
  'writer.before_build',
  'writer.after_file',
  'writer.before_insert',
  'writer.between_tables',
  'writer.after_insert_before_delete',
  'writer.after_request_log',
  'writer.after_delete',
  'recovery.before_scan',
  'recovery.before_truncate',
  'recovery.before_count',
  'recovery.after_count',
  'recovery.after_delete_rows',
] as const satisfies readonly FaultStep[]);

let handler: ((step: FaultStep) => void) | undefined;

/** Sets what happens at every step, or nothing again. For tests only. */
export function setFaultHandler(next: ((step: FaultStep) => void) | undefined): void {
  handler = next;
}

/** Passes a named step. */
export function fault(step: FaultStep): void {
  if (handler !== undefined) handler(step);
}
