import type { SqlClient, StatementOptions } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { allOf, Sql } from './sql.ts';
import { readTagCatalog, type TagCatalog } from './tag-catalog.ts';
import { keysOf, tagCondition, type TagFilter } from './tag-conditions.ts';
import { filterKeys, isError, spanConditions, type SpanFilter } from './span-filter.ts';
import type { TimeRange } from './time-range.ts';
import { searchSettings } from './value-test.ts';
import { lookUpTraces } from './trace-index.ts';
import { countSpans } from './summaries.ts';

/** In which order found traces are given, best first; ties by trace id. */
export type TraceOrder =
  /** Start of the latest matching span. */
  | 'latest_match'
  /** Start of the trace. */
  | 'trace_start'
  /** Duration of the longest matching span. */
  | 'longest_match'
  /** Start of the earliest matching span. */
  | 'oldest_match'
  /** Spans of the trace, among the latest matching ones (`FoundTraces.facts.candidates`). */
  | 'most_spans'
  /** Failed spans of the trace, among the latest matching ones. */
  | 'most_errors';

/** A search. A trace matches when at least one of its spans satisfies every condition. */
export interface TraceSearch extends SpanFilter {
  readonly tags?: readonly TagFilter[];
  /** Whether tags and terms match under other names of the same attribute; default true. */
  readonly synonyms?: boolean;
  /** Only spans that failed, or only others. */
  readonly errors?: boolean;
  /** Range of the matching spans' starts, both ends included. */
  readonly range: TimeRange;
  /** Traces to find at most. */
  readonly limit: number;
  readonly order?: TraceOrder;
  /** Continues a search in order `latest_match` after its last trace. */
  readonly after?: SearchCursor;
}

/** Where a page ended. */
export interface SearchCursor {
  readonly matchUnixNano: bigint;
  readonly traceId: string;
}

/** A trace that was found, and its best match in the order asked for. */
export interface FoundTrace {
  readonly traceId: string;
  readonly matchUnixNano: bigint;
  readonly matchDurationNano: bigint;
}

/** What was found, and how far the search went. */
export interface FoundTraces {
  readonly traces: readonly FoundTrace[];
  /** Present when there may be more; only in order `latest_match`. */
  readonly next?: SearchCursor;
  readonly facts: {
    /** Why the search ended: enough traces, nothing more to look at, too much looked at, or out of time. */
    readonly stopped: 'limit' | 'exhausted' | 'candidates' | 'time';
    /** Statements that were run. */
    readonly statements: number;
    /** Matching spans that were looked at. */
    readonly candidates: number;
    /** Oldest start that was searched; later ones were searched completely. */
    readonly searchedFromUnixNano: bigint;
  };
}

/** Limits and cancellation of a search. */
export interface SearchOptions {
  /** Time for all statements together; what was found by then is given. Default 10,000 ms, setting `clew_query.limits.max_search_time`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Length of the newest window; each further one is four times as long. */
const FIRST_WINDOW_NANOS = 3_600_000_000_000n;
/** Matching spans fetched for one trace wanted: a trace of a busy service matches with many. */
const ROWS_PER_TRACE = 10;
const MIN_ROWS = 200;
/** Matching spans looked at in one search. */
const MAX_CANDIDATES = 100_000;

/** Finds traces. Throws `StoreError`; being out of time with something found is no error. */
export async function findTraces(
  client: SqlClient,
  tenant: string,
  search: TraceSearch,
  options: SearchOptions = {},
): Promise<FoundTraces> {
  if (!Number.isInteger(search.limit) || search.limit <= 0) {
    throw new StoreError('invalid_argument', `search traces: limit ${search.limit} must be a positive whole number`);
  }
  const run = await SearchRun.prepare(client, tenant, search, options);
  switch (search.order ?? 'latest_match') {
    case 'latest_match':
      return run.latest();
    case 'trace_start':
      return run.byTraceStart();
    case 'longest_match':
      return run.longest();
    case 'most_spans':
      return run.mostSpans();
  }
}

interface MatchRow {
  readonly id: string;
  readonly start: string;
  readonly duration: string;
}

class SearchRun {
  readonly #client: SqlClient;
  readonly #tenant: string;
  readonly #search: TraceSearch;
  readonly #catalog: TagCatalog;
  readonly #signal: AbortSignal | undefined;
  readonly #deadlineMs: number;
  #statements = 1;
  #candidates = 0;

