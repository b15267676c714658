import type { SpanFilter } from './span-filter.ts';
import type { TagFilter } from './tag-conditions.ts';
import type { TimeRange } from './time-range.ts';

/** In which order found traces are given, best first; ties by trace id. */
export type TraceOrder =
  /** Start of the latest matching span, latest first. */
  | 'latest_match'
  /** Start of the earliest matching span, earliest first. */
  | 'oldest_match'
  /** Duration of the longest matching span, longest first. */
  | 'longest_match'
  /** Start of the trace, latest first. */
  | 'trace_start'
  /** Spans of the trace, among the traces with the latest matches (`FoundTraces.facts.stopped` says whether those are all). */
  | 'most_spans'
  /** Failed spans of the trace, among the traces with the latest matches. */
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
  /** Continues a search after its last trace: the same conditions, range and order; not in order `trace_start`. */
  readonly after?: SearchCursor;
}

/** Where a page ended. */
export interface SearchCursor {
  /** What the order goes by: start or duration of the trace's best match in nanoseconds, or a number of spans. */
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
  /** Present when there is more; never in order `trace_start`. */
  readonly next?: SearchCursor;
  readonly facts: {
    /** Why the search ended: enough traces, nothing more to look at, too much looked at, or out of time. */
    readonly stopped: 'limit' | 'exhausted' | 'candidates' | 'time';
    /** Statements that were run. */
    readonly statements: number;
    /** Matching spans that were looked at. */
    readonly candidates: number;
    /** Oldest start that was searched; later ones were searched completely. In order `oldest_match` the newest, and earlier ones. */
    readonly searchedFromUnixNano: bigint;
  };
}

/** Limits and cancellation of a search. */
export interface SearchOptions {
  /** Time for all statements together; what was found by then is given. Default 10,000 ms, setting `clew_query.limits.max_search_time`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Compares by code units, for ties by trace id. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
