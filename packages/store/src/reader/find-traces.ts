import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { rankTraces } from './rank-traces.ts';
import {
  foundTrace,
  latestFirst,
  MAX_CANDIDATES,
  type MatchOrder,
  type MatchRow,
  rangeBeyond,
  SearchStatements,
  windowsOf,
} from './search-statements.ts';
import { lookUpTraces } from './trace-index.ts';
import {
  compareText,
  type FoundTrace,
  type FoundTraces,
  type SearchCursor,
  type SearchOptions,
  type TraceSearch,
} from './trace-search.ts';

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
  const run = await SearchStatements.prepare(client, tenant, search, options);
  switch (search.order ?? 'latest_match') {
    case 'latest_match':
      return findByMatch(run, latestFirst, search.limit, search.after);
    case 'oldest_match':
      return findByMatch(run, { column: 'start_ns', descending: false }, search.limit, search.after);
    case 'longest_match':
      return findByMatch(run, { column: 'duration_ns', descending: true }, search.limit, search.after);
    case 'trace_start':
      return findByTraceStart(run);
    case 'most_spans':
      return rankTraces(
        run,
        (limit) => findByMatch(run, latestFirst, limit, undefined),
        (trace) => trace.spans,
      );
    case 'most_errors':
      return rankTraces(
        run,
        (limit) => findByMatch(run, latestFirst, limit, undefined),
        (trace) => trace.errors,
      );
  }
}

/** Fetches the best matching spans, window by window, until they belong to enough traces. */
async function findByMatch(
  run: SearchStatements,
  order: MatchOrder,
  limit: number,
  after: SearchCursor | undefined,
): Promise<FoundTraces> {
  const { range } = run.search;
  const found = new Map<string, FoundTrace>();
  for (const window of windowsOf(rangeBeyond(range, order, after), order)) {
    const searched = order.descending ? window.startUnixNano : window.endUnixNano;
    const before = order.descending ? window.endUnixNano : window.startUnixNano;
    let last: MatchRow | undefined;
    for (let rowLimit = run.firstRowLimit(limit); ; rowLimit *= 2) {
      const position = last === undefined ? undefined : cursorAt(foundTrace(last), order);
      const rows = await run.matches(window, order, rowLimit, position ?? after);
      if (rows === undefined || !(await addNew(run, order, rows, found, after)))
        return run.outOfTime([...found.values()], before);
      const traces = [...found.values()];
      if (found.size > limit)
        return run.result(traces.slice(0, limit), 'limit', searched, cursorAt(traces[limit - 1]!, order));
      if (rows.length < rowLimit) break;
      if (run.candidates >= MAX_CANDIDATES) return run.result(traces, 'candidates', searched);
      last = rows.at(-1);
    }
  }
  return run.result([...found.values()], 'exhausted', order.descending ? range.startUnixNano : range.endUnixNano);
}

/** Adds traces that are not known yet; on a later page, only those whose best match is beyond the cursor. False when time is up. */
async function addNew(
  run: SearchStatements,
  order: MatchOrder,
  rows: readonly MatchRow[],
  found: Map<string, FoundTrace>,
  after: SearchCursor | undefined,
): Promise<boolean> {
  const fresh = rows.filter((row) => !found.has(row.id));
  const ids = fresh.map((row) => row.id);
  const shown = after === undefined || ids.length === 0 ? new Set() : await run.shownBefore(ids, order, after);
  if (shown === undefined) return false;
  for (const row of fresh) if (!found.has(row.id) && !shown.has(row.id)) found.set(row.id, foundTrace(row));
  return true;
}

function cursorAt(trace: FoundTrace, { column }: MatchOrder): SearchCursor {
  const value = column === 'start_ns' ? trace.matchUnixNano : trace.matchDurationNano;
  return { matchUnixNano: value, traceId: trace.traceId };
}

/**
 * A trace starts no later than any of its spans: once everything down to a time was searched, every matching trace that starts after it is
 * known, and the order among them is final.
 */
async function findByTraceStart(run: SearchStatements): Promise<FoundTraces> {
  const { limit, range } = run.search;
  const matches = new Map<string, FoundTrace>();
  const starts = new Map<string, bigint>();
  const order = (): FoundTrace[] => byStart(matches, starts).slice(0, limit);
  for (const window of windowsOf(range, latestFirst)) {
    let last: MatchRow | undefined;
    for (let rowLimit = run.firstRowLimit(limit); ; rowLimit *= 2) {
      const position = last === undefined ? undefined : cursorAt(foundTrace(last), latestFirst);
      const rows = await run.matches(window, latestFirst, rowLimit, position);
      if (rows === undefined) return run.outOfTime(order(), window.endUnixNano);
      for (const row of rows) if (!matches.has(row.id)) matches.set(row.id, foundTrace(row));
      await addStarts(run, matches, starts);
      last = rows.at(-1);
      const isWindowDone = rows.length < rowLimit;
      const searchedFrom = isWindowDone || last === undefined ? window.startUnixNano : BigInt(last.start) + 1n;
      const final = [...starts.values()].filter((start) => start >= searchedFrom).length;
      if (final >= limit) return run.result(order(), 'limit', searchedFrom);
      if (isWindowDone) break;
      if (run.candidates >= MAX_CANDIDATES) return run.result(order(), 'candidates', searchedFrom);
    }
  }
  return run.result(order(), starts.size > limit ? 'limit' : 'exhausted', range.startUnixNano);
}

async function addStarts(
  run: SearchStatements,
  matches: ReadonlyMap<string, FoundTrace>,
  starts: Map<string, bigint>,
): Promise<void> {
  const unknown = [...matches.keys()].filter((id) => !starts.has(id));
  for (let at = 0; at < unknown.length; at += 1000) {
    run.statements++;
    const traces = await lookUpTraces(run.client, run.tenant, unknown.slice(at, at + 1000), run.signal);
    for (const trace of traces) starts.set(trace.traceId, trace.startUnixNano);
  }
}

function byStart(matches: ReadonlyMap<string, FoundTrace>, starts: ReadonlyMap<string, bigint>): FoundTrace[] {
  return [...matches.values()].toSorted((a, b) => {
    const x = starts.get(a.traceId) ?? 0n;
    const y = starts.get(b.traceId) ?? 0n;
    return x === y ? compareText(a.traceId, b.traceId) : x > y ? -1 : 1;
  });
}
