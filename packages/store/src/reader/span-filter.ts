import { HotBit } from '../block/hot-attributes.ts';
import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { Sql } from './sql.ts';
import { readTagCatalog, type TagCatalog } from './tag-catalog.ts';
import type { TagContext } from './tag-conditions.ts';
import { termCondition, type TermFilter, termKeys } from './term-conditions.ts';
import { startsWithin, type TimeRange } from './time-range.ts';
import { searchSettings } from './value-test.ts';

/** What is asked of one span; all of it must hold for the same span. */
export interface SpanFilter {
  readonly service?: string;
  /** Span name, exactly. */
  readonly operation?: string;
  /** `error`: the status is error, or an attribute `error` is true. Other spans go by their status code. */
  readonly status?: 'error' | 'ok' | 'unset';
  /** OTLP `SpanKind`. */
  readonly kind?: number;
  /** Span duration, both ends included. */
  readonly minDurationNano?: bigint;
  readonly maxDurationNano?: bigint;
  /** Only spans without a parent. */
  readonly rootOnly?: boolean;
  readonly terms?: readonly TermFilter[];
}

/** The condition for a span that failed. */
export const isError = `bitAnd(hot, ${HotBit.ERROR}) != 0`;

/** Every attribute key the filter's terms look for. */
export function filterKeys(filter: SpanFilter, synonyms: boolean): string[] {
  return (filter.terms ?? []).flatMap((term) => termKeys(term, synonyms));
}

/** Conditions on `spans` for the filter and a range of start times, the tenant first. */
export function spanConditions(context: TagContext, filter: SpanFilter, range: TimeRange): string[] {
  const { sql } = context;
  const { service, operation, kind, status, minDurationNano, maxDurationNano } = filter;
  const conditions = [`tenant = ${sql.text(context.tenant)}`];
  if (service !== undefined) conditions.push(`service = ${sql.text(service)}`);
  conditions.push(startsWithin(sql, range, context.catalog.oddTimes));
  if (operation !== undefined) conditions.push(`name = ${sql.text(operation)}`);
  if (kind !== undefined) conditions.push(`kind = ${sql.value('UInt8', kind)}`);
  if (status !== undefined) conditions.push(statusCondition(status));
  if (minDurationNano !== undefined) conditions.push(`duration_ns >= ${sql.value('UInt64', minDurationNano)}`);
  if (maxDurationNano !== undefined) conditions.push(`duration_ns <= ${sql.value('UInt64', maxDurationNano)}`);
  if (filter.rootOnly === true) conditions.push("parent_id = toFixedString('', 8)");
  for (const term of filter.terms ?? []) conditions.push(termCondition(context, term));
  return conditions;
}

function statusCondition(status: NonNullable<SpanFilter['status']>): string {
  return status === 'error' ? isError : `status = ${status === 'ok' ? 1 : 0} AND NOT (${isError})`;
}

/** A filter made ready: its conditions, and the parameters they need. */
export interface PreparedFilter {
  readonly sql: Sql;
  readonly conditions: readonly string[];
  readonly catalog: TagCatalog;
}

/** Looks up what is known of the filter's keys, and writes its conditions. */
export async function prepareFilter(
  client: SqlClient,
  tenant: string,
  filter: SpanFilter,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<PreparedFilter> {
  const catalog = await readTagCatalog(client, tenant, filterKeys(filter, true), signal);
  const sql = new Sql();
  return { sql, catalog, conditions: spanConditions({ sql, tenant, catalog, synonyms: true }, filter, range) };
}

/** Options of a statement with such conditions. */
export function scanOptions(sql: Sql, comment: string, signal?: AbortSignal): StatementOptions {
  return {
    class: 'scan',
    comment,
    params: sql.params,
    settings: searchSettings,
    ...(signal === undefined ? {} : { signal }),
  };
}
