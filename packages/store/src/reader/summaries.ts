import type { SqlClient } from '../engine/client.ts';
import { HotBit } from '../block/hot-attributes.ts';
import { allOf, Sql } from './sql.ts';
import { boundConditions, boundsOf, lookUpTraces } from './trace-index.ts';

/** What a list of traces shows of one. */
export interface TraceSummary {
  readonly traceId: string;
  /** Name and service of the root: the span without a parent, else the earliest. */
  readonly rootName: string;
  readonly rootService: string;
  /** Whether a span without a parent is stored. */
  readonly hasRoot: boolean;
  readonly startUnixNano: bigint;
  /** From the earliest start to the latest end. */
  readonly durationNano: bigint;
  readonly spans: number;
  readonly errors: number;
  /** By descending span count, then name. */
  readonly services: readonly { readonly name: string; readonly spans: number; readonly errors: number }[];
}

interface SummaryRow {
  readonly id: string;
  readonly service: string;
  readonly spans: string;
  readonly errors: string;
  readonly start: string;
  readonly end: string;
  readonly first: [rank: number, start: string, name: string];
}

/** Summaries of stored traces from narrow columns, in the order of the ids; unknown traces are missing. */
export async function summarizeTraces(
  client: SqlClient,
  tenant: string,
  traceIds: readonly string[],
  signal?: AbortSignal,
): Promise<TraceSummary[]> {
  const bounds = boundsOf(await lookUpTraces(client, tenant, traceIds, signal));
  if (bounds === undefined) return [];
  const sql = new Sql();
  const ids = sql.value(
    'Array(FixedString(16))',
    traceIds.map((id) => Buffer.from(id, 'hex')),
  );
  const conditions = [...boundConditions(sql, tenant, bounds), `trace_id IN ${ids}`];
  // A copy of a span, sent twice, must not count twice.
  const rows = await client.rows<SummaryRow>(
    `SELECT lower(hex(trace_id)) AS id, toString(service) AS service, count() AS spans, countIf(bitAnd(hot, ${HotBit.ERROR}) != 0) AS errors, ` +
      "min(start_ns) AS start, max(start_ns + duration_ns) AS end, min(tuple(toUInt8(parent_id != toFixedString('', 8)), start_ns, toString(name))) AS first " +
      'FROM (SELECT trace_id, span_id, parent_id, start_ns, duration_ns, kind, service, name, hot FROM spans ' +
      `WHERE ${allOf(conditions)} LIMIT 1 BY trace_id, span_id, parent_id, kind, start_ns, duration_ns, service, name, hot) ` +
      'GROUP BY trace_id, service',
    {
      class: 'point',
      comment: 'summarize traces',
      params: sql.params,
      settings: { max_threads: 1 },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const byTrace = Map.groupBy(rows, (row) => row.id);
  return traceIds.flatMap((id) => {
    const own = byTrace.get(id);
    return own === undefined ? [] : [summaryOf(id, own)];
  });
}

function summaryOf(traceId: string, rows: readonly SummaryRow[]): TraceSummary {
  let start = BigInt(rows[0]!.start);
  let end = start;
  let root = rows[0]!;
  let spans = 0;
  let errors = 0;
  for (const row of rows) {
    if (BigInt(row.start) < start) start = BigInt(row.start);
    if (BigInt(row.end) > end) end = BigInt(row.end);
    if (isBefore(row, root)) root = row;
    spans += Number(row.spans);
    errors += Number(row.errors);
  }
  const services = rows
    .map((row) => ({ name: row.service, spans: Number(row.spans), errors: Number(row.errors) }))
    .toSorted((a, b) => b.spans - a.spans || (a.name < b.name ? -1 : 1));
  return {
    traceId,
    rootName: root.first[2],
    rootService: root.service,
    hasRoot: root.first[0] === 0,
    startUnixNano: start,
    durationNano: end - start,
    spans,
    errors,
    services,
  };
}

function isBefore(a: SummaryRow, b: SummaryRow): boolean {
  if (a.first[0] !== b.first[0]) return a.first[0] < b.first[0];
  return BigInt(a.first[1]) < BigInt(b.first[1]);
}
