import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { filterKeys, isError, spanConditions } from './span-filter.ts';
import { allOf, Sql } from './sql.ts';
import { readTagCatalog, type TagCatalog } from './tag-catalog.ts';
import { keysOf, tagCondition } from './tag-conditions.ts';
import type { TimeRange } from './time-range.ts';
import type { FoundTrace, FoundTraces, SearchCursor, SearchOptions, TraceSearch } from './trace-search.ts';
import { searchSettings } from './value-test.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** Length of the first window; each further one is four times as long. */
const FIRST_WINDOW_NANOS = 3_600_000_000_000n;
/** Matching spans looked at in one search. */
export const MAX_CANDIDATES = 100_000;
/** Matching spans fetched for one trace wanted: a trace of a busy service matches with many. */
const ROWS_PER_TRACE = 10;
const MIN_ROWS = 200;

/** By what matching spans are ordered. */
export interface MatchOrder {
  readonly column: 'start_ns' | 'duration_ns';
  readonly descending: boolean;
}

/** Latest start first. */
export const latestFirst: MatchOrder = Object.freeze({ column: 'start_ns', descending: true });

/** A matching span: its trace, and its times in decimal digits. */
export interface MatchRow {
  readonly id: string;
  readonly start: string;
  readonly duration: string;
}

/** The statements of one search, and what they cost so far. */
export class SearchStatements {
  readonly client: SqlClient;
  readonly tenant: string;
  readonly search: TraceSearch;
  readonly signal: AbortSignal | undefined;
  /** Statements run, and matching spans looked at. */
  statements = 1;
  candidates = 0;
  readonly #catalog: TagCatalog;
  readonly #deadlineMs: number;

  private constructor(
    client: SqlClient,
    tenant: string,
    search: TraceSearch,
    options: SearchOptions,
    catalog: TagCatalog,
  ) {
    this.client = client;
    this.tenant = tenant;
    this.search = search;
    this.signal = options.signal;
    this.#catalog = catalog;
    this.#deadlineMs = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  /** Looks up what is known about the attributes that are searched. */
  static async prepare(
    client: SqlClient,
    tenant: string,
    search: TraceSearch,
    options: SearchOptions,
  ): Promise<SearchStatements> {
    const { tags = [], synonyms = true } = search;
    const keys = [...tags.flatMap((tag) => keysOf(tag, synonyms)), ...filterKeys(search, synonyms)];
    const catalog = await readTagCatalog(client, tenant, keys, options.signal);
    return new SearchStatements(client, tenant, search, options, catalog);
  }

  /** Matching spans to ask for first. */
  firstRowLimit(traces: number): number {
    return Math.max(MIN_ROWS, (traces + 1) * ROWS_PER_TRACE);
  }

  /** The first matching spans of a range in an order, beyond the cursor; undefined when time is up. */
  async matches(
    range: TimeRange,
    order: MatchOrder,
    rowLimit: number,
    after: SearchCursor | undefined,
  ): Promise<MatchRow[] | undefined> {
    const sql = new Sql();
    const conditions = this.#conditions(sql, range);
    if (after !== undefined) conditions.push(beyond(sql, order, after));
    this.statements++;
    try {
      const rows = await this.client.rows<MatchRow>(
        'SELECT lower(hex(trace_id)) AS id, start_ns AS start, duration_ns AS duration FROM spans ' +
          `WHERE ${allOf(conditions)} ORDER BY ${order.column} ${order.descending ? 'DESC' : 'ASC'}, trace_id LIMIT ${rowLimit}`,
        this.#options(sql, 'search traces'),
      );
      this.candidates += rows.length;
      return rows;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'timeout') return undefined;
      throw error;
    }
  }

  /** Which of the traces have a match at the cursor or before it, and so were on an earlier page; undefined when time is up. */
  async shownBefore(
    traceIds: readonly string[],
    order: MatchOrder,
    cursor: SearchCursor,
  ): Promise<Set<string> | undefined> {
    const sql = new Sql();
    const ids = sql.value(
      'Array(FixedString(16))',
      [...new Set(traceIds)].map((id) => Buffer.from(id, 'hex')),
    );
    const conditions = [
      ...this.#conditions(sql, rangeBefore(this.search.range, order, cursor)),
      `trace_id IN ${ids}`,
      `NOT (${beyond(sql, order, cursor)})`,
    ];
    this.statements++;
    try {
      const shown = await this.client.rows<{ id: string }>(
        `SELECT DISTINCT lower(hex(trace_id)) AS id FROM spans WHERE ${allOf(conditions)}`,
        this.#options(sql, 'search traces: earlier pages'),
      );
      return new Set(shown.map((row) => row.id));
    } catch (error) {
      if (error instanceof StoreError && error.code === 'timeout') return undefined;
      throw error;
    }
  }

