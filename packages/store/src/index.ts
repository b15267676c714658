export * from './engine/client.ts';
export * from './errors.ts';
export { clewStoreExporter } from './exporter/index.ts';
export { isClewStorage } from './storage/capability.ts';
export type { ClewStorage } from './storage/capability.ts';
export { clewStorageExtension } from './storage/index.ts';
export type { PendingBatch, PendingSpans } from './writer/pending-spans.ts';
export { StoreReader } from './reader/store-reader.ts';
export type { ReaderLimits } from './reader/store-reader.ts';
export type { MatchSeries } from './reader/match-counts.ts';
export type { NewestSpan } from './reader/newest-span.ts';
export type { SpanFilter } from './reader/span-filter.ts';
export type { TermFilter, TermScope } from './reader/term-conditions.ts';
export type { FoundTraces, SearchCursor, TraceOrder, TraceSearch } from './reader/trace-search.ts';
export type { TermValue, ValueOperator } from './reader/value-test.ts';
export type { TraceSummary } from './reader/summaries.ts';
export type {
  CountedList,
  CountOptions,
  KeyCount,
  OperationCount,
  ServiceCount,
  ValueCount,
} from './reader/catalog-counts.ts';
export type { TagKey } from './reader/catalog.ts';
export { TagScope } from './schema/tables.ts';
