import { errorMessage } from '@clew/base';

import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { createStatements, type DdlTarget } from './ddl.ts';
import { addTables } from './migration-steps.ts';
import type { Migration, StepContext } from './migration-types.ts';
import { samplingTables } from './sampling-tables.ts';
import type { SchemaSpec } from './table-types.ts';
import { currentSchema } from './tables.ts';

/** The way from each earlier version to the current one. */
export const migrations: readonly Migration[] = [
  { schema: { ...currentSchema, version: 2 }, steps: [addTables(...samplingTables.map(({ name }) => name))] },
  // Leaves beside attributes (`block/leaf-writer.ts`): the tables stay, but versions before would not know what they read.
  { schema: { ...currentSchema, version: 3 }, steps: [] },
];

/** How a migration is carried out. */
export interface MigrateOptions {
  /** Runs work while no segment is being inserted. Without it, nobody may insert during the migration. */
  readonly holdInserts?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Told what is about to happen. */
  readonly onStep?: (step: { readonly version: number; readonly name: string }) => void;
  /** For tests: the schema to reach and the way there. */
  readonly target?: { readonly schema: SchemaSpec; readonly migrations: readonly Migration[] };
}

const CREATE_STATE =
  'CREATE TABLE IF NOT EXISTS clew_schema (version UInt32, step String, at_ms UInt64) ENGINE = ReplacingMergeTree ORDER BY (version, step) ' +
  'SETTINGS fsync_after_insert = 1, fsync_part_directory = 1';
/** Recorded under its version when all of its steps are done. */
const COMPLETE = 'complete';

/**
 * Brings the tables to the schema of this version: creates them when there are none, else runs the migrations that are missing. Every step is recorded, so
 * an interrupted migration goes on where it was. Throws `schema_newer` when the data is of a newer version, `schema_failed` when a step fails.
 */
export async function migrate(client: SqlClient, ddl: DdlTarget, options: MigrateOptions = {}): Promise<void> {
  const { schema, migrations: path } = options.target ?? { schema: currentSchema, migrations };
  await client.execute(CREATE_STATE, { class: 'control', comment: 'prepare the schema state' });
  const state = await SchemaState.read(client);
  const found = state.version;
  if (found > schema.version) {
    throw new StoreError(
      'schema_newer',
      `The data was written with schema version ${found} and this version of Clew knows up to ${schema.version}: start the newer Clew again, or choose another data directory.`,
      { details: { found, known: schema.version } },
    );
  }
  if (found === 0) {
    await runStep(schema.version, 'create', async () => {
      for (const statement of createStatements(schema, ddl)) await run(client, statement);
    });
    await state.record(schema.version, COMPLETE);
    return;
  }
  for (let version = found + 1; version <= schema.version; version++) {
    const migration = path.find((each) => each.schema.version === version);
    if (migration === undefined) {
      throw new StoreError(
        'schema_failed',
        `migrate the schema from version ${found}: there is no way to version ${version}; use a version of Clew in between`,
      );
    }
    await runMigration(client, ddl, state, migration, options);
  }
}

async function runMigration(
  client: SqlClient,
  ddl: DdlTarget,
  state: SchemaState,
  migration: Migration,
  options: MigrateOptions,
): Promise<void> {
  const { schema, steps } = migration;
  const { version } = schema;
  for (const step of steps) {
    if (state.has(version, step.name)) continue;
    options.onStep?.({ version, name: step.name });
    const context: StepContext = {
      client,
      ddl,
      schema,
      isDone: (part) => state.has(version, `${step.name}/${part}`),
      record: (part) => state.record(version, `${step.name}/${part}`),
      holdInserts: options.holdInserts ?? ((work) => work()),
    };
    await runStep(version, step.name, () => step.run(context));
    await state.record(version, step.name);
  }
  await state.record(version, COMPLETE);
}

async function runStep(version: number, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new StoreError(
      'schema_failed',
      `migrate the schema to version ${version}: step "${name}" failed: ${errorMessage(error)}. Nothing is lost; the next start goes on from here.`,
      { cause: error },
    );
  }
}

async function run(client: SqlClient, statement: string): Promise<void> {
  await client.execute(statement, { class: 'control', comment: 'migrate the schema' });
}

/** What was recorded of versions and steps. */
class SchemaState {
  readonly #client: SqlClient;
  readonly #steps: Set<string>;
  /** The newest version that is complete; 0 when there is none. */
  readonly version: number;

  private constructor(client: SqlClient, rows: readonly { version: number; step: string }[]) {
    this.#client = client;
    this.#steps = new Set(rows.map((row) => `${row.version}/${row.step}`));
    this.version = Math.max(0, ...rows.filter((row) => row.step === COMPLETE).map((row) => row.version));
  }

  static async read(client: SqlClient): Promise<SchemaState> {
    const rows = await client.rows<{ version: number; step: string }>('SELECT version, step FROM clew_schema', {
      class: 'control',
      comment: 'read the schema state',
    });
    return new SchemaState(client, rows);
  }

  has(version: number, step: string): boolean {
    return this.#steps.has(`${version}/${step}`);
  }

  async record(version: number, step: string): Promise<void> {
    await this.#client.execute(
      'INSERT INTO clew_schema (version, step, at_ms) SELECT {version:UInt32}, {step:String}, {at:UInt64}',
      {
        class: 'control',
        comment: 'record a step of the schema',
        params: { version, step, at: Date.now() },
      },
    );
    this.#steps.add(`${version}/${step}`);
  }
}
