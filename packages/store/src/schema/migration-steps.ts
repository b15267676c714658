import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { columnDefinition, createTable, createView, dropTable, localName, onCluster } from './ddl.ts';
import type { MigrationStep, StepContext } from './migration-types.ts';
import type { ColumnSpec, SchemaSpec, TableSpec } from './table-types.ts';

/** Steps migrations are made of. Each can be interrupted anywhere and run again. */

/** Adds tables that earlier versions did not have. */
export function addTables(...tables: readonly string[]): MigrationStep {
  return {
    name: `add ${tables.join(', ')}`,
    async run({ client, ddl, schema }) {
      for (const statement of tables.flatMap((table) => createTable(specOf(schema, table), ddl))) {
        await run(client, statement);
      }
    },
  };
}

/** Adds a column that old rows have the default of. */
export function addColumn(table: string, column: ColumnSpec): MigrationStep {
  return {
    name: `add ${table}.${column.name}`,
    async run({ client, ddl }) {
      const tables = ddl.target === 'cluster' ? [localName(table, ddl), table] : [table];
      for (const each of tables) {
        await run(client, `ALTER TABLE ${each}${onCluster(ddl)} ADD COLUMN IF NOT EXISTS ${columnDefinition(column)}`);
      }
    },
  };
}

/** How rows of the old form become rows of the new one: an expression for each column that is not taken as it is. */
export type ColumnExpressions = Readonly<Record<string, string>>;

/**
 * Gives a table another key, partitioning or column types. New rows go to the new form at once; old ones are copied partition by partition, newest first, and
 * appear to readers as they are.
 */
export function rebuildTable(table: string, expressions: ColumnExpressions = {}): MigrationStep {
  return {
    name: `rebuild ${table}`,
    async run(context) {
      const spec = specOf(context.schema, table);
      const old = `${table}_old`;
      await context.holdInserts(() => exchange(context, spec, old));
      await copyPartitions(context, old, spec, expressions);
      for (const statement of dropTable(old, context.ddl)) await run(context.client, statement);
    },
  };
}

/**
 * Moves columns of table `from` to the new table `to`, whose rows are selected with `expressions`. Columns that the schema no longer has in `from`
 * are gone from it afterwards.
 */
export function splitTable(from: string, to: string, expressions: ColumnExpressions = {}): MigrationStep {
  return {
    name: `split ${to} from ${from}`,
    async run(context) {
      const { client, ddl, schema } = context;
      const target = specOf(schema, to);
      const source = specOf(schema, from);
      const old = `${from}_old`;
      for (const statement of createTable(target, ddl)) await run(client, statement);
      await context.holdInserts(() => exchange(context, source, old));
      await copyPartitions(context, old, target, expressions, 'keep');
      await copyPartitions(context, old, source, {}, 'drop');
      for (const statement of dropTable(old, ddl)) await run(client, statement);
    },
  };
}

/**
 * Puts an empty table of the new form in the place of the old one, which goes on as `old`, and makes the views anew. Whether it happened is seen from
 * the tables: once `old` exists, the exchange is done.
 */
async function exchange(context: StepContext, spec: TableSpec, old: string): Promise<void> {
  const { client, ddl, schema } = context;
  if (ddl.target === 'cluster') {
    throw new StoreError(
      'schema_failed',
      `rebuild ${spec.name}: not supported on a cluster yet; rebuild it by hand as docs/store.md says`,
    );
  }
  if (context.isDone('exchanged')) return;
  const next = `${spec.name}_next`;
  if (!(await exists(client, old))) {
    for (const view of await viewsOf(client)) await run(client, `DROP TABLE IF EXISTS ${view} SYNC`);
    for (const statement of createTable({ ...spec, name: next }, ddl)) await run(client, statement);
    // Two names change in one statement of the database, so no moment has neither table.
    await run(client, `RENAME TABLE ${spec.name} TO ${old}, ${next} TO ${spec.name}`);
  }
  if (!(await exists(client, spec.name))) {
    for (const statement of createTable(spec, ddl)) await run(client, statement);
  }
  // Left over when the renaming was cut in two.
  await run(client, `DROP TABLE IF EXISTS ${next} SYNC`);
  for (const view of schema.views) await run(client, createView(view, ddl));
  await context.record('exchanged');
}

/**
 * Copies what is in `old` to `spec`, one partition after the other. A copy is made aside and then moved in one go, and the record of it is written in
 * between, so that an interruption neither loses nor doubles rows.
 */
async function copyPartitions(
  context: StepContext,
  old: string,
  spec: TableSpec,
  expressions: ColumnExpressions,
  after: 'drop' | 'keep' = 'drop',
): Promise<void> {
  const { client, ddl } = context;
  if (!(await exists(client, old))) return;
  const stage = `${spec.name}_stage`;
  for (const statement of createTable({ ...spec, name: stage }, ddl)) await run(client, statement);
  const available = await columnsOf(client, old);
  const columns = spec.columns.filter((column) => expressions[column.name] !== undefined || available.has(column.name));
  const names = columns.map((column) => column.name).join(', ');
  const values = columns.map((column) => expressions[column.name] ?? column.name).join(', ');
  for (const partition of (await partitionsOf(client, old)).toReversed()) {
    const moved = `${spec.name}/moved ${partition}`;
    if (context.isDone(moved)) continue;
    const copied = `${spec.name}/copied ${partition}`;
    if (!context.isDone(copied)) {
      await run(client, `TRUNCATE TABLE ${stage}`);
      await run(
        client,
        `INSERT INTO ${stage} (${names}) SELECT ${values} FROM ${old} WHERE _partition_id = '${partition}'`,
      );
      await context.record(copied);
    }
    for (const ready of await partitionsOf(client, stage)) {
      await run(client, `ALTER TABLE ${stage} MOVE PARTITION ID '${ready}' TO TABLE ${spec.name}`);
    }
    await context.record(moved);
    if (after === 'drop') await run(client, `ALTER TABLE ${old} DROP PARTITION ID '${partition}'`);
  }
  await run(client, `DROP TABLE IF EXISTS ${stage} SYNC`);
}

function specOf(schema: SchemaSpec, table: string): TableSpec {
  const spec = schema.tables.find((each) => each.name === table);
  if (spec === undefined) {
    throw new StoreError('schema_failed', `migrate to schema ${schema.version}: it describes no table ${table}`);
  }
  return spec;
}

async function exists(client: SqlClient, table: string): Promise<boolean> {
  const rows = await client.rows(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
    {
      class: 'control',
      comment: 'look for a table',
      params: { name: table },
    },
  );
  return rows.length > 0;
}

async function viewsOf(client: SqlClient): Promise<string[]> {
  const rows = await client.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'",
    { class: 'control', comment: 'list views' },
  );
  return rows.map((row) => row.name);
}

async function columnsOf(client: SqlClient, table: string): Promise<Set<string>> {
  const rows = await client.rows<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {name:String}',
    { class: 'control', comment: 'list columns', params: { name: table } },
  );
  return new Set(rows.map((row) => row.name));
}

async function partitionsOf(client: SqlClient, table: string): Promise<string[]> {
  const rows = await client.rows<{ id: string }>(
    'SELECT DISTINCT partition_id AS id FROM system.parts WHERE active AND database = currentDatabase() AND table = {name:String} ORDER BY id',
    { class: 'control', comment: 'list partitions', params: { name: table } },
  );
  return rows.map((row) => row.id);
}

async function run(client: SqlClient, statement: string): Promise<void> {
  await client.execute(statement, { class: 'control', comment: 'migrate the schema' });
}
