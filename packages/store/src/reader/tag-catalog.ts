import { TagNote } from '../block/tag-key-rows.ts';
import type { SqlClient } from '../engine/client.ts';
import { Sql } from './sql.ts';

/** What the tag list says about some keys of a tenant. */
export interface TagCatalog {
  /** Whether attribute `key` can occur on the level with the type. */
  canBe(key: string, scope: number, type: number): boolean;
  /** Whether some span has a hot attribute its column does not show. */
  readonly mixed: boolean;
  /** Whether some span's slot is not that of its start. */
  readonly oddTimes: boolean;
  /** Whether some span has one key twice with string values. */
  readonly repeatedKeys: boolean;
}

/**
 * Reads what is known about the keys. All days are asked, not only those of the range: a span may be filed under another day than its start,
 * and one row a day is little.
 */
export async function readTagCatalog(
  client: SqlClient,
  tenant: string,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<TagCatalog> {
  const sql = new Sql();
  const rows = await client.rows<{ scope: number; type: number; key: string }>(
    `SELECT DISTINCT scope, type, key FROM tag_keys WHERE tenant = ${sql.text(tenant)} AND key IN ${sql.value('Array(String)', ['', ...keys])}`,
    {
      class: 'point',
      comment: 'look up attribute keys',
      params: sql.params,
      settings: { max_threads: 1 },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const notes = new Set(rows.filter((row) => row.scope === 0).map((row) => row.type));
  const known = new Set(rows.filter((row) => row.scope !== 0).map((row) => placeKey(row.key, row.scope, row.type)));
  const incomplete = notes.has(TagNote.MORE_KEYS);
  return {
    canBe: (key, scope, type) => incomplete || known.has(placeKey(key, scope, type)),
    mixed: notes.has(TagNote.MIXED),
    oddTimes: notes.has(TagNote.ODD_TIMES),
    repeatedKeys: notes.has(TagNote.REPEATED_KEYS),
  };
}

function placeKey(key: string, scope: number, type: number): string {
  return `${scope}.${type}.${key}`;
}
