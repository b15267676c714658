import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { type DdlTarget, localName, onCluster } from '../schema/ddl.ts';
import type { SchemaSpec } from '../schema/table-types.ts';

/** One partition of a data table. */
export interface Partition {
  readonly table: string;
  readonly id: string;
  /** Days since 1970. */
  readonly day: number;
  readonly rows: bigint;
  readonly bytes: bigint;
}

/** For whom statements are written. */
export function ddlOf(client: SqlClient): DdlTarget {
  return client.cluster === undefined ? { target: client.target } : { target: client.target, cluster: client.cluster };
}

/** The partitions of all data tables, oldest day first. */
export async function listPartitions(client: SqlClient, schema: SchemaSpec): Promise<Partition[]> {
  const ddl = ddlOf(client);
  const tables = new Map(
    schema.tables.filter((table) => table.role === 'data').map((table) => [localName(table.name, ddl), table.name]),
  );
  const rows = await client.rows<{ name: string; id: string; partition: string; rows: string; bytes: string }>(
    'SELECT table AS name, partition_id AS id, any(partition) AS partition, sum(rows) AS rows, sum(bytes_on_disk) AS bytes ' +
      'FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table, partition_id',
    { class: 'control', comment: 'list partitions' },
  );
  return rows
    .flatMap((row) => {
      const table = tables.get(row.name);
      if (table === undefined) return [];
      return [{ table, id: row.id, day: dayOf(row.partition), rows: BigInt(row.rows), bytes: BigInt(row.bytes) }];
    })
    .toSorted((a, b) => a.day - b.day);
}

/** Drops one partition; nothing happens when it is gone already. */
export async function dropPartition(client: SqlClient, partition: Pick<Partition, 'table' | 'id'>): Promise<void> {
  if (!/^[0-9a-z-]+$/i.test(partition.id)) {
    throw new StoreError(
      'invalid_argument',
      `drop a partition of ${partition.table}: "${partition.id}" is no partition id`,
    );
  }
  const ddl = ddlOf(client);
  await client.execute(
    `ALTER TABLE ${localName(partition.table, ddl)}${onCluster(ddl)} DROP PARTITION ID '${partition.id}'`,
    { class: 'control', comment: `drop a day of ${partition.table}` },
  );
}

/** The day in a partition's text form: `20777` or `(20777,0)`. */
function dayOf(partition: string): number {
  const day = /^\(?(\d+)/.exec(partition)?.[1];
  if (day === undefined) {
    throw new StoreError(
      'sql_error',
      `list partitions: "${partition}" does not begin with a day; the table is not one of this store`,
    );
  }
  return Number(day);
}
