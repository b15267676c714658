export type * from './catalog.ts';
export { apiPrefix } from './common.ts';
export type {
  ApiErrorBody,
  ApiErrorCode,
  ApiWarning,
  ListFacts,
  NanoString,
  RequestProblem,
  ScanFacts,
  SpanIdText,
  StopReason,
  TimeRange,
  TraceIdText,
} from './common.ts';
export type { Parsed } from './errors.ts';
export { receiverKey } from './live.ts';
export type { IngestEvent } from './live.ts';
export { apiPaths } from './paths.ts';
export { formatDurationExact, parseDurationNano } from './query/duration.ts';
export {
  dropEachCondition,
  emptyFilter,
  formatFilter,
  formatTerm,
  isEmptyFilter,
  spanKindWords,
} from './query/filter.ts';
export type {
  AttributeScope,
  AttributeTerm,
  SearchFilter,
  SpanKindWord,
  TermOperator,
  TermValue,
} from './query/filter.ts';
export { parseFilter } from './query/parse-filter.ts';
export { splitScope } from './query/scanner.ts';
export { absorbErrorTag, formatTag, formatTags, parseTags } from './query/tags.ts';
export {
  catalogLimits,
  encodeCatalogRequest,
  encodeSearchRequest,
  encodeSeriesRequest,
  parseCatalogRequest,
  parseSearchRequest,
  parseSeriesRequest,
  parseSpanIds,
  searchLimits,
  seriesLimits,
} from './requests.ts';
export type { CatalogRequest, SearchRequest, SeriesRequest } from './requests.ts';
export { searchOrders } from './search.ts';
export type * from './search.ts';
export type * from './status.ts';
export { spanFlags } from './trace.ts';
export type * from './trace.ts';
export { defaultExpansion, formatExpansion, maxExpansionExceptions, parseExpansion } from './url/expansion.ts';
export type { Expansion } from './url/expansion.ts';
export { defaultExplore, formatExplore, parseExplore } from './url/explore.ts';
export type { ExploreState } from './url/explore.ts';
export { findTraceId, parseSpanId, parseTraceId, readTraceId } from './url/ids.ts';
export { translateOldLink } from './url/old-links.ts';
export { formatPage, parsePage } from './url/pages.ts';
export type { PageState, SimplePage } from './url/pages.ts';
export { splitAddress } from './url/params.ts';
export type { UnknownParams } from './url/params.ts';
export { defaultRange, resolveRange, resolveTime } from './url/time.ts';
export type { TimeRangeText, TimeText } from './url/time.ts';
export { formatTrace, parseTrace, traceLink } from './url/trace.ts';
export type { TraceState, TraceTab, TraceView } from './url/trace.ts';
