import { HotBit } from '../block/hot-attributes.ts';
import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { allOf, Sql } from './sql.ts';
import { startsWithin, daysOf, type TimeRange } from './time-range.ts';

/** Which spans a series counts, and in which steps. */
export interface SeriesQuery {
  readonly service?: string;
  readonly operation?: string;
  readonly range: TimeRange;
  /** Length of a step in nanoseconds; steps begin at multiples of it. */
  readonly stepNano: bigint;
  readonly signal?: AbortSignal;
}

/** Spans that started within one step. Steps without spans are left out. */
export interface SeriesStep {
  readonly startUnixNano: bigint;
  readonly spans: number;
  readonly errors: number;
  readonly durationSumNano: number;
  /** Spans by duration: bucket b counts durations of [2^(b/4), 2^((b+1)/4)) ns. */
  readonly histogram: ReadonlyMap<number, number>;
}

/** Steps a series may have. */
const MAX_STEPS = 10_000;

/** SQL for the histogram bucket of a duration; also used where rollups are computed. */
export const durationBucket = 'toUInt8(if(duration_ns < 2, 0, floor(log2(duration_ns) * 4)))';

/** Spans, errors and durations over time, counted from the spans. */
export async function readSeries(client: SqlClient, tenant: string, query: SeriesQuery): Promise<SeriesStep[]> {
  const { range, stepNano } = query;
  if (stepNano <= 0n || (range.endUnixNano - range.startUnixNano) / stepNano >= BigInt(MAX_STEPS)) {
    throw new StoreError(
      'invalid_argument',
      `read a series: step ${stepNano} ns must be positive and give at most ${MAX_STEPS} steps; ask for longer steps`,
    );
  }
  const sql = new Sql();
  const step = sql.value('UInt64', stepNano);
  // Odd spans have starts far from their arrival; a series by arrival-like time includes them only if they fit.
  const conditions = [`tenant = ${sql.text(tenant)}`, ...serviceConditions(sql, query), startsWithin(sql, range, true)];
  const rows = await client.rows<{
    step: string;
    spans: string;
    errors: string;
    sum: number;
    histogram: Record<string, string>;
  }>(
    `SELECT intDiv(start_ns, ${step}) AS step, count() AS spans, countIf(bitAnd(hot, ${HotBit.ERROR}) != 0) AS errors, ` +
      `sum(toFloat64(duration_ns)) AS sum, sumMap(map(${durationBucket}, toUInt64(1))) AS histogram ` +
      `FROM spans WHERE ${allOf(conditions)} GROUP BY step ORDER BY step`,
    options(sql, 'scan', 'read a series', query.signal),
  );
  return rows.map((row) => ({
    startUnixNano: BigInt(row.step) * stepNano,
    spans: Number(row.spans),
    errors: Number(row.errors),
    durationSumNano: row.sum,
    histogram: new Map(Object.entries(row.histogram).map(([bucket, count]) => [Number(bucket), Number(count)])),
  }));
}

function serviceConditions(sql: Sql, { service, operation }: SeriesQuery): string[] {
  const conditions: string[] = [];
  if (service !== undefined) conditions.push(`service = ${sql.text(service)}`);
  if (operation !== undefined) conditions.push(`name = ${sql.text(operation)}`);
  return conditions;
}

/** Calls from one service to another. */
export interface Edge {
  readonly client: string;
  readonly server: string;
  readonly calls: number;
  readonly errors: number;
  readonly durationSumNano: number;
}

/** The service graph over a range of arrival times, by descending calls. Calls of a service to itself only when asked for. */
export async function readEdges(
  client: SqlClient,
  tenant: string,
  range: TimeRange,
  { includeSelf = false, signal }: { readonly includeSelf?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Edge[]> {
  const sql = new Sql();
  const minute = 60_000_000_000n;
  const conditions = [
    `tenant = ${sql.text(tenant)}`,
    daysOf(sql, range),
    `minute BETWEEN ${sql.value('UInt32', range.startUnixNano / minute)} AND ${sql.value('UInt32', range.endUnixNano / minute)}`,
    ...(includeSelf ? [] : ['client != server']),
  ];
  const rows = await client.rows<{ client: string; server: string; calls: string; errors: string; sum: number }>(
    'SELECT toString(client) AS client, toString(server) AS server, sum(calls) AS calls, sum(errors) AS errors, sum(duration_sum) AS sum ' +
      `FROM (SELECT client, server, edges.calls AS calls, edges.errors AS errors, duration_sum FROM edges FINAL WHERE ${allOf(conditions)}) ` +
      'GROUP BY client, server ORDER BY calls DESC, client, server',
    options(sql, 'scan', 'read the service graph', signal),
  );
  return rows.map((row) => ({
    client: row.client,
    server: row.server,
    calls: Number(row.calls),
    errors: Number(row.errors),
    durationSumNano: row.sum,
  }));
}

/** What a tenant has stored. */
export interface IngestStats {
  readonly spans: bigint;
  readonly oldestStartUnixNano: bigint | undefined;
  readonly newestStartUnixNano: bigint | undefined;
  /** When the last span arrived, milliseconds since 1970. */
  readonly lastReceivedUnixMs: number | undefined;
}

/** Counts over everything a tenant has stored. */
export async function readIngestStats(client: SqlClient, tenant: string, signal?: AbortSignal): Promise<IngestStats> {
  const sql = new Sql();
  const [row] = await client.rows<{ spans: string; oldest: string; newest: string; received: string }>(
    'SELECT count() AS spans, min(start_ns) AS oldest, max(start_ns) AS newest, max(received_ms) AS received ' +
      `FROM spans WHERE tenant = ${sql.text(tenant)}`,
    options(sql, 'scan', 'count spans', signal),
  );
  const spans = BigInt(row?.spans ?? 0);
  if (row === undefined || spans === 0n) {
    return { spans, oldestStartUnixNano: undefined, newestStartUnixNano: undefined, lastReceivedUnixMs: undefined };
  }
  return {
    spans,
    oldestStartUnixNano: BigInt(row.oldest),
    newestStartUnixNano: BigInt(row.newest),
    lastReceivedUnixMs: Number(row.received),
  };
}

/** Disk space of one table. */
export interface TableUsage {
  readonly table: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  readonly parts: number;
}

/** Disk space of every table of the store, largest first. */
export async function readDiskUsage(client: SqlClient, signal?: AbortSignal): Promise<TableUsage[]> {
  const rows = await client.rows<{ name: string; rows: string; bytes: string; parts: string }>(
    'SELECT table AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts ' +
      'WHERE active AND database = currentDatabase() GROUP BY table ORDER BY bytes DESC',
    options(new Sql(), 'point', 'measure tables', signal),
  );
  return rows.map((row) => ({
    table: row.name,
    rows: BigInt(row.rows),
    bytes: BigInt(row.bytes),
    parts: Number(row.parts),
  }));
}

function options(sql: Sql, statementClass: 'point' | 'scan', comment: string, signal?: AbortSignal): StatementOptions {
  return { class: statementClass, comment, params: sql.params, ...(signal === undefined ? {} : { signal }) };
}
