import type { SearchStatements } from './search-statements.ts';
import { summarizeTraces, type TraceSummary } from './summaries.ts';
import { compareText, type FoundTrace, type FoundTraces, type SearchCursor } from './trace-search.ts';

/** Traces that are ranked at least, when that many match. */
const MIN_RANKED = 1000;

/**
 * Orders the traces with the latest matches by a number of theirs, largest first. Each page ranks anew, and begins where the one before ended.
 */
export async function rankTraces(
  run: SearchStatements,
  findLatest: (limit: number) => Promise<FoundTraces>,
  rankOf: (trace: TraceSummary) => number,
): Promise<FoundTraces> {
  const { limit, after } = run.search;
  const latest = await findLatest(Math.max(MIN_RANKED, limit));
  const ids = latest.traces.map((trace) => trace.traceId);
  const summaries = await summarizeTraces(run.client, run.tenant, ids, run.signal);
  run.statements += 2;
  const ranks = new Map(summaries.map((trace) => [trace.traceId, rankOf(trace)]));
  const cursorOf = ({ traceId }: FoundTrace): SearchCursor => ({
    matchUnixNano: BigInt(ranks.get(traceId) ?? 0),
    traceId,
  });
  const ordered = latest.traces
    .map((trace) => ({ trace, cursor: cursorOf(trace) }))
    .filter(({ cursor }) => after === undefined || compareCursors(after, cursor) < 0)
    .toSorted((a, b) => compareCursors(a.cursor, b.cursor));
  const page = ordered.slice(0, limit);
  const isComplete = latest.facts.stopped === 'exhausted';
  const isCut = ordered.length > limit;
  return run.result(
    page.map(({ trace }) => trace),
    !isComplete ? (latest.facts.stopped === 'time' ? 'time' : 'candidates') : isCut ? 'limit' : 'exhausted',
    latest.facts.searchedFromUnixNano,
    isCut ? page.at(-1)!.cursor : undefined,
  );
}

/** Largest number first, then by trace id. */
function compareCursors(a: SearchCursor, b: SearchCursor): number {
  if (a.matchUnixNano !== b.matchUnixNano) return a.matchUnixNano > b.matchUnixNano ? -1 : 1;
  return compareText(a.traceId, b.traceId);
}
