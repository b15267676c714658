import { ValueType } from '@clew/model';

import { HOT_CONCEPTS, HTTP_STATUS_CONCEPT } from '../block/hot-attributes.ts';
import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { TagScope } from '../schema/tables.ts';
import { hasKey, valueAt } from './map-keys.ts';
import { allOf, Sql } from './sql.ts';
import { daysOf, type TimeRange } from './time-range.ts';

/** Rows a list of names may have unless the caller says otherwise. */
const DEFAULT_LIMIT = 10_000;

/** What every list accepts. */
export interface ListOptions {
  /** Only what was seen on days of this range; everything stored when left out. */
  readonly range?: TimeRange;
  /** Names to give at most, in order; default 10,000. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** An operation: a span name of a service with a kind (OTLP number). */
export interface Operation {
  readonly name: string;
  readonly kind: number;
}

/** An attribute key and where it occurs. */
export interface TagKey {
  readonly key: string;
  readonly scope: TagScope;
  readonly type: ValueType;
}

/** Names of the services that sent spans; spans without a service name are not among them. */
export async function listServices(client: SqlClient, tenant: string, options: ListOptions = {}): Promise<string[]> {
  const sql = new Sql();
  const conditions = [`tenant = ${sql.text(tenant)}`, "service != ''", ...range(sql, options)];
  const rows = await client.rows<{ service: string }>(
    `SELECT DISTINCT toString(service) AS service FROM services WHERE ${allOf(conditions)} ORDER BY service LIMIT ${limitOf(options)}`,
    statement(sql, 'list services', options),
  );
  return rows.map((row) => row.service);
}

/** Operations of a service, by name, then kind. */
export async function listOperations(
  client: SqlClient,
  tenant: string,
  service: string,
  options: ListOptions & { readonly kind?: number } = {},
): Promise<Operation[]> {
  const sql = new Sql();
  const conditions = [`tenant = ${sql.text(tenant)}`, `service = ${sql.text(service)}`, ...range(sql, options)];
  if (options.kind !== undefined) conditions.push(`kind = ${sql.value('UInt8', options.kind)}`);
  return client.rows<Operation>(
    `SELECT DISTINCT name, kind FROM operations WHERE ${allOf(conditions)} ORDER BY name, kind LIMIT ${limitOf(options)}`,
    statement(sql, 'list operations', options),
  );
}

/** Attribute keys that begin with `prefix`, by key. */
export async function listTagKeys(
  client: SqlClient,
  tenant: string,
  prefix: string,
  options: ListOptions = {},
): Promise<TagKey[]> {
  const sql = new Sql();
  const conditions = [`tenant = ${sql.text(tenant)}`, 'scope != 0', ...range(sql, options)];
  if (prefix !== '') conditions.push(`startsWith(key, ${sql.text(prefix)})`);
  return client.rows<TagKey>(
    `SELECT DISTINCT key, scope, type FROM tag_keys WHERE ${allOf(conditions)} ORDER BY key, scope, type LIMIT ${limitOf(options)}`,
    statement(sql, 'list attribute keys', options),
  );
}

/**
 * Values of an attribute of spans or resources that begin with `prefix`, as text, in order. Strings come from a list that holds every value of small
 * segments and those of one span in sixteen of large ones; numbers and bools from the newest hour of spans in the range.
 */
export async function listTagValues(
  client: SqlClient,
  tenant: string,
  key: string,
  prefix: string,
  options: ListOptions & { readonly range: TimeRange },
): Promise<string[]> {
  const limit = limitOf(options);
  const lists = await Promise.all([
    stringValues(client, tenant, key, prefix, options),
    resourceValues(client, tenant, key, prefix, options),
    otherValues(client, tenant, key, prefix, options),
    leafValues(client, tenant, key, prefix, options),
  ]);
  return [...new Set(lists.flat())].toSorted().slice(0, limit);
}

async function stringValues(
  client: SqlClient,
  tenant: string,
  key: string,
  prefix: string,
  options: ListOptions,
): Promise<string[]> {
  const sql = new Sql();
  const conditions = [`tenant = ${sql.text(tenant)}`, `key = ${sql.text(key)}`, ...range(sql, options)];
  if (prefix !== '') conditions.push(`startsWith(value, ${sql.text(prefix)})`);
  const rows = await client.rows<{ value: string }>(
    `SELECT DISTINCT value FROM tag_values WHERE ${allOf(conditions)} ORDER BY value LIMIT ${limitOf(options)}`,
    statement(sql, 'list attribute values', options),
  );
  return rows.map((row) => row.value);
}

async function resourceValues(
  client: SqlClient,
  tenant: string,
  key: string,
  prefix: string,
  options: ListOptions,
): Promise<string[]> {
  const sql = new Sql();
  const k = sql.text(key);
  const choices = (['str', 'int', 'dbl', 'bool'] as const).map((suffix) => choice('r', suffix, key, k));
  const value = `multiIf(${choices.join(', ')}, '')`;
  const conditions = [`tenant = ${sql.text(tenant)}`, ...range(sql, options), "value != ''"];
  if (prefix !== '') conditions.push(`startsWith(value, ${sql.text(prefix)})`);
  const rows = await client.rows<{ value: string }>(
    `SELECT DISTINCT ${value} AS value FROM resources WHERE ${allOf(conditions)} ORDER BY value LIMIT ${limitOf(options)}`,
    statement(sql, 'list resource attribute values', options),
  );
  return rows.map((row) => row.value);
}

const texts = {
  str: (x: string) => x,
  int: (x: string) => `toString(${x})`,
  dbl: (x: string) => `toString(${x})`,
  bool: (x: string) => `if(${x} = 1, 'true', 'false')`,
} as const;

/** A condition and a value of `multiIf`: whether a map of a level has the key, and as text what it holds there. */
function choice(prefix: 'a' | 'r', suffix: keyof typeof texts, key: string, k: string): string {
  const map = `${prefix}_${suffix}`;
  return `${hasKey(map, key, k)}, ${texts[suffix](valueAt(map, key, k))}`;
}

/** Newest part of the range that is scanned for values that are not strings. */
const SCAN_NANOS = 3_600_000_000_000n;

async function otherValues(
  client: SqlClient,
  tenant: string,
  key: string,
  prefix: string,
  options: ListOptions & { readonly range: TimeRange },
): Promise<string[]> {
  const types = await typesOf(client, tenant, key, options, TagScope.span);
  const sql = new Sql();
  const k = sql.text(key);
  const choices: string[] = [];
  if (types.has(ValueType.INT)) choices.push(choice('a', 'int', key, k));
  if (types.has(ValueType.DOUBLE)) choices.push(choice('a', 'dbl', key, k));
  if (types.has(ValueType.BOOL)) choices.push(choice('a', 'bool', key, k));
  const hot = HOT_CONCEPTS[HTTP_STATUS_CONCEPT];
  const isStatus = key === hot.current || key === hot.old;
  if (choices.length === 0) return [];
  const value = isStatus ? `if(${hot.column} = 0, '', toString(${hot.column}))` : `multiIf(${choices.join(', ')}, '')`;
  return scannedValues(client, sql, tenant, value, prefix, options);
}

/** Values within maps and nested arrays of spans, by path (see `block/leaf-writer.ts`). */
async function leafValues(
  client: SqlClient,
  tenant: string,
  path: string,
  prefix: string,
  options: ListOptions & { readonly range: TimeRange },
): Promise<string[]> {
  if ((await typesOf(client, tenant, path, options, TagScope.spanLeaf)).size === 0) return [];
  const sql = new Sql();
  const k = sql.text(path);
  const leaves = `arrayFilter((y, x) -> x = ${k} AND match(y, '^L[sidb]'), mapValues(a_other), mapKeys(a_other))`;
  const value = `arrayJoin(arrayMap(y -> substring(y, 3), ${leaves}))`;
  return scannedValues(client, sql, tenant, value, prefix, options, [hasKey('a_other', path, k)]);
}

/** Distinct values of an expression over the newest spans of the range. */
async function scannedValues(
  client: SqlClient,
  sql: Sql,
  tenant: string,
  value: string,
  prefix: string,
  options: ListOptions & { readonly range: TimeRange },
  more: readonly string[] = [],
): Promise<string[]> {
  const newest = options.range.endUnixNano - SCAN_NANOS;
  const from = newest > options.range.startUnixNano ? newest : options.range.startUnixNano;
  const conditions = [
    `tenant = ${sql.text(tenant)}`,
    daysOf(sql, { startUnixNano: from, endUnixNano: options.range.endUnixNano }),
    `start_ns BETWEEN ${sql.value('UInt64', from)} AND ${sql.value('UInt64', options.range.endUnixNano)}`,
    ...more,
  ];
  const wanted = ["value != ''", ...(prefix === '' ? [] : [`startsWith(value, ${sql.text(prefix)})`])];
  const rows = await client.rows<{ value: string }>(
    `SELECT DISTINCT value FROM (SELECT ${value} AS value FROM spans WHERE ${allOf(conditions)}) WHERE ${allOf(wanted)} LIMIT ${limitOf(options)}`,
    { ...statement(sql, 'list attribute values', options), class: 'scan' },
  );
  return rows.map((row) => row.value);
}

async function typesOf(
  client: SqlClient,
  tenant: string,
  key: string,
  options: ListOptions,
  scope: TagScope,
): Promise<Set<number>> {
  const sql = new Sql();
  const rows = await client.rows<{ type: number }>(
    `SELECT DISTINCT type FROM tag_keys WHERE tenant = ${sql.text(tenant)} AND scope = ${scope} AND key = ${sql.text(key)}`,
    statement(sql, 'look up attribute types', options),
  );
  return new Set(rows.map((row) => row.type));
}

function range(sql: Sql, options: ListOptions): string[] {
  return options.range === undefined ? [] : [daysOf(sql, options.range)];
}

function limitOf({ limit = DEFAULT_LIMIT }: ListOptions): number {
  return Math.max(1, Math.min(Math.floor(limit), 1_000_000));
}

function statement(sql: Sql, comment: string, { signal }: ListOptions): StatementOptions {
  return {
    class: 'point',
    comment,
    params: sql.params,
    settings: { max_threads: 1 },
    ...(signal === undefined ? {} : { signal }),
  };
}
