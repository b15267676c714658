import type { SqlClient } from '../engine/client.ts';
import type { DdlTarget } from './ddl.ts';
import type { SchemaSpec } from './table-types.ts';

/** What a migration step works with. */
export interface StepContext {
  readonly client: SqlClient;
  readonly ddl: DdlTarget;
  /** The schema this migration leads to. */
  readonly schema: SchemaSpec;
  /** Whether the named part of this step was recorded as done by an earlier, interrupted run. */
  isDone(part: string): boolean;
  /** Records the named part of this step as done. */
  record(part: string): Promise<void>;
  /** Runs `work` while no segment is being inserted; inserts wait in the journal meanwhile. */
  holdInserts<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** One step: must do nothing twice when it is run again after an interruption at any point. */
export interface MigrationStep {
  readonly name: string;
  run(context: StepContext): Promise<void>;
}

/** Leads from version `schema.version - 1` to `schema`. */
export interface Migration {
  readonly schema: SchemaSpec;
  readonly steps: readonly MigrationStep[];
}