  #conditions(sql: Sql, range: TimeRange): string[] {
    const { errors, tags = [], synonyms = true } = this.search;
    const context = { sql, tenant: this.tenant, catalog: this.#catalog, synonyms };
    const conditions = spanConditions(context, this.search, range);
    if (errors !== undefined) conditions.push(errors ? isError : `NOT (${isError})`);
    for (const tag of tags) conditions.push(tagCondition(context, tag));
    return conditions;
  }

  #options(sql: Sql, comment: string): StatementOptions {
    return {
      class: 'scan',
      comment,
      params: sql.params,
      settings: searchSettings,
      timeoutMs: Math.max(1, Math.ceil(this.#deadlineMs - performance.now())),
      ...(this.signal === undefined ? {} : { signal: this.signal }),
    };
  }

  /** Time is up: what was found is given; when nothing was, that is an error. */
  outOfTime(traces: readonly FoundTrace[], searchedFrom: bigint): FoundTraces {
    if (traces.length > 0) return this.result(traces, 'time', searchedFrom);
    throw new StoreError(
      'timeout',
      'search traces: nothing was found in the time allowed (setting clew_query.limits.max_search_time); narrow the range, name a service, or raise the setting',
    );
  }

  /** What the search gives. */
  result(
    traces: readonly FoundTrace[],
    stopped: FoundTraces['facts']['stopped'],
    searchedFromUnixNano: bigint,
    next?: SearchCursor,
  ): FoundTraces {
    return {
      traces,
      ...(next === undefined ? {} : { next }),
      facts: { stopped, statements: this.statements, candidates: this.candidates, searchedFromUnixNano },
    };
  }
}

/** A match as a found trace. */
export function foundTrace(row: MatchRow): FoundTrace {
  return { traceId: row.id, matchUnixNano: BigInt(row.start), matchDurationNano: BigInt(row.duration) };
}

/** Parts of a range from the end at which the order begins, each four times as long as the one before; all of it when the order is not by time. */
export function* windowsOf(range: TimeRange, order: MatchOrder): Generator<TimeRange> {
  if (order.column !== 'start_ns') {
    yield range;
    return;
  }
  let { startUnixNano, endUnixNano } = range;
  for (let length = FIRST_WINDOW_NANOS; startUnixNano <= endUnixNano; length *= 4n) {
    const isLast = endUnixNano - startUnixNano <= length;
    if (isLast) {
      yield { startUnixNano, endUnixNano };
      return;
    }
    if (order.descending) {
      yield { startUnixNano: endUnixNano - length, endUnixNano };
      endUnixNano -= length + 1n;
    } else {
      yield { startUnixNano, endUnixNano: startUnixNano + length };
      startUnixNano += length + 1n;
    }
  }
}

/** The part of a range where matches beyond the cursor can start. */
export function rangeBeyond(range: TimeRange, order: MatchOrder, cursor: SearchCursor | undefined): TimeRange {
  if (cursor === undefined || order.column !== 'start_ns') return range;
  const at = cursor.matchUnixNano;
  if (order.descending) return { ...range, endUnixNano: at < range.endUnixNano ? at : range.endUnixNano };
  return { ...range, startUnixNano: at > range.startUnixNano ? at : range.startUnixNano };
}

/** The part of a range where matches at the cursor or before it can start. */
function rangeBefore(range: TimeRange, order: MatchOrder, cursor: SearchCursor): TimeRange {
  if (order.column !== 'start_ns') return range;
  const at = cursor.matchUnixNano;
  return order.descending ? { ...range, startUnixNano: at } : { ...range, endUnixNano: at };
}

/** Condition for matches that come after the cursor. */
function beyond(sql: Sql, { column, descending }: MatchOrder, cursor: SearchCursor): string {
  const at = sql.value('UInt64', cursor.matchUnixNano);
  const id = sql.value('FixedString(16)', Buffer.from(cursor.traceId, 'hex'));
  return `${column} ${descending ? '<' : '>'} ${at} OR (${column} = ${at} AND trace_id > ${id})`;
}
