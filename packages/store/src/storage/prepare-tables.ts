import type { SqlClient } from '../engine/client.ts';
import { createStatements } from '../schema/ddl.ts';
import { currentSchema } from '../schema/tables.ts';

/** Brings the tables to the schema of this version. */
export async function prepareTables(client: SqlClient): Promise<void> {
  const ddl =
    client.cluster === undefined ? { target: client.target } : { target: client.target, cluster: client.cluster };
  for (const statement of createStatements(currentSchema, ddl)) {
    await client.execute(statement, { class: 'control', comment: 'prepare the tables' });
  }
}
