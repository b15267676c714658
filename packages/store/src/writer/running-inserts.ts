import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';

/** How a segment's inserts are marked, so that a running one can be found. */
export function insertComment(segmentId: string, table: string, rows: number): string {
  return `store segment ${segmentId}: ${rows} rows of ${table}`;
}

/**
 * Makes sure that no insert of the segment is still running: a server goes on with an insert whose client was killed, and rows that arrive after
 * they were counted would be there twice. The embedded engine ends with its client and needs no asking. Fails with `overloaded` while one
 * runs.
 */
export async function checkNoRunningInsert(client: SqlClient, segmentId: string): Promise<void> {
  if (client.target === 'embedded') return;
  const processes =
    client.cluster === undefined ? 'system.processes' : 'clusterAllReplicas({cluster:String}, system.processes)';
  const [row] = await client.rows<{ running: string }>(
    `SELECT count() AS running FROM ${processes} WHERE position(Settings['log_comment'], {segment:String}) > 0`,
    {
      class: 'control',
      comment: 'look for a running insert',
      params: {
        segment: `store segment ${segmentId}`,
        ...(client.cluster === undefined ? {} : { cluster: client.cluster }),
      },
    },
  );
  if (Number(row?.running ?? 0) === 0) return;
  throw new StoreError(
    'overloaded',
    `an insert of segment ${segmentId} by an earlier process is still running on the server; the segment is looked at again when it has ended`,
  );
}
