import type { SqlClient } from '../engine/client.ts';
import { allOf, Sql } from '../reader/sql.ts';
import { boundConditions, boundsOf, lookUpTraces } from '../reader/trace-index.ts';
import { forgetMinutes, runRollups } from './rollups.ts';

/** Resource attribute that marks demo data. Any value but false counts. */
export const DEMO_ATTRIBUTE = 'clew.demo';

/** What was deleted so far. */
export interface DeletionProgress {
  /** Traces looked at, of all that are to be deleted. */
  readonly tracesDone: number;
  readonly tracesTotal: number;
  readonly spansDeleted: bigint;
}

/** What a deletion did. */
export interface DeletionResult extends DeletionProgress {
  /** Days (since 1970) whose lists of names may have lost some: tell the block builder to announce them again. */
  readonly days: readonly number[];
}

/** How a deletion reports and ends. */
export interface DeletionOptions {
  readonly onProgress?: (progress: DeletionProgress) => void;
  readonly signal?: AbortSignal;
  /** Wall clock, milliseconds since 1970. */
  readonly nowUnixMs: number;
}

/** Traces deleted with one statement. */
const CHUNK = 500;

/**
 * Deletes traces of one tenant from every table, and computes again what summed them up. Only what is stored: let the journal settle first. Safe to
 * repeat: traces that are gone already are skipped, and a deletion that was interrupted is completed by running it again.
 */
export async function deleteTraces(
  client: SqlClient,
  tenant: string,
  traceIds: readonly string[],
  options: DeletionOptions,
): Promise<DeletionResult> {
  let spansDeleted = 0n;
  const touched = new Touched();
  for (let at = 0; at < traceIds.length; at += CHUNK) {
    options.signal?.throwIfAborted();
    spansDeleted += await deleteChunk(client, tenant, traceIds.slice(at, at + CHUNK), touched);
    const tracesDone = Math.min(at + CHUNK, traceIds.length);
    options.onProgress?.({ tracesDone, tracesTotal: traceIds.length, spansDeleted });
  }
  await dropStaleNames(client, tenant, touched);
  await forgetMinutes(client, [...touched.minutes]);
  if (touched.minutes.size > 0) await rollUpAgain(client, options.nowUnixMs, Math.min(...touched.minutes) * 60_000);
  const tracesTotal = traceIds.length;
  return { tracesDone: tracesTotal, tracesTotal, spansDeleted, days: [...touched.days] };
}

/** Deletes every trace of a tenant that has a span from a resource marked as demo data ({@link DEMO_ATTRIBUTE}). */
export async function deleteDemoData(
  client: SqlClient,
  tenant: string,
  options: DeletionOptions,
): Promise<DeletionResult> {
  const sql = new Sql();
  const key = sql.text(DEMO_ATTRIBUTE);
  const rows = await client.rows<{ id: string }>(
    'SELECT DISTINCT lower(hex(trace_id)) AS id FROM spans ' +
      `WHERE tenant = ${sql.text(tenant)} AND res_id IN (SELECT res_id FROM resources WHERE tenant = ${sql.text(tenant)} ` +
      `AND (r_bool[${key}] = 1 OR (has(r_str.keys, ${key}) AND r_str[${key}] != 'false')))`,
    control(sql, 'find demo data'),
  );
  return deleteTraces(
    client,
    tenant,
    rows.map((row) => row.id),
    options,
  );
}

/** What the deleted spans had, and what other tables may therefore hold without reason. */
class Touched {
  readonly days = new Set<number>();
  /** Names as bytes, by their hexadecimal form. */
  readonly services = new Map<string, Uint8Array>();
  /** Minutes since 1970 in which the spans arrived. */
  readonly minutes = new Set<number>();
}

async function deleteChunk(
  client: SqlClient,
  tenant: string,
  traceIds: readonly string[],
  touched: Touched,
): Promise<bigint> {
  const bounds = boundsOf(await lookUpTraces(client, tenant, traceIds));
  if (bounds === undefined) return 0n;
  const sql = new Sql();
  const ids = sql.value(
    'Array(FixedString(16))',
    traceIds.map((id) => Buffer.from(id, 'hex')),
  );
  const where = allOf([...boundConditions(sql, tenant, bounds), `trace_id IN ${ids}`]);
  const minutes = await client.rows<{ minute: number; spans: string }>(
    `SELECT toUInt32(intDiv(received_ms, 60000)) AS minute, count() AS spans FROM spans WHERE ${where} GROUP BY minute`,
    control(sql, 'count spans to delete'),
  );
  for (const row of minutes) touched.minutes.add(row.minute);
  for (const day of bounds.days) touched.days.add(day);
  for (const service of bounds.services) touched.services.set(Buffer.from(service).toString('hex'), service);
  await client.execute(`DELETE FROM spans WHERE ${where}`, remove(sql, 'delete spans'));
  // The index last: it is what an interrupted deletion finds its traces with.
  const index = new Sql();
  const indexIds = index.value(
    'Array(FixedString(16))',
    traceIds.map((id) => Buffer.from(id, 'hex')),
  );
  await client.execute(
    `DELETE FROM trace_index WHERE tenant = ${index.text(tenant)} AND trace_id IN ${indexIds}`,
    remove(index, 'delete traces from the index'),
  );
  return minutes.reduce((total, row) => total + BigInt(row.spans), 0n);
}

/** Removes names that no span of the touched days has any more. */
async function dropStaleNames(client: SqlClient, tenant: string, { days, services }: Touched): Promise<void> {
  if (days.size === 0) return;
  const stale = (table: string, columns: string, own: string, spans: string): [Sql, string] => {
    const sql = new Sql();
    const t = sql.text(tenant);
    const d = sql.value('Array(UInt16)', [...days]);
    const s = sql.value('Array(String)', [...services.values()]);
    const affected = own.replace('{services}', s);
    return [
      sql,
      `DELETE FROM ${table} WHERE tenant = ${t} AND day IN ${d} AND ${affected} AND (day, ${columns}) NOT IN ` +
        `(SELECT DISTINCT day, ${spans.replace('{where}', `WHERE tenant = ${t} AND day IN ${d}`).replace('{services}', s)})`,
    ];
  };
  const statements = [
    stale('services', 'service', 'service IN {services}', 'service FROM spans {where} AND service IN {services}'),
    stale(
      'operations',
      'service, name, kind',
      'service IN {services}',
      'service, name, kind FROM spans {where} AND service IN {services}',
    ),
    stale(
      'tag_values',
      'key, value',
      '1',
      'pair.1, pair.2 FROM spans ARRAY JOIN CAST(a_str AS Array(Tuple(String, String))) AS pair {where}',
    ),
  ];
  for (const [sql, statement] of statements) await client.execute(statement, remove(sql, 'delete names nobody has'));
}

/** Computes the minutes that are over again; each run is bounded, so there may be several. */
async function rollUpAgain(client: SqlClient, nowUnixMs: number, sinceUnixMs: number): Promise<void> {
  while ((await runRollups(client, nowUnixMs, sinceUnixMs)).more);
}

function control(sql: Sql, comment: string): { class: 'control'; comment: string; params: Sql['params'] } {
  return { class: 'control', comment, params: sql.params };
}

function remove(
  sql: Sql,
  comment: string,
): { class: 'control'; comment: string; params: Sql['params']; settings: Record<string, number> } {
  return { ...control(sql, comment), settings: { lightweight_deletes_sync: 2 } };
}
