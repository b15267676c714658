import type { EngineTarget } from '../engine/client.ts';
import type { ColumnSpec, SchemaSpec, TableSpec, ViewSpec } from './table-types.ts';

/** For which kind of engine statements are written. */
export interface DdlTarget {
  readonly target: EngineTarget;
  /** Name of the cluster in the servers' configuration, when `target` is `cluster`. */
  readonly cluster?: string;
}

/** Settings of every data table: a block is on disk when its insert returns, and a repeated token is recognised. */
const DATA_SETTINGS = Object.freeze({
  fsync_after_insert: 1,
  fsync_part_directory: 1,
  min_rows_to_fsync_after_merge: 1,
});
/** How many insert tokens a table remembers: more than segments can ever be replayed. */
const DEDUPLICATION_WINDOW = 1000;

/** Statements that create everything of a schema that is not there yet, in order. */
export function createStatements(schema: SchemaSpec, ddl: DdlTarget): string[] {
  return [
    ...schema.tables.flatMap((table) => createTable(table, ddl)),
    ...schema.views.map((view) => createView(view, ddl)),
  ];
}

/** Statements that create one table: on a cluster a replicated local one, and one that spreads over all shards. */
export function createTable(table: TableSpec, ddl: DdlTarget): string[] {
  const statements = [localTable(table, ddl)];
  if (ddl.target === 'cluster') statements.push(distributedTable(table, ddl));
  return statements;
}

/** The statement that creates one view. On a cluster it works on each shard's own blocks. */
export function createView(view: ViewSpec, ddl: DdlTarget): string {
  const from = ddl.target === 'cluster' ? view.from.replace(/\bspans\b/, 'spans_local') : view.from;
  const to = localName(view.to, ddl);
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${view.name}${onCluster(ddl)} TO ${to} AS SELECT ${view.select} FROM ${from} ${view.tail}`;
}

/** Statements that remove a table and, on a cluster, its local part. */
export function dropTable(name: string, ddl: DdlTarget): string[] {
  const names = ddl.target === 'cluster' ? [name, localName(name, ddl)] : [name];
  return names.map((each) => `DROP TABLE IF EXISTS ${each}${onCluster(ddl)} SYNC`);
}

/** Name of the table that holds the rows, for statements on partitions: `ALTER`, `DELETE`, `OPTIMIZE`. */
export function localName(name: string, ddl: DdlTarget): string {
  return ddl.target === 'cluster' ? `${name}_local` : name;
}

/** ` ON CLUSTER name` where one is needed. */
export function onCluster(ddl: DdlTarget): string {
  return ddl.target === 'cluster' ? ` ON CLUSTER ${quoted(ddl.cluster ?? 'default')}` : '';
}

/** A column as DDL writes it, also for `ADD COLUMN`. */
export function columnDefinition(column: ColumnSpec): string {
  return `${column.name} ${column.type}${column.codec === undefined ? '' : ` CODEC(${column.codec})`}`;
}

function localTable(table: TableSpec, ddl: DdlTarget): string {
  const lines = [
    ...table.columns.map(columnDefinition),
    ...(table.indexes ?? []).map(
      (index) => `INDEX ${index.name} ${index.expression} TYPE ${index.type} GRANULARITY ${index.granularity}`,
    ),
  ];
  const partition = table.role === 'data' ? ` PARTITION BY ${table.partitionBy ?? 'day'}` : '';
  return (
    `CREATE TABLE IF NOT EXISTS ${localName(table.name, ddl)}${onCluster(ddl)} (${lines.join(', ')}) ` +
    `ENGINE = ${engineName(table, ddl)}${partition} ORDER BY (${table.orderBy.join(', ')}) SETTINGS ${tableSettings(table, ddl)}`
  );
}

function distributedTable(table: TableSpec, ddl: DdlTarget): string {
  const cluster = quoted(ddl.cluster ?? 'default');
  return (
    `CREATE TABLE IF NOT EXISTS ${table.name}${onCluster(ddl)} AS ${localName(table.name, ddl)} ` +
    `ENGINE = Distributed(${cluster}, currentDatabase(), ${localName(table.name, ddl)}, ${table.shardBy ?? 'rand()'})`
  );
}

function engineName(table: TableSpec, ddl: DdlTarget): string {
  const kind = { merge: '', replacing: 'Replacing', aggregating: 'Aggregating' }[table.engine];
  if (ddl.target !== 'cluster') return `${kind}MergeTree`;
  return `Replicated${kind}MergeTree('/clickhouse/tables/{shard}/{database}/${table.name}', '{replica}')`;
}

function tableSettings(table: TableSpec, ddl: DdlTarget): string {
  const window = ddl.target === 'cluster' ? 'replicated_deduplication_window' : 'non_replicated_deduplication_window';
  const settings: Record<string, string | number> = {
    ...DATA_SETTINGS,
    [window]: DEDUPLICATION_WINDOW,
    ...(table.granularity === undefined ? {} : { index_granularity: table.granularity }),
    ...table.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
}

/** An identifier from configuration, quoted so that it stays one. */
function quoted(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