  private constructor(
    client: SqlClient,
    tenant: string,
    search: TraceSearch,
    options: SearchOptions,
    catalog: TagCatalog,
  ) {
    this.#client = client;
    this.#tenant = tenant;
    this.#search = search;
    this.#catalog = catalog;
    this.#signal = options.signal;
    this.#deadlineMs = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  }

  static async prepare(
    client: SqlClient,
    tenant: string,
    search: TraceSearch,
    options: SearchOptions,
  ): Promise<SearchRun> {
    const { tags = [], synonyms = true } = search;
    const keys = [...tags.flatMap((tag) => keysOf(tag, synonyms)), ...filterKeys(search, synonyms)];
    const catalog = await readTagCatalog(client, tenant, keys, options.signal);
    return new SearchRun(client, tenant, search, options, catalog);
  }

  /** Newest first: fetches the latest matching spans, window by window, until they belong to enough traces. */
  async latest(): Promise<FoundTraces> {
    const { limit, after } = this.#search;
    const found = new Map<string, FoundTrace>();
    for (const window of this.#windows()) {
      let rowLimit = Math.max(MIN_ROWS, (limit + 1) * ROWS_PER_TRACE);
      let last: MatchRow | undefined;
      for (;;) {
        const rows = await this.#matches(window, 'start_ns DESC, trace_id', rowLimit, last);
        if (rows === undefined) return this.#outOfTime([...found.values()], window.endUnixNano);
        await this.#addNew(rows, found, after);
        if (found.size > limit) return this.#page([...found.values()], window.startUnixNano);
        if (rows.length < rowLimit) break;
        if (this.#candidates >= MAX_CANDIDATES)
          return this.#result([...found.values()], 'candidates', window.startUnixNano);
        last = rows.at(-1);
        rowLimit *= 2;
      }
    }
    return this.#result([...found.values()], 'exhausted', this.#search.range.startUnixNano);
  }

  /** Adds traces that are not known yet; on a later page, only those whose latest match is beyond the cursor. */
  async #addNew(
    rows: readonly MatchRow[],
    found: Map<string, FoundTrace>,
    after: SearchCursor | undefined,
  ): Promise<void> {
    const fresh = rows.filter((row) => !found.has(row.id));
    const shown = after === undefined || fresh.length === 0 ? undefined : await this.#shownBefore(fresh, after);
    for (const row of fresh) if (!found.has(row.id) && shown?.has(row.id) !== true) found.set(row.id, foundTrace(row));
  }

  /** Which of the traces have a match on an earlier page. */
  async #shownBefore(rows: readonly MatchRow[], after: SearchCursor): Promise<Set<string>> {
    const sql = new Sql();
    const range = { startUnixNano: after.matchUnixNano, endUnixNano: this.#search.range.endUnixNano };
    const ids = sql.value(
      'Array(FixedString(16))',
      [...new Set(rows.map((row) => row.id))].map((id) => Buffer.from(id, 'hex')),
    );
    const start = sql.value('UInt64', after.matchUnixNano);
    const conditions = [
      ...this.#conditions(sql, range),
      `trace_id IN ${ids}`,
      `start_ns > ${start} OR (start_ns = ${start} AND trace_id <= ${fixedId(sql, after.traceId)})`,
    ];
    this.#statements++;
    const shown = await this.#client.rows<{ id: string }>(
      `SELECT DISTINCT lower(hex(trace_id)) AS id FROM spans WHERE ${allOf(conditions)}`,
      this.#options(sql, 'search traces: earlier pages'),
    );
    return new Set(shown.map((row) => row.id));
  }

