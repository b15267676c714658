import type { SqlClient } from '../engine/client.ts';
import { currentSchema } from './tables.ts';

/**
 * What the writer needs to know about tables: how to insert a segment, and how to find out after a crash what became of one.
 *
 * Recovery of a segment whose insert may or may not have happened: `countSegment`; equal to the rows of the segment → `deriveSegment` and
 * done; 0 → insert again under a fresh token; anything between → `deleteSegment`, then insert again under a fresh token.
 * Blocks of other tables than `spans` are sets: insert them again without asking.
 */

/** Settings of every insert of a block: one block, one part per day, durable when it returns. */
export const insertSettings: Readonly<Record<string, string | number>> = Object.freeze({
  max_threads: 1,
  max_insert_threads: 1,
  max_block_size: 1_000_000,
  max_insert_block_size: 1_000_000,
  min_insert_block_size_rows: 1_000_000,
  min_insert_block_size_bytes: 1_073_741_824,
  insert_deduplicate: 1,
  async_insert: 0,
});

/** Rows of `spans` that carry this segment id (32 hex digits). */
export async function countSegment(client: SqlClient, segmentId: string): Promise<number> {
  const rows = await client.rows<{ rows: string }>(
    'SELECT count() AS rows FROM spans WHERE seg = unhex({seg:String})',
    { class: 'control', comment: 'count the rows of a segment', params: { seg: segmentId } },
  );
  return Number(rows[0]?.rows ?? 0);
}

/** Deletes every row of `spans` that carries this segment id. What views derived from them stays: it is derived again, or unused. */
export async function deleteSegment(client: SqlClient, segmentId: string): Promise<void> {
  await client.execute('DELETE FROM spans WHERE seg = unhex({seg:String})', {
    class: 'control',
    comment: 'delete the rows of a partly stored segment',
    params: { seg: segmentId },
    settings: { lightweight_deletes_sync: 2 },
  });
}

/**
 * Derives again what views derive from the rows of a segment. Needed when a crash may have come between the rows and what follows from
 * them; harmless otherwise, because everything derived is a set, a minimum or a maximum.
 */
export async function deriveSegment(client: SqlClient, segmentId: string): Promise<void> {
  for (const view of currentSchema.views) {
    const from = view.from.replace(/\bspans\b/, '(SELECT * FROM spans WHERE seg = unhex({seg:String}))');
    await client.execute(
      `INSERT INTO ${view.to} (${view.columns.join(', ')}) SELECT ${view.select} FROM ${from} ${view.tail}`,
      {
        class: 'control',
        comment: `derive ${view.to} of a segment again`,
        params: { seg: segmentId },
        settings: { insert_deduplicate: 0 },
      },
    );
  }
}
