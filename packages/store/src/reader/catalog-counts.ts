import { ValueType } from '@clew/model';

import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { TagScope } from '../schema/tables.ts';
import { isError, scanOptions, spanConditions } from './span-filter.ts';
import { allOf, anyOf, Sql } from './sql.ts';
import { readTagCatalog, type TagCatalog } from './tag-catalog.ts';
import { hasKey, valueAt } from './map-keys.ts';
import type { TimeRange } from './time-range.ts';

/** What the lists with counts are asked. */
export interface CountOptions {
  /** Only spans that start within the range, both ends included. */
  readonly range: TimeRange;
  /** Only spans of this service. */
  readonly service?: string;
  /** Only names that begin so, without regard to the case of ASCII letters. */
  readonly prefix?: string;
  /** Entries at most. */
  readonly limit: number;
  /** Time for counting; beyond it the answer is `undefined`. Default 2,000 ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Spans of a service. */
export interface ServiceCount {
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
}

/** Spans of one name and kind (OTLP number). */
export interface OperationCount {
  readonly name: string;
  readonly kind: number;
  readonly spans: number;
}

/** An attribute key, and in how many of the spans looked at it occurs. */
export interface KeyCount {
  readonly key: string;
  readonly scope: TagScope;
  readonly type: ValueType;
  readonly spans: number;
}

/** A value of an attribute as a term would write it, and the spans that have it. */
export interface ValueCount {
  readonly type: 'string' | 'number' | 'boolean';
  readonly text: string;
  readonly spans: number;
}

/** A list that is ordered by use, most used first. */
export interface CountedList<T> {
  readonly entries: readonly T[];
  /** True when only some of the spans were looked at: counts are of those. */
  readonly sampled: boolean;
}

const DEFAULT_TIMEOUT_MS = 2_000;
/** Spans of which keys and values are read. */
const MAX_SAMPLED_SPANS = 100_000;

/** Services with spans in the range, most spans first; `undefined` when they are too many to be counted in time. */
export function countServices(
  client: SqlClient,
  tenant: string,
  options: CountOptions,
): Promise<readonly ServiceCount[] | undefined> {
  return inTime(async () => {
    const { sql, conditions } = await prepare(client, tenant, options, []);
    const rows = await client.rows<{ name: string; spans: string; errors: string }>(
      `SELECT toString(service) AS name, count() AS spans, countIf(${isError}) AS errors FROM spans ` +
        `WHERE ${allOf([...conditions, "service != ''", ...prefixed(sql, 'service', options)])} ` +
        `GROUP BY service ORDER BY spans DESC, name LIMIT ${limitOf(options)}`,
      limited(sql, 'count services', options),
    );
    return rows.map(({ name, spans, errors }) => ({ name, spans: Number(spans), errors: Number(errors) }));
  });
}

/** Span names of a service, or of all, most spans first; `undefined` when they are too many to be counted in time. */
export function countOperations(
  client: SqlClient,
  tenant: string,
  options: CountOptions,
): Promise<readonly OperationCount[] | undefined> {
  return inTime(async () => {
    const { sql, conditions } = await prepare(client, tenant, options, []);
    const rows = await client.rows<{ operation: string; kind: number; spans: string }>(
      'SELECT toString(name) AS operation, kind, count() AS spans FROM spans ' +
        `WHERE ${allOf([...conditions, ...prefixed(sql, 'name', options)])} ` +
        `GROUP BY name, kind ORDER BY spans DESC, operation, kind LIMIT ${limitOf(options)}`,
      limited(sql, 'count operations', options),
    );
    return rows.map(({ operation, kind, spans }) => ({ name: operation, kind, spans: Number(spans) }));
  });
}

/** Columns that hold attributes of a level by type. Arrays that are kept whole, maps and bytes share a column; their tag letter tells the type. */
const keyColumns: readonly (readonly [TagScope, string, ValueType])[] = [
  [TagScope.span, 'a_str.keys', ValueType.STRING],
  [TagScope.span, 'a_int.keys', ValueType.INT],
  [TagScope.span, 'a_dbl.keys', ValueType.DOUBLE],
  [TagScope.span, 'a_bool.keys', ValueType.BOOL],
  [TagScope.span, 'a_arr.keys', ValueType.ARRAY],
  [TagScope.event, 'arrayFlatten(arrayMap(m -> mapKeys(m), ev_str))', ValueType.STRING],
];

/**
 * Attribute keys that spans of the range have, most used first, told from some of the spans when they are many. Attributes of resources are those of
 * the spans' resources. Bytes, maps, and event attributes that are not text are left out; `undefined` when time is up.
 */
export function countKeys(
  client: SqlClient,
  tenant: string,
  options: CountOptions,
): Promise<CountedList<KeyCount> | undefined> {
  return inTime(async () => {
    const { sql, conditions } = await prepare(client, tenant, options, []);
    const places = keyColumns.map(
      ([scope, column, type]) => `arrayMap(k -> (${scope}, ${type}, toString(k)), ${column})`,
    );
    const columns = 'a_str.keys, a_int.keys, a_dbl.keys, a_bool.keys, a_arr.keys, ev_str, res_id';
    const sample = `SELECT ${columns} FROM spans WHERE ${allOf(conditions)} LIMIT ${MAX_SAMPLED_SPANS}`;
    const own = await client.rows<KeyRow>(
      'SELECT place.1 AS scope, place.2 AS type, place.3 AS key, count() AS spans ' +
        `FROM (SELECT arrayJoin(arrayConcat(${places.join(', ')})) AS place FROM (${sample})) ` +
        `${whereAny(prefixed(sql, 'key', options))} GROUP BY scope, type, key ORDER BY spans DESC, key LIMIT ${limitOf(options)}`,
      limited(sql, 'count attribute keys', options),
    );
    const entries = [...own.map(keyCount), ...(await resourceKeys(client, tenant, options))];
    const sampled = await isSampled(client, tenant, options);
    return {
      entries: entries.toSorted((a, b) => b.spans - a.spans || (a.key < b.key ? -1 : 1)).slice(0, limitOf(options)),
      sampled,
    };
  });
}

interface KeyRow {
  readonly scope: TagScope;
  readonly type: ValueType;
  readonly key: string;
  readonly spans: string;
}

function keyCount({ scope, type, key, spans }: KeyRow): KeyCount {
  return { scope, type, key, spans: Number(spans) };
}

async function resourceKeys(client: SqlClient, tenant: string, options: CountOptions): Promise<KeyCount[]> {
  const { sql, conditions } = await prepare(client, tenant, options, []);
  const types = [
    ['str', ValueType.STRING],
    ['int', ValueType.INT],
    ['dbl', ValueType.DOUBLE],
    ['bool', ValueType.BOOL],
    ['arr', ValueType.ARRAY],
  ] as const;
  const places = (['r', 's'] as const).flatMap((prefix) =>
    types.map(
      ([suffix, type]) =>
        `arrayMap(k -> (${prefix === 'r' ? TagScope.resource : TagScope.scope}, ${type}, toString(k)), ${prefix}_${suffix}.keys)`,
    ),
  );
  const used = `SELECT res_id, count() AS n FROM (SELECT res_id FROM spans WHERE ${allOf(conditions)} LIMIT ${MAX_SAMPLED_SPANS}) GROUP BY res_id`;
  const rows = await client.rows<KeyRow>(
    'SELECT place.1 AS scope, place.2 AS type, place.3 AS key, sum(n) AS spans FROM ' +
      `(SELECT res_id, arrayJoin(arrayConcat(${places.join(', ')})) AS place FROM resources WHERE tenant = ${sql.text(tenant)} LIMIT 1 BY res_id, place) AS r ` +
      `INNER JOIN (${used}) AS u ON r.res_id = u.res_id ` +
      `${whereAny(prefixed(sql, 'place.3', options))} GROUP BY scope, type, key ORDER BY spans DESC, key LIMIT ${limitOf(options)}`,
    limited(sql, 'count resource attribute keys', options),
  );
  return rows.map(keyCount);
}

/** Values of an attribute of spans (scope span) or their resources (scope resource), most used first; `undefined` when time is up. */
export function countValues(
  client: SqlClient,
  tenant: string,
  scope: typeof TagScope.span | typeof TagScope.resource,
  key: string,
  options: CountOptions,
): Promise<CountedList<ValueCount> | undefined> {
  return inTime(async () => {
    const { sql, conditions, catalog } = await prepare(client, tenant, options, [key]);
    const place = placeOf(sql, scope, key, catalog);
    if (place === undefined) return { entries: [], sampled: false };
    const source =
      scope === TagScope.span
        ? `SELECT ${place.value} AS pair, 1 AS n FROM spans WHERE ${allOf([...conditions, place.present])} LIMIT ${MAX_SAMPLED_SPANS}`
        : `SELECT r.pair AS pair, u.n AS n FROM (SELECT res_id, any(${place.value}) AS pair FROM resources WHERE ${allOf([`tenant = ${sql.text(tenant)}`, place.present])} GROUP BY res_id) AS r ` +
          `INNER JOIN (SELECT res_id, count() AS n FROM (SELECT res_id FROM spans WHERE ${allOf(conditions)} LIMIT ${MAX_SAMPLED_SPANS}) GROUP BY res_id) AS u ON r.res_id = u.res_id`;
    const rows = await client.rows<{ type: ValueCount['type']; text: string; spans: string }>(
      `SELECT pair.1 AS type, pair.2 AS text, sum(n) AS spans FROM (${source}) ` +
        `${whereAny(prefixed(sql, 'text', options))} GROUP BY type, text ORDER BY spans DESC, text LIMIT ${limitOf(options)}`,
      limited(sql, 'count attribute values', options),
    );
    return {
      entries: rows
        // A term has no way to write these.
        .filter(({ type, text }) => type !== 'number' || Number.isFinite(Number(text)))
        .map(({ type, text, spans }) => ({ type, text, spans: Number(spans) })),
      sampled: await isSampled(client, tenant, options),
    };
  });
}

/** The value of a key as a pair of type and text, for the types it was seen with. */
function placeOf(
  sql: Sql,
  scope: TagScope,
  key: string,
  catalog: TagCatalog,
): { readonly value: string; readonly present: string } | undefined {
  const prefix = scope === TagScope.span ? 'a' : 'r';
  const k = sql.text(key);
  const choices = (
    [
      ['str', ValueType.STRING, (x: string) => `('string', ${x})`],
      ['int', ValueType.INT, (x: string) => `('number', toString(${x}))`],
      ['dbl', ValueType.DOUBLE, (x: string) => `('number', toString(${x}))`],
      ['bool', ValueType.BOOL, (x: string) => `('boolean', if(${x} = 1, 'true', 'false'))`],
    ] as const
  ).filter(([, type]) => catalog.canBe(key, scope, type));
  if (choices.length === 0) return undefined;
  const has = choices.map(([suffix]) => hasKey(`${prefix}_${suffix}`, key, k));
  const value = choices
    .map(([suffix, , pair], i) => `${has[i]!}, ${pair(valueAt(`${prefix}_${suffix}`, key, k))}`)
    .join(', ');
  return { value: `multiIf(${value}, ('string', ''))`, present: anyOf(has) };
}

/** Whether the range holds more spans than are looked at. */
async function isSampled(client: SqlClient, tenant: string, options: CountOptions): Promise<boolean> {
  const { sql, conditions } = await prepare(client, tenant, options, []);
  const rows = await client.rows<{ one: number }>(
    `SELECT 1 AS one FROM spans WHERE ${allOf(conditions)} LIMIT 1 OFFSET ${MAX_SAMPLED_SPANS}`,
    limited(sql, 'look for further spans', options),
  );
  return rows.length > 0;
}

async function prepare(
  client: SqlClient,
  tenant: string,
  { service, range, signal }: CountOptions,
  keys: readonly string[],
): Promise<{ readonly sql: Sql; readonly conditions: readonly string[]; readonly catalog: TagCatalog }> {
  const catalog = await readTagCatalog(client, tenant, keys, signal);
  const sql = new Sql();
  const filter = service === undefined ? {} : { service };
  return { sql, catalog, conditions: spanConditions({ sql, tenant, catalog, synonyms: false }, filter, range) };
}

function prefixed(sql: Sql, x: string, { prefix }: CountOptions): string[] {
  if (prefix === undefined || prefix === '') return [];
  return [`startsWith(lower(${x}), lower(${sql.text(prefix)}))`];
}

function whereAny(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${allOf(conditions)}`;
}

function limitOf({ limit }: CountOptions): number {
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new StoreError('invalid_argument', `list with counts: limit ${limit} must be a positive whole number`);
}

function limited(sql: Sql, comment: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CountOptions) {
  return { ...scanOptions(sql, comment, signal), timeoutMs };
}

/** What counting gives, or undefined when time was up. */
async function inTime<T>(count: () => Promise<T>): Promise<T | undefined> {
  try {
    return await count();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'timeout') return undefined;
    throw error;
  }
}
