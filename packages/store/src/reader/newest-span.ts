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

/** Slots looked at first: while spans arrive, the newest is there. Clocks of senders may be ahead by the hour within which a span is not odd. */
const RECENT_SLOTS = { before: 2, after: 12 };

/**
 * The stored span of a tenant that started last, whatever the amount stored: days come from the list of services, and the last slot of the newest day is
 * found by looking into parts of it, which the primary key answers. Spans whose start is far from their arrival count only when there are no others.
 */
export async function findNewestSpan(
  client: SqlClient,
  tenant: string,
  nowUnixMs: number,
  signal?: AbortSignal,
): Promise<NewestSpan | undefined> {
  const now = Math.floor(nowUnixMs / 300_000);
  const recent = { from: now - RECENT_SLOTS.before, to: now + RECENT_SLOTS.after };
  const found = await newestWithin(client, tenant, recent, signal);
  if (found !== undefined) return found;
  for (const day of await storedDays(client, tenant, signal)) {
    const slot = await lastSlotOf(client, tenant, day, signal);
    if (slot !== undefined) return newestWithin(client, tenant, { from: slot, to: slot }, signal);
  }
  return newestWithin(client, tenant, { from: ODD_SLOT, to: 0xffff_ffff }, signal);
}

/** Slots from one to another, both included. */
interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/** The last slot of a day with spans: first the last of 16 parts of the day that has any, then the last slot of that part. */
async function lastSlotOf(
  client: SqlClient,
  tenant: string,
  day: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const parts = partsOf(day * SLOTS_PER_DAY, 16, SLOTS_PER_DAY / 16);
  const part = await lastWithSpans(client, tenant, parts, signal);
  if (part === undefined) return undefined;
  return (await lastWithSpans(client, tenant, partsOf(part.from, SLOTS_PER_DAY / 16, 1), signal))?.from;
}

function partsOf(from: number, count: number, length: number): SlotRange[] {
  return Array.from({ length: count }, (_, i) => ({ from: from + i * length, to: from + (i + 1) * length - 1 }));
}

/** The last of the ranges in which the tenant has spans. One statement, because each costs more than what it reads. */
async function lastWithSpans(
  client: SqlClient,
  tenant: string,
  ranges: readonly SlotRange[],
  signal?: AbortSignal,
): Promise<SlotRange | undefined> {
  const sql = new Sql();
  const looks = ranges.map(
    (range, i) => `(SELECT ${i} AS part FROM spans WHERE ${allOf(slotConditions(sql, tenant, range))} LIMIT 1)`,
  );
  const rows = await client.rows<{ part: number }>(
    `SELECT part FROM (${looks.join(' UNION ALL ')}) ORDER BY part DESC LIMIT 1`,
    pointOptions(sql, 'look for the newest span', signal),
  );
  return rows[0] === undefined ? undefined : ranges[rows[0].part];
}

function slotConditions(sql: Sql, tenant: string, { from, to }: SlotRange): string[] {
  const day = (slot: number): string => sql.value('UInt16', Math.floor(slot / SLOTS_PER_DAY));
  return [
    `tenant = ${sql.text(tenant)}`,
    // An odd slot says nothing about the day.
    ...(from >= ODD_SLOT ? [] : [`day BETWEEN ${day(from)} AND ${day(to)}`]),
    `slot BETWEEN ${sql.value('UInt32', from)} AND ${sql.value('UInt32', to)}`,
  ];
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
  slots: SlotRange,
  signal?: AbortSignal,
): Promise<NewestSpan | undefined> {
  const sql = new Sql();
  const order = slots.from >= ODD_SLOT ? 'received_ms' : 'start_ns';
  const [row] = await client.rows<{ id: string; start: string; received: string }>(
    'SELECT lower(hex(trace_id)) AS id, start_ns AS start, received_ms AS received FROM spans ' +
      `WHERE ${allOf(slotConditions(sql, tenant, slots))} ORDER BY ${order} DESC LIMIT 1`,
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
