import type { SqlClient } from '../engine/client.ts';
import { prepareFilter, scanOptions, type SpanFilter } from './span-filter.ts';
import { allOf } from './sql.ts';
import type { TimeRange } from './time-range.ts';

/** Number of stored spans that satisfy the filter and start within the range. A span that was sent twice counts twice. */
export async function countMatches(
  client: SqlClient,
  tenant: string,
  filter: SpanFilter,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<number> {
  const { sql, conditions } = await prepareFilter(client, tenant, filter, range, signal);
  const [row] = await client.rows<{ spans: string }>(
    `SELECT count() AS spans FROM spans WHERE ${allOf(conditions)}`,
    scanOptions(sql, 'count matching spans', signal),
  );
  return Number(row?.spans ?? 0);
}
