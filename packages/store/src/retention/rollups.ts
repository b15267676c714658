import { Carrier } from '@clew/model';

import { HotBit } from '../block/hot-attributes.ts';
import type { SqlClient } from '../engine/client.ts';
import { durationBucket } from '../reader/statistics.ts';
import { TagScope } from '../schema/tables.ts';

/**
 * Sums derived from spans, computed per minute of arrival once the minute is over, and again when it changed. A minute's rows replace the ones before
 * (ReplacingMergeTree), so a run that was interrupted, or spans that came late, are made good by the next run.
 *
 * - `red`: counts, duration sums and histograms by service, operation, kind, status and minute of start.
 * - `edges`: calls between services. The caller of a span may arrive up to 15 minutes before or after it, so a minute is computed when
 *   it is over, looking two minutes around, and finally when 15 more have passed.
 */

/** How far apart caller and callee may arrive, in minutes. */
const EDGE_WINDOW_MINUTES = 15;
/** The same when a minute is computed for the first time: nearly all callers are there, and looking further costs a scan of half an hour of spans. */
const FIRST_WINDOW_MINUTES = 2;
/** How far back a run looks for minutes that changed, in minutes. */
const LOOK_BACK_MINUTES = 90;
/** Minutes one run computes at most; the rest waits for the next. */
const MAX_MINUTES_PER_RUN = 120;
const MINUTE_MS = 60_000;

/** State of a minute of one rollup. */
const State = Object.freeze({ PROVISIONAL: 1, FINAL: 2 } as const);

/** What a run did. */
export interface RollupResult {
  /** Minutes since 1970 that were computed. */
  readonly minutes: readonly number[];
  /** True when more minutes wait than one run computes. */
  readonly more: boolean;
}

/** Computes the minutes that are over and new, changed or not final yet. `sinceUnixMs` widens how far back it looks. */
export async function runRollups(client: SqlClient, nowUnixMs: number, sinceUnixMs?: number): Promise<RollupResult> {
  const closed = Math.floor(nowUnixMs / MINUTE_MS) - 1;
  const since = Math.min(closed - LOOK_BACK_MINUTES, Math.floor((sinceUnixMs ?? nowUnixMs) / MINUTE_MS));
  const arrived = await spansByMinute(client, since, closed);
  const done = await doneMinutes(client, since);
  const due = [...arrived].filter(([minute, spans]) => {
    const state = done.get(minute);
    if (state === undefined || state.spans !== spans) return true;
    return state.state !== State.FINAL && minute + EDGE_WINDOW_MINUTES < closed;
  });
  const now = due.slice(0, MAX_MINUTES_PER_RUN);
  const haveHalves = now.length > 0 && (await seenHalves(client));
  for (const [minute, spans] of now) {
    const isFinal = minute + EDGE_WINDOW_MINUTES < closed;
    await rollUpRed(client, minute);
    await rollUpEdges(client, minute, isFinal ? EDGE_WINDOW_MINUTES : FIRST_WINDOW_MINUTES, haveHalves);
    const state = isFinal ? State.FINAL : State.PROVISIONAL;
    await client.execute(
      "INSERT INTO rollups (job, minute, state, spans) SELECT 'minute', {minute:UInt32}, {state:UInt8}, {spans:UInt64}",
      {
        class: 'control',
        comment: 'note a rollup',
        params: { minute, state, spans },
        settings: { insert_deduplicate: 0 },
      },
    );
  }
  return { minutes: now.map(([minute]) => minute), more: due.length > now.length };
}

/** Forgets the sums of minutes whose spans were deleted, so that the next run (with `sinceUnixMs`) computes them again. */
export async function forgetMinutes(client: SqlClient, minutes: readonly number[]): Promise<void> {
  if (minutes.length === 0) return;
  const statements = [
    'DELETE FROM rollups WHERE minute IN {minutes:Array(UInt32)}',
    'DELETE FROM red WHERE received_minute IN {minutes:Array(UInt32)}',
    'DELETE FROM edges WHERE minute IN {minutes:Array(UInt32)}',
  ];
  for (const statement of statements) {
    await client.execute(statement, {
      class: 'control',
      comment: 'forget rollups',
      params: { minutes },
      settings: { lightweight_deletes_sync: 2 },
    });
  }
}

async function spansByMinute(client: SqlClient, since: number, to: number): Promise<Map<number, bigint>> {
  const rows = await client.rows<{ minute: number; spans: string }>(
    'SELECT toUInt32(intDiv(received_ms, 60000)) AS minute, count() AS spans FROM spans ' +
      `WHERE ${arrivedWithin('since', 'to')} GROUP BY minute ORDER BY minute`,
    { class: 'scan', comment: 'find minutes to roll up', params: arrivalParams(since, to) },
  );
  return new Map(rows.map((row) => [row.minute, BigInt(row.spans)]));
}

async function doneMinutes(client: SqlClient, since: number): Promise<Map<number, { state: number; spans: bigint }>> {
  const rows = await client.rows<{ minute: number; state: number; spans: string }>(
    "SELECT minute, state, spans FROM rollups FINAL WHERE job = 'minute' AND minute >= {since:UInt32}",
    { class: 'point', comment: 'find finished rollups', params: { since: Math.max(0, since) } },
  );
  return new Map(rows.map((row) => [row.minute, { state: row.state, spans: BigInt(row.spans) }]));
}