  async longest(): Promise<FoundTraces> {
    const { limit, range } = this.#search;
    const found = new Map<string, FoundTrace>();
    for (let rowLimit = Math.max(MIN_ROWS, limit * ROWS_PER_TRACE); ; rowLimit *= 8) {
      const rows = await this.#matches(range, 'duration_ns DESC, trace_id', rowLimit);
      if (rows === undefined) return this.#outOfTime([...found.values()], range.endUnixNano);
      for (const row of rows) if (!found.has(row.id)) found.set(row.id, foundTrace(row));
      const traces = [...found.values()].slice(0, limit);
      if (found.size >= limit) return this.#result(traces, 'limit', range.startUnixNano);
      if (rows.length < rowLimit) return this.#result(traces, 'exhausted', range.startUnixNano);
      if (this.#candidates >= MAX_CANDIDATES) return this.#result(traces, 'candidates', range.startUnixNano);
    }
  }

  /**
   * A trace starts no later than any of its spans: once everything down to a time was searched, every matching trace that starts after it is
   * known, and the order among them is final.
   */
  async byTraceStart(): Promise<FoundTraces> {
    const { limit, range } = this.#search;
    const matches = new Map<string, FoundTrace>();
    const starts = new Map<string, bigint>();
    const order = (): FoundTrace[] => byStart(matches, starts).slice(0, limit);
    for (const window of this.#windows()) {
      let last: MatchRow | undefined;
      for (let rowLimit = Math.max(MIN_ROWS, limit * ROWS_PER_TRACE); ; rowLimit *= 2) {
        const rows = await this.#matches(window, 'start_ns DESC, trace_id', rowLimit, last);
        if (rows === undefined) return this.#outOfTime(order(), window.endUnixNano);
        for (const row of rows) if (!matches.has(row.id)) matches.set(row.id, foundTrace(row));
        await this.#addStarts(matches, starts);
        last = rows.at(-1);
        const isWindowDone = rows.length < rowLimit;
        const searchedFrom = isWindowDone || last === undefined ? window.startUnixNano : BigInt(last.start) + 1n;
        const final = [...starts.values()].filter((start) => start >= searchedFrom).length;
        if (final >= limit) return this.#result(order(), 'limit', searchedFrom);
        if (isWindowDone) break;
        if (this.#candidates >= MAX_CANDIDATES) return this.#result(order(), 'candidates', searchedFrom);
      }
    }
    return this.#result(order(), starts.size > limit ? 'limit' : 'exhausted', range.startUnixNano);
  }

  async #addStarts(matches: ReadonlyMap<string, FoundTrace>, starts: Map<string, bigint>): Promise<void> {
    const unknown = [...matches.keys()].filter((id) => !starts.has(id));
    for (let at = 0; at < unknown.length; at += 1000) {
      this.#statements++;
      const traces = await lookUpTraces(this.#client, this.#tenant, unknown.slice(at, at + 1000), this.#signal);
      for (const trace of traces) starts.set(trace.traceId, trace.startUnixNano);
    }
  }

  async mostSpans(): Promise<FoundTraces> {
    const { limit } = this.#search;
    const wide = new SearchRun(
      this.#client,
      this.#tenant,
      { ...this.#search, limit: Math.max(1000, limit) },
      {},
      this.#catalog,
    );
    const latest = await wide.latest();
    const counts = await countSpans(
      this.#client,
      this.#tenant,
      latest.traces.map((trace) => trace.traceId),
      this.#signal,
    );
    const traces = latest.traces.toSorted(
      (a, b) => (counts.get(b.traceId) ?? 0) - (counts.get(a.traceId) ?? 0) || compareText(a.traceId, b.traceId),
    );
    const { stopped, statements, candidates, searchedFromUnixNano } = latest.facts;
    return {
      traces: traces.slice(0, limit),
      facts: {
        stopped: stopped === 'limit' ? 'candidates' : stopped,
        statements: statements + 2,
        candidates,
        searchedFromUnixNano,
      },
    };
  }

  /** Parts of the range from the newest to the oldest, each four times as long as the one before. */
  *#windows(): Generator<TimeRange> {
    const { range, after } = this.#search;
    let end = after === undefined || after.matchUnixNano > range.endUnixNano ? range.endUnixNano : after.matchUnixNano;
    for (let length = FIRST_WINDOW_NANOS; end >= range.startUnixNano; length *= 4n) {
      const start = end - length < range.startUnixNano ? range.startUnixNano : end - length;
      yield { startUnixNano: start, endUnixNano: end };
      end = start - 1n;
    }
  }

  #conditions(sql: Sql, range: TimeRange): string[] {
    const { errors, tags = [], synonyms = true } = this.#search;
    const context = { sql, tenant: this.#tenant, catalog: this.#catalog, synonyms };
    const conditions = spanConditions(context, this.#search, range);
    if (errors !== undefined) conditions.push(errors ? isError : `NOT (${isError})`);
    for (const tag of tags) conditions.push(tagCondition(context, tag));
    return conditions;
  }

  /** The first matching spans of a range in an order; undefined when time is up. */
  async #matches(range: TimeRange, order: string, rowLimit: number, after?: MatchRow): Promise<MatchRow[] | undefined> {
    const sql = new Sql();
    const conditions = this.#conditions(sql, range);
    if (after !== undefined) conditions.push(this.#beyond(sql, BigInt(after.start), after.id));
    const cursor = this.#search.after;
    if (cursor !== undefined) conditions.push(this.#beyond(sql, cursor.matchUnixNano, cursor.traceId));
    this.#statements++;
    try {
      const rows = await this.#client.rows<MatchRow>(
        'SELECT lower(hex(trace_id)) AS id, start_ns AS start, duration_ns AS duration FROM spans ' +
          `WHERE ${allOf(conditions)} ORDER BY ${order} LIMIT ${rowLimit}`,
        this.#options(sql, 'search traces'),
      );
      this.#candidates += rows.length;
      return rows;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'timeout') return undefined;
      throw error;
    }
  }

  #beyond(sql: Sql, start: bigint, traceId: string): string {
    const at = sql.value('UInt64', start);
    return `start_ns < ${at} OR (start_ns = ${at} AND trace_id > ${fixedId(sql, traceId)})`;
  }

  #options(sql: Sql, comment: string): StatementOptions {
    return {
      class: 'scan',
      comment,
      params: sql.params,
      settings: searchSettings,
      timeoutMs: Math.max(1, Math.ceil(this.#deadlineMs - performance.now())),
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    };
  }

  #page(traces: readonly FoundTrace[], searchedFrom: bigint): FoundTraces {
    const page = traces.slice(0, this.#search.limit);
    const last = page.at(-1)!;
    return {
      ...this.#result(page, 'limit', searchedFrom),
      next: { matchUnixNano: last.matchUnixNano, traceId: last.traceId },
    };
  }

  /** Time is up: what was found is given; when nothing was, that is an error. */
  #outOfTime(traces: readonly FoundTrace[], searchedFrom: bigint): FoundTraces {
    if (traces.length > 0) return this.#result(traces, 'time', searchedFrom);
    throw new StoreError(
      'timeout',
      'search traces: nothing was found in the time allowed (setting clew_query.limits.max_search_time); narrow the range, name a service, or raise the setting',
    );
  }

  #result(
    traces: readonly FoundTrace[],
    stopped: FoundTraces['facts']['stopped'],
    searchedFromUnixNano: bigint,
  ): FoundTraces {
    return {
      traces: traces.slice(0, this.#search.limit),
      facts: { stopped, statements: this.#statements, candidates: this.#candidates, searchedFromUnixNano },
    };
  }
}

function foundTrace(row: MatchRow): FoundTrace {
  return { traceId: row.id, matchUnixNano: BigInt(row.start), matchDurationNano: BigInt(row.duration) };
}

function fixedId(sql: Sql, traceId: string): string {
  return sql.value('FixedString(16)', Buffer.from(traceId, 'hex'));
}

function byStart(matches: ReadonlyMap<string, FoundTrace>, starts: ReadonlyMap<string, bigint>): FoundTrace[] {
  return [...matches.values()].toSorted((a, b) => {
    const x = starts.get(a.traceId) ?? 0n;
    const y = starts.get(b.traceId) ?? 0n;
    return x === y ? compareText(a.traceId, b.traceId) : x > y ? -1 : 1;
  });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
