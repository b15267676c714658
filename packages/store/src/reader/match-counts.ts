import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { isError, prepareFilter, scanOptions, type SpanFilter } from './span-filter.ts';
import { allOf } from './sql.ts';
import type { TimeRange } from './time-range.ts';
import { boundConditions, boundsOf, lookUpTraces } from './trace-index.ts';

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

/** Matching spans of each of some traces; a trace without any is missing. A span that was sent twice counts twice. */
export async function countMatchesByTrace(
  client: SqlClient,
  tenant: string,
  filter: SpanFilter,
  range: TimeRange,
  traceIds: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const bounds = boundsOf(await lookUpTraces(client, tenant, traceIds, signal));
  if (bounds === undefined) return new Map();
  const { sql, conditions } = await prepareFilter(client, tenant, filter, range, signal);
  const ids = sql.value(
    'Array(FixedString(16))',
    traceIds.map((id) => Buffer.from(id, 'hex')),
  );
  const all = [...conditions, ...boundConditions(sql, tenant, bounds), `trace_id IN ${ids}`];
  const rows = await client.rows<{ id: string; spans: string }>(
    `SELECT lower(hex(trace_id)) AS id, count() AS spans FROM spans WHERE ${allOf(all)} GROUP BY trace_id`,
    { ...scanOptions(sql, 'count matching spans of traces', signal), class: 'point' },
  );
  return new Map(rows.map(({ id, spans }) => [id, Number(spans)]));
}

/** Matching spans over time. Bucket i holds starts from `range.startUnixNano + i * stepNano` on. */
export interface MatchSeries {
  readonly stepNano: bigint;
  /** Matching spans by bucket, over the whole range. */
  readonly counts: readonly number[];
  /** Those of them that failed. */
  readonly errors: readonly number[];
}

/** Buckets a series may have. */
const MAX_BUCKETS = 10_000;

/** Counts matching spans in at most `buckets` steps of a round length. */
export async function readMatchSeries(
  client: SqlClient,
  tenant: string,
  filter: SpanFilter,
  range: TimeRange,
  buckets: number,
  signal?: AbortSignal,
): Promise<MatchSeries> {
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > MAX_BUCKETS) {
    throw new StoreError(
      'invalid_argument',
      `count matching spans over time: ${buckets} buckets; ask for a whole number from 1 to ${MAX_BUCKETS}`,
    );
  }
  const lengthNano = range.endUnixNano - range.startUnixNano + 1n;
  if (lengthNano <= 0n) return { stepNano: 1n, counts: [], errors: [] };
  const stepNano = roundStep(lengthNano, buckets);
  const { sql, conditions } = await prepareFilter(client, tenant, filter, range, signal);
  const bucket = `intDiv(start_ns - ${sql.value('UInt64', range.startUnixNano)}, ${sql.value('UInt64', stepNano)})`;
  const rows = await client.rows<{ bucket: string; spans: string; errors: string }>(
    `SELECT ${bucket} AS bucket, count() AS spans, countIf(${isError}) AS errors FROM spans ` +
      `WHERE ${allOf(conditions)} GROUP BY bucket`,
    scanOptions(sql, 'count matching spans over time', signal),
  );
  const length = Number((lengthNano + stepNano - 1n) / stepNano);
  const counts = Array.from({ length }, () => 0);
  const errors = Array.from({ length }, () => 0);
  for (const row of rows) {
    counts[Number(row.bucket)] = Number(row.spans);
    errors[Number(row.bucket)] = Number(row.errors);
  }
  return { stepNano, counts, errors };
}

const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
/** Steps people read easily, from a second to a day. */
const ROUND_SECONDS = [
  1n,
  2n,
  5n,
  10n,
  15n,
  30n,
  60n,
  120n,
  300n,
  600n,
  900n,
  1800n,
  3600n,
  7200n,
  10_800n,
  21_600n,
  43_200n,
];

/** The shortest round step that covers the length in at most that many buckets. */
export function roundStep(lengthNano: bigint, buckets: number): bigint {
  const least = (lengthNano + BigInt(buckets) - 1n) / BigInt(buckets);
  if (least <= SECOND / 2n) {
    for (let unit = 1n; ; unit *= 10n) {
      const step = [1n, 2n, 5n].map((digit) => digit * unit).find((each) => each >= least);
      if (step !== undefined) return step;
    }
  }
  const seconds = ROUND_SECONDS.find((each) => each * SECOND >= least);
  return seconds === undefined ? ((least + DAY - 1n) / DAY) * DAY : seconds * SECOND;
}