async function rollUpRed(client: SqlClient, minute: number): Promise<void> {
  await client.execute(
    'INSERT INTO red (tenant, day, received_minute, minute, service, name, kind, status, spans, duration_sum, histogram) ' +
      'SELECT tenant, toUInt16(intDiv({since:UInt32}, 1440)) AS day, {since:UInt32} AS received_minute, toUInt32(intDiv(start_ns, 60000000000)) AS minute, ' +
      'service, name, kind, status, count() AS spans, sum(toFloat64(duration_ns)) AS duration_sum, ' +
      `sumMap(map(${durationBucket}, toUInt64(1))) AS histogram FROM spans WHERE ${arrivedWithin('since', 'to')} ` +
      'GROUP BY tenant, minute, service, name, kind, status',
    {
      class: 'control',
      comment: 'roll up a minute of spans',
      params: arrivalParams(minute, minute),
      settings: { insert_deduplicate: 0 },
    },
  );
}

async function rollUpEdges(
  client: SqlClient,
  minute: number,
  windowMinutes: number,
  haveHalves: boolean,
): Promise<void> {
  const { parent, child } = haveHalves ? callsWithHalves : plainCalls;
  // Each callee meets one caller: the smaller side is held in memory, the callers stream past it.
  await client.execute(
    'INSERT INTO edges (tenant, day, minute, client, server, calls, errors, duration_sum) ' +
      'SELECT c.tenant AS tenant, toUInt16(intDiv({since:UInt32}, 1440)) AS day, {since:UInt32} AS minute, p.client AS client, c.service AS server, ' +
      `count() AS calls, countIf(bitAnd(c.hot, ${HotBit.ERROR}) != 0) AS errors, sum(toFloat64(c.duration_ns)) AS duration_sum ` +
      `FROM (${parent}) AS p ANY RIGHT JOIN (${child}) AS c ON p.link = c.link WHERE p.client != '' GROUP BY tenant, client, server`,
    {
      class: 'control',
      comment: 'roll up a minute of calls',
      params: {
        ...arrivalParams(minute, minute),
        early: Math.max(0, minute - windowMinutes),
        late: minute + windowMinutes,
      },
      settings: { insert_deduplicate: 0 },
    },
  );
}

/** The two sides of the join: callers, and callees. */
interface CallSides {
  readonly parent: string;
  readonly child: string;
}

const inWindow = arrivedWithin('early', 'late');
const inMinute = arrivedWithin('since', 'to');
const callee = 'service, duration_ns, hot FROM spans';
const oncePerSpan = 'LIMIT 1 BY tenant, trace_id, span_id, kind, start_ns, duration_ns, name';

const plainCalls: CallSides = {
  parent: `SELECT cityHash64(tenant, trace_id, span_id) AS link, service AS client FROM spans WHERE ${inWindow}`,
  child:
    `SELECT tenant, cityHash64(tenant, trace_id, parent_id) AS link, ${callee} ` +
    `WHERE ${inMinute} AND parent_id != toFixedString('', 8) ${oncePerSpan}`,
};

/** The server half of an id that caller and callee share (Zipkin). */
const isHalf = `a_bool['${Carrier.ZIPKIN_SHARED}'] = 1`;

/**
 * The same where server halves of shared ids may be: such a half is called by the span that keeps the id, and what names the id as parent from
 * within the half's service is no call to it. Costs a look at attributes, so it is used only where such spans were ever seen.
 */
const callsWithHalves: CallSides = {
  parent: `${plainCalls.parent} AND NOT (${isHalf})`,
  child:
    `SELECT tenant, cityHash64(tenant, trace_id, if(${isHalf}, span_id, parent_id)) AS link, ${callee} ` +
    `WHERE ${inMinute} AND (${isHalf} OR (parent_id != toFixedString('', 8) AND cityHash64(tenant, trace_id, parent_id, service) NOT IN ` +
    `(SELECT cityHash64(tenant, trace_id, span_id, service) FROM spans WHERE ${inWindow} AND ${isHalf}))) ${oncePerSpan}`,
};

async function seenHalves(client: SqlClient): Promise<boolean> {
  const rows = await client.rows(
    `SELECT 1 AS seen FROM tag_keys WHERE scope = ${TagScope.span} AND key = {key:String} LIMIT 1`,
    { class: 'point', comment: 'look for shared span ids', params: { key: Carrier.ZIPKIN_SHARED } },
  );
  return rows.length > 0;
}

/** Condition for spans that arrived from one minute to another, both included. A span is filed at most a day before its arrival. */
function arrivedWithin(from: string, to: string): string {
  return (
    `received_ms >= toUInt64({${from}:UInt32}) * 60000 AND received_ms < (toUInt64({${to}:UInt32}) + 1) * 60000 ` +
    `AND day >= toUInt16(greatest(0, intDiv(toInt64({${from}:UInt32}), 1440) - 1)) AND day <= toUInt16(intDiv({${to}:UInt32}, 1440) + 1)`
  );
}

function arrivalParams(since: number, to: number): Record<string, number> {
  return { since: Math.max(0, since), to: Math.max(0, to) };
}
