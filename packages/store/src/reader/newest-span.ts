import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { ODD_SLOT, SLOTS_PER_DAY } from '../schema/tables.ts';
import type { PendingSpans } from '../writer/pending-spans.ts';
import { allOf, Sql } from './sql.ts';
import { boundConditions, boundsOf, lookUpTraces } from './trace-index.ts';

/** The stored span that started last. */
export interface NewestSpan {
  readonly traceId: string;
  readonly startUnixNano: bigint;
  /** When it arrived, milliseconds since 1970. */
  readonly receivedUnixMs: number;
}

/** Slots before the end of a day that are looked at, one stretch after the other: while spans arrive, the first will do. */
const STRETCHES = [2, 24, SLOTS_PER_DAY];

/**
 * The stored span of a tenant that started last, whatever the amount stored: days come from the list of services, and of the newest day the last slots
 * are read first. Spans whose start is far from their arrival count only when there are no others.
 */
export async function findNewestSpan(
  client: SqlClient,
  tenant: string,
  nowUnixMs: number,
  signal?: AbortSignal,
): Promise<NewestSpan | undefined> {
  const nowSlot = Math.floor(nowUnixMs / 300_000);
  // Clocks of senders may be ahead by the hour within which a span is not odd.
  const recent = await newestWithin(client, tenant, nowSlot - STRETCHES[0]!, nowSlot + 12, signal);
  if (recent !== undefined) return recent;
  for (const day of await storedDays(client, tenant, signal)) {
    const end = (day + 1) * SLOTS_PER_DAY - 1;
    for (const stretch of STRETCHES) {
      const found = await newestWithin(client, tenant, end - stretch + 1, end, signal);
      if (found !== undefined) return found;
    }
  }
  return newestWithin(client, tenant, ODD_SLOT, 0xffff_ffff, signal);
}

/** Days on which the tenant has spans, newest first. */
async function storedDays(client: SqlClient, tenant: string, signal?: AbortSignal): Promise<number[]> {
  const sql = new Sql();
  const rows = await client.rows<{ day: number }>(
    `SELECT DISTINCT day FROM services WHERE tenant = ${sql.text(tenant)} ORDER BY day DESC`,
    pointOptions(sql, 'list stored days', signal),
  );
  return rows.map((row) => row.day);
}

async function newestWithin(
  client: SqlClient,
  tenant: string,
  fromSlot: number,
  toSlot: number,
  signal?: AbortSignal,
): Promise<NewestSpan | undefined> {
  const sql = new Sql();
  const isOdd = fromSlot >= ODD_SLOT;
  const days = isOdd
    ? []
    : [
        `day BETWEEN ${sql.value('UInt16', Math.floor(fromSlot / SLOTS_PER_DAY))} AND ${sql.value('UInt16', Math.floor(toSlot / SLOTS_PER_DAY))}`,
      ];
  const conditions = [
    `tenant = ${sql.text(tenant)}`,
    ...days,
    `slot BETWEEN ${sql.value('UInt32', fromSlot)} AND ${sql.value('UInt32', toSlot)}`,
  ];
  const [row] = await client.rows<{ id: string; start: string; received: string }>(
    `SELECT lower(hex(trace_id)) AS id, start_ns AS start, received_ms AS received FROM spans WHERE ${allOf(conditions)} ` +
      `ORDER BY ${isOdd ? 'received_ms' : 'start_ns'} DESC LIMIT 1`,
    pointOptions(sql, 'find the newest span', signal),
  );
  if (row === undefined) return undefined;
  return { traceId: row.id, startUnixNano: BigInt(row.start), receivedUnixMs: Number(row.received) };
}

/**
 * When the last span of a trace arrived, stored or only acknowledged, in milliseconds since 1970; `undefined` when the trace is unknown. What
 * is not stored is asked first: it leaves the journal only once it is in the tables.
 */
export async function lastReceivedOf(
  client: SqlClient,
  pending: PendingSpans,
  tenant: string,
  traceId: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const waiting = await pending.findTrace(tenant, Buffer.from(traceId, 'hex'));
  const pendingMs = waiting.map(({ receivedUnixNano }) => Number(receivedUnixNano / 1_000_000n));
  const bounds = boundsOf(await lookUpTraces(client, tenant, [traceId], signal));
  if (bounds === undefined) return pendingMs.length === 0 ? undefined : Math.max(...pendingMs);
  const sql = new Sql();
  const id = sql.value('FixedString(16)', Buffer.from(traceId, 'hex'));
  const [row] = await client.rows<{ received: string }>(
    `SELECT max(received_ms) AS received FROM spans WHERE ${allOf([...boundConditions(sql, tenant, bounds), `trace_id = ${id}`])}`,
    pointOptions(sql, 'last arrival of a trace', signal),
  );
  return Math.max(Number(row?.received ?? 0), ...pendingMs);
}

function pointOptions(sql: Sql, comment: string, signal?: AbortSignal): StatementOptions {
  return {
    class: 'point',
    comment,
    params: sql.params,
    settings: { max_threads: 1 },
    ...(signal === undefined ? {} : { signal }),
  };
}
