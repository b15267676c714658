import type { SpanBatch } from '@clew/model';

import type { SqlClient } from '../engine/client.ts';
import type { TagScope } from '../schema/tables.ts';
import type { PendingSpans } from '../writer/pending-spans.ts';
import {
  listOperations,
  type ListOptions,
  listServices,
  listTagKeys,
  listTagValues,
  type Operation,
  type TagKey,
} from './catalog.ts';
import {
  type CountedList,
  countKeys,
  type CountOptions,
  countOperations,
  countServices,
  countValues,
  type KeyCount,
  type OperationCount,
  type ServiceCount,
  type ValueCount,
} from './catalog-counts.ts';
import { findTraces } from './find-traces.ts';
import { countMatches, countMatchesByTrace, type MatchSeries, readMatchSeries } from './match-counts.ts';
import { findNewestSpan, lastReceivedOf, type NewestSpan } from './newest-span.ts';
import { type ReadOptions, readTraces, type TraceSource } from './read-traces.ts';
import { ResourceCache } from './resource-cache.ts';
import type { SpanFilter } from './span-filter.ts';
import { readSkeleton, readSpanDetails, type TraceSkeleton } from './skeleton.ts';
import {
  type Edge,
  type IngestStats,
  readDiskUsage,
  readEdges,
  readIngestStats,
  readSeries,
  type SeriesQuery,
  type SeriesStep,
  type TableUsage,
} from './statistics.ts';
import { summarizeTraces, type TraceSummary } from './summaries.ts';
import type { TimeRange } from './time-range.ts';
import type { FoundTraces, SearchOptions, TraceSearch } from './trace-search.ts';

/** Limits of reads; each is a setting below `clew_query.limits`. */
export interface ReaderLimits {
  /** Spans one read of whole traces may give: `max_spans_per_read`. */
  readonly maxSpansPerRead?: number;
  /** Time of one search: `max_search_time`. */
  readonly maxSearchMs?: number;
}

/**
 * Everything the query faces ask the store, tenant first. Trace ids are 32 and span ids 16 lower-case hex digits; times are nanoseconds since 1970.
 * Every method fails with a `StoreError`; `overloaded` and `engine_unavailable` mean: try later.
 */
export class StoreReader {
  readonly #source: TraceSource;
  readonly #limits: ReaderLimits;

  constructor(client: SqlClient, pending: PendingSpans, limits: ReaderLimits = {}) {
    this.#source = { client, pending, resources: new ResourceCache(client) };
    this.#limits = limits;
  }

