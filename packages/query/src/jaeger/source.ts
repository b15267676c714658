import type { SpanBatch } from '@clew/model';
import type { SearchParams } from './search-params.ts';

/** What the Jaeger API asks of the store, for one tenant. */
export interface JaegerSource {
  /** Names of all services that have spans, sorted. */
  services(signal: AbortSignal): Promise<readonly string[]>;
  /** Span names of a service with their kinds (OTLP numbers). */
  operations(service: string, signal: AbortSignal): Promise<readonly JaegerOperation[]>;
  /** Whole traces that have a span satisfying every condition, newest match first, at most `limit`. */
  search(params: SearchParams, signal: AbortSignal): Promise<readonly SpanBatch[]>;
  /** Whole traces by id (32 hex digits); what is not stored is missing. */
  traces(traceIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, SpanBatch>>;
  /** Calls between services whose spans start in the range, nanoseconds since 1970. */
  dependencies(startUnixNano: bigint, endUnixNano: bigint, signal: AbortSignal): Promise<readonly JaegerDependency[]>;
}

/** A span name and its kind as OTLP numbers it. */
export interface JaegerOperation {
  readonly name: string;
  readonly kind: number;
}

/** How often one service called another. */
export interface JaegerDependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}
