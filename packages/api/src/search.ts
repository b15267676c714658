import type { ApiWarning, ListFacts, NanoString, ScanFacts, TimeRange } from './common.ts';

/**
 * The order of search results, computed by the store over everything that matches, not over one page.
 * Ties are broken by trace id so that pages never overlap.
 */
export type SearchOrder = 'newest' | 'oldest' | 'longest' | 'most_spans' | 'most_errors';

/** All orders, in the order menus show them. */
export const searchOrders: readonly SearchOrder[] = ['newest', 'oldest', 'longest', 'most_spans', 'most_errors'];

/** `GET /search`: traces with at least one span that satisfies the whole query. */
export interface SearchAnswer {
  /** The query as understood, in canonical form. */
  readonly query: string;
  readonly range: TimeRange;
  readonly order: SearchOrder;
  readonly traces: readonly TraceSummary[];
  /** Send back as `cur` for the next page; absent on the last. Opaque, bound to query, range and order. */
  readonly cursor?: string;
  readonly facts: ListFacts;
  readonly scan: ScanFacts;
}

/** One trace in a list. Counts cover the whole trace, not only the matching spans. */
export interface TraceSummary {
  readonly traceId: string;
  /** Service of the root span; absent when the root has none or has not arrived. */
  readonly rootService?: string;
  /** Name of the root span, else of the earliest span. */
  readonly rootName: string;
  /** False when no span without a parent is stored. */
  readonly hasRoot: boolean;
  /** Earliest start. */
  readonly startUnixNano: NanoString;
  /** Latest end minus earliest start. */
  readonly durationNano: NanoString;
  readonly spanCount: number;
  readonly errorCount: number;
  /** Spans of this trace that satisfied the query. */
  readonly matchedSpans: number;
  /** By descending span count, at most 12; `serviceCount` has the true number. */
  readonly services: readonly ServiceShare[];
  readonly serviceCount: number;
}

/** How much of a trace belongs to one service. */
export interface ServiceShare {
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
}

/**
 * `GET /search/explain`: for a search that found nothing, how many spans would match without each term.
 * Takes the same parameters as `/search`.
 */
export interface SearchExplainAnswer {
  /** Spans in the time range without any term. */
  readonly spansInRange: number;
  /** One entry for each term of the query, in its order; `query` is the search without that term. */
  readonly withoutTerm: readonly DroppedTerm[];
  /** The newest stored span outside the range, when the range itself is empty. */
  readonly newestSpanUnixNano?: NanoString;
  readonly warnings: readonly ApiWarning[];
}

/** What dropping one term would give. */
export interface DroppedTerm {
  /** The term as the query writes it, such as `resource.service.name = "cart"`. */
  readonly term: string;
  readonly query: string;
  readonly matchingSpans: number;
}

/** `GET /series`: matching spans over time, for the strip above the results. */
export interface SeriesAnswer {
  readonly query: string;
  readonly range: TimeRange;
  /** Width of a bucket; bucket i covers `[from + i·step, from + (i+1)·step)`. */
  readonly stepNano: NanoString;
  /** Matching spans per bucket, by start time. */
  readonly counts: readonly number[];
  /** Those of them whose status is error. */
  readonly errors: readonly number[];
  readonly warnings: readonly ApiWarning[];
}