  /** Names of the services that sent spans, in order. */
  services(tenant: string, options?: ListOptions): Promise<string[]> {
    return listServices(this.#source.client, tenant, options);
  }

  /** Operations of a service, by name, then kind. */
  operations(
    tenant: string,
    service: string,
    options?: ListOptions & { readonly kind?: number },
  ): Promise<Operation[]> {
    return listOperations(this.#source.client, tenant, service, options);
  }

  /** Attribute keys that begin with `prefix`. */
  tagKeys(tenant: string, prefix: string, options?: ListOptions): Promise<TagKey[]> {
    return listTagKeys(this.#source.client, tenant, prefix, options);
  }

  /** Values of an attribute that begin with `prefix`, as text. */
  tagValues(
    tenant: string,
    key: string,
    prefix: string,
    options: ListOptions & { readonly range: TimeRange },
  ): Promise<string[]> {
    return listTagValues(this.#source.client, tenant, key, prefix, options);
  }

  /** Services of the spans of a range, most spans first; undefined when they cannot be counted in time: then ask for `services`. */
  serviceCounts(tenant: string, options: CountOptions): Promise<readonly ServiceCount[] | undefined> {
    return countServices(this.#source.client, tenant, options);
  }

  /** Span names of a range, of one service or all, most spans first; undefined when they cannot be counted in time. */
  operationCounts(tenant: string, options: CountOptions): Promise<readonly OperationCount[] | undefined> {
    return countOperations(this.#source.client, tenant, options);
  }

  /** Attribute keys of the spans of a range, of one service or all, most used first; undefined when they cannot be counted in time. */
  keyCounts(tenant: string, options: CountOptions): Promise<CountedList<KeyCount> | undefined> {
    return countKeys(this.#source.client, tenant, options);
  }

  /** Values of an attribute of spans or resources, of one service or all, most used first; undefined when they cannot be counted in time. */
  valueCounts(
    tenant: string,
    scope: typeof TagScope.span | typeof TagScope.resource,
    key: string,
    options: CountOptions,
  ): Promise<CountedList<ValueCount> | undefined> {
    return countValues(this.#source.client, tenant, scope, key, options);
  }

  /** Finds traces of which one span satisfies every condition. Stored spans only: what was acknowledged becomes searchable within seconds. */
  findTraces(tenant: string, search: TraceSearch, options: SearchOptions = {}): Promise<FoundTraces> {
    return findTraces(this.#source.client, tenant, search, { ...this.#searchLimit(), ...options });
  }

  /** Stored spans that satisfy the filter and start within the range. */
  countSpans(tenant: string, filter: SpanFilter, range: TimeRange, signal?: AbortSignal): Promise<number> {
    return countMatches(this.#source.client, tenant, filter, range, signal);
  }

  /** How many spans of each of these traces satisfy the filter and start within the range; traces without one are missing. */
  countSpansByTrace(
    tenant: string,
    filter: SpanFilter,
    range: TimeRange,
    traceIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, number>> {
    return countMatchesByTrace(this.#source.client, tenant, filter, range, traceIds, signal);
  }

  /** Spans that satisfy the filter over time, in at most `buckets` steps of a round length. */
  matchSeries(
    tenant: string,
    filter: SpanFilter,
    range: TimeRange,
    buckets: number,
    signal?: AbortSignal,
  ): Promise<MatchSeries> {
    return readMatchSeries(this.#source.client, tenant, filter, range, buckets, signal);
  }

  /** The stored span that started last; cheap whatever the amount stored. */
  newestSpan(tenant: string, signal?: AbortSignal): Promise<NewestSpan | undefined> {
    return findNewestSpan(this.#source.client, tenant, Date.now(), signal);
  }

  /** When the last span of a trace arrived, stored or only acknowledged, in milliseconds since 1970; undefined when the trace is unknown. */
  lastReceived(tenant: string, traceId: string, signal?: AbortSignal): Promise<number | undefined> {
    return lastReceivedOf(this.#source.client, this.#source.pending, tenant, traceId, signal);
  }

  /** Whole traces by id, stored or only acknowledged; unknown ones are missing. */
  readTraces(tenant: string, traceIds: readonly string[], options: ReadOptions = {}): Promise<Map<string, SpanBatch>> {
    return readTraces(this.#source, tenant, traceIds, { ...this.#spanLimit(), ...options });
  }

  /** What a list shows of traces, in the order of the ids; unknown ones are missing. */
  summaries(tenant: string, traceIds: readonly string[], signal?: AbortSignal): Promise<TraceSummary[]> {
    return summarizeTraces(this.#source.client, tenant, traceIds, signal);
  }

  /** What a waterfall draws of every stored span of a trace; undefined when it is unknown. */
  skeleton(tenant: string, traceId: string, options: ReadOptions = {}): Promise<TraceSkeleton | undefined> {
    return readSkeleton(this.#source, tenant, traceId, options);
  }

  /** Whole spans of one stored trace by their ids. */
  spanDetails(
    tenant: string,
    traceId: string,
    spanIds: readonly string[],
    options: ReadOptions = {},
  ): Promise<SpanBatch | undefined> {
    return readSpanDetails(this.#source, tenant, traceId, spanIds, { ...this.#spanLimit(), ...options });
  }

  /** Spans, errors and durations over time. */
  series(tenant: string, query: SeriesQuery): Promise<SeriesStep[]> {
    return readSeries(this.#source.client, tenant, query);
  }

  /** The service graph of spans that arrived within the range. */
  edges(
    tenant: string,
    range: TimeRange,
    options?: { readonly includeSelf?: boolean; readonly signal?: AbortSignal },
  ): Promise<Edge[]> {
    return readEdges(this.#source.client, tenant, range, options);
  }

  /** What a tenant has stored. */
  ingestStats(tenant: string, signal?: AbortSignal): Promise<IngestStats> {
    return readIngestStats(this.#source.client, tenant, signal);
  }

  /** Disk space of every table. */
  diskUsage(signal?: AbortSignal): Promise<TableUsage[]> {
    return readDiskUsage(this.#source.client, signal);
  }

  #searchLimit(): SearchOptions {
    return this.#limits.maxSearchMs === undefined ? {} : { timeoutMs: this.#limits.maxSearchMs };
  }

  #spanLimit(): ReadOptions {
    return this.#limits.maxSpansPerRead === undefined ? {} : { maxSpans: this.#limits.maxSpansPerRead };
  }
}
