import { dropEachCondition, formatFilter, parseSearchRequest, parseSeriesRequest } from '@clew/api';
import type {
  ListFacts,
  SearchAnswer,
  SearchExplainAnswer,
  SearchRequest,
  SeriesAnswer,
  StopReason,
  TraceSummary,
} from '@clew/api';
import type { FoundTraces, TraceSummary as StoreSummary } from '@clew/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClewDeps } from './deps.ts';
import { newestSpan } from './newest.ts';
import { queryOf, sendAnswer, sendProblems } from './reply.ts';
import { decodeCursor, encodeCursor, spanFilter, storeOrders } from './search-mapping.ts';

/** Services listed of one trace; the count has the true number. */
const maxServices = 12;

const stopReasons: Readonly<Record<FoundTraces['facts']['stopped'], StopReason>> = {
  limit: 'limit',
  exhausted: 'complete',
  candidates: 'scan_limit',
  time: 'time_limit',
};

const stopWarnings: Partial<Record<StopReason, string>> = {
  scan_limit:
    'Very many spans match; the search stopped before it had looked at all of them. Narrow it for exact results.',
  time_limit: 'The search ran out of time; older matches may be missing. Narrow the time range or name a service.',
};

/** `GET /search`. */
export async function search(
  deps: ClewDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const parsed = parseSearchRequest(queryOf(request), Date.now());
  if (!parsed.ok) return sendProblems(reply, parsed.error);
  const wanted = parsed.value;
  const after = wanted.cursor === undefined ? undefined : decodeCursor(wanted.cursor);
  if (wanted.cursor !== undefined && after === undefined) {
    return sendProblems(reply, [
      { parameter: 'cur', message: 'cur is no cursor of a search; leave it out to begin at the first page.' },
    ]);
  }
  const startedMs = performance.now();
  const found = await deps.reader.findTraces(
    deps.tenant,
    {
      ...spanFilter(wanted.filter),
      range: rangeOf(wanted),
      limit: wanted.limit,
      order: storeOrders[wanted.order],
      ...(after === undefined ? {} : { after }),
    },
    { signal },
  );
  const ids = found.traces.map(({ traceId }) => traceId);
  const [summaries, matched] = await Promise.all([
    deps.reader.summaries(deps.tenant, ids, signal),
    deps.reader.countSpansByTrace(deps.tenant, spanFilter(wanted.filter), rangeOf(wanted), ids, signal),
  ]);
  const answer: SearchAnswer = {
    query: formatFilter(wanted.filter),
    range: { fromUnixNano: String(wanted.fromUnixNano), toUnixNano: String(wanted.toUnixNano) },
    order: wanted.order,
    traces: summaries.map((summary) => traceSummary(summary, matched.get(summary.traceId) ?? 0)),
    ...(found.next === undefined ? {} : { cursor: encodeCursor(found.next) }),
    facts: factsOf(found, wanted.limit, summaries.length),
    scan: {
      scannedRows: found.facts.candidates,
      elapsedMs: Math.round(performance.now() - startedMs),
    },
  };
  return sendAnswer(reply, answer);
}

function factsOf(found: FoundTraces, limit: number, returned: number): ListFacts {
  const stopReason = stopReasons[found.facts.stopped];
  const message = stopWarnings[stopReason];
  return {
    limit,
    returned,
    more: stopReason !== 'complete',
    stopReason,
    warnings: message === undefined ? [] : [{ code: stopReason, message }],
  };
}

/** The API's ranges end before `to`, the store's include both ends. */
function rangeOf({ fromUnixNano, toUnixNano }: Pick<SearchRequest, 'fromUnixNano' | 'toUnixNano'>) {
  return { startUnixNano: fromUnixNano, endUnixNano: toUnixNano - 1n };
}

function traceSummary(summary: StoreSummary, matchedSpans: number): TraceSummary {
  return {
    traceId: summary.traceId,
    ...(summary.rootService === '' ? {} : { rootService: summary.rootService }),
    rootName: summary.rootName,
    hasRoot: summary.hasRoot,
    startUnixNano: String(summary.startUnixNano),
    durationNano: String(summary.durationNano),
    spanCount: summary.spans,
    errorCount: summary.errors,
    matchedSpans,
    services: summary.services.slice(0, maxServices),
    serviceCount: summary.services.length,
  };
}

/** `GET /search/explain`: how many spans would match without each term. */
export async function explain(
  deps: ClewDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const parsed = parseSearchRequest(queryOf(request), Date.now());
  if (!parsed.ok) return sendProblems(reply, parsed.error);
  const { filter } = parsed.value;
  const range = rangeOf(parsed.value);
  const spansInRange = await deps.reader.countSpans(deps.tenant, {}, range, signal);
  const withoutTerm = [];
  for (const { term, without } of dropEachCondition(filter)) {
    const matchingSpans = await deps.reader.countSpans(deps.tenant, spanFilter(without), range, signal);
    withoutTerm.push({ term, query: formatFilter(without), matchingSpans });
  }
  const newest = spansInRange === 0 ? await newestSpan(deps, signal) : undefined;
  const answer: SearchExplainAnswer = {
    spansInRange,
    withoutTerm,
    ...(newest === undefined ? {} : { newestSpanUnixNano: String(newest.startUnixNano) }),
    warnings: [],
  };
  return sendAnswer(reply, answer);
}

/** `GET /series`: matching spans over time. */
export async function series(
  deps: ClewDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const parsed = parseSeriesRequest(queryOf(request), Date.now());
  if (!parsed.ok) return sendProblems(reply, parsed.error);
  const { filter, buckets, fromUnixNano, toUnixNano } = parsed.value;
  const found = await deps.reader.matchSeries(deps.tenant, spanFilter(filter), rangeOf(parsed.value), buckets, signal);
  const answer: SeriesAnswer = {
    query: formatFilter(filter),
    range: { fromUnixNano: String(fromUnixNano), toUnixNano: String(toUnixNano) },
    stepNano: String(found.stepNano),
    counts: found.counts,
    errors: found.errors,
    warnings: [],
  };
  return sendAnswer(reply, answer);
}
