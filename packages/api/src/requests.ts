import { fail, ok } from '@clew/base';
import type { RequestProblem } from './common.ts';
import type { Parsed } from './errors.ts';
import { formatFilter } from './query/filter.ts';
import type { SearchFilter } from './query/filter.ts';
import { parseFilter } from './query/parse-filter.ts';
import { searchOrders } from './search.ts';
import type { SearchOrder } from './search.ts';
import { resolveTime } from './url/time.ts';

/** What `/search` and `/search/explain` are asked. */
export interface SearchRequest {
  readonly filter: SearchFilter;
  readonly fromUnixNano: bigint;
  readonly toUnixNano: bigint;
  readonly order: SearchOrder;
  readonly limit: number;
  /** From the answer before; ask with the same filter, range and order. */
  readonly cursor?: string;
}

/** What `/series` is asked. */
export interface SeriesRequest {
  readonly filter: SearchFilter;
  readonly fromUnixNano: bigint;
  readonly toUnixNano: bigint;
  /** Wanted number of buckets; the answer may have fewer, with a rounder step. */
  readonly buckets: number;
}

/** What `/services`, `/operations`, `/keys` and `/values` are asked. */
export interface CatalogRequest {
  readonly fromUnixNano: bigint;
  readonly toUnixNano: bigint;
  readonly limit: number;
  /** Only names, keys or values that start with this, without regard to case. */
  readonly prefix?: string;
  /** `/operations`, `/keys`, `/values`: only what occurs in this service. */
  readonly service?: string;
  /** `/values`: the attribute, with its scope in front unless any will do: `resource.host.name`. */
  readonly key?: string;
}

/** The default and highest page size of a search, unless the server's status says otherwise. */
export const searchLimits = Object.freeze({ default: 20, max: 1500 });
/** The default and highest number of names, keys or values in one answer. */
export const catalogLimits = Object.freeze({ default: 1000, max: 10_000 });
/** The default and highest number of buckets in a series. */
export const seriesLimits = Object.freeze({ default: 120, max: 1000 });

/** Writes a search as the parameters of the API; `parseSearchRequest` gives the same request back. */
export function encodeSearchRequest(request: SearchRequest): URLSearchParams {
  const params = encodeRange(request);
  setText(params, 'q', formatFilter(request.filter));
  if (request.order !== 'newest') params.set('order', request.order);
  if (request.limit !== searchLimits.default) params.set('limit', String(request.limit));
  setText(params, 'cur', request.cursor);
  return params;
}

/** Reads the parameters of `/search`; `from` and `to` may be anything `resolveTime` reads, default the last hour. */
export function parseSearchRequest(params: URLSearchParams, nowUnixMs: number): Parsed<SearchRequest> {
  const problems: RequestProblem[] = [];
  const range = readRange(params, nowUnixMs, problems);
  const filter = parseFilter(params.get('q') ?? '');
  if (!filter.ok) problems.push(...filter.error);
  const order = (params.get('order') ?? 'newest') as SearchOrder;
  if (!searchOrders.includes(order)) {
    problems.push({
      parameter: 'order',
      message: `order is "${order}"; it must be one of ${searchOrders.join(', ')}.`,
    });
  }
  const limit = readCount(params, 'limit', searchLimits, problems);
  if (!filter.ok || problems.length > 0) return fail(problems);
  return ok({ ...range, filter: filter.value, order, limit, ...optionalText('cursor', params.get('cur')) });
}

/** Writes a series request as the parameters of the API. */
export function encodeSeriesRequest(request: SeriesRequest): URLSearchParams {
  const params = encodeRange(request);
  setText(params, 'q', formatFilter(request.filter));
  if (request.buckets !== seriesLimits.default) params.set('buckets', String(request.buckets));
  return params;
}

/** Reads the parameters of `/series`. */
export function parseSeriesRequest(params: URLSearchParams, nowUnixMs: number): Parsed<SeriesRequest> {
  const problems: RequestProblem[] = [];
  const range = readRange(params, nowUnixMs, problems);
  const filter = parseFilter(params.get('q') ?? '');
  if (!filter.ok) problems.push(...filter.error);
  const buckets = readCount(params, 'buckets', seriesLimits, problems);
  if (!filter.ok || problems.length > 0) return fail(problems);
  return ok({ ...range, filter: filter.value, buckets });
}

/** Writes a catalogue request as the parameters of the API. */
export function encodeCatalogRequest(request: CatalogRequest): URLSearchParams {
  const params = encodeRange(request);
  setText(params, 'service', request.service);
  setText(params, 'key', request.key);
  setText(params, 'prefix', request.prefix);
  if (request.limit !== catalogLimits.default) params.set('limit', String(request.limit));
  return params;
}

/** Reads the parameters of `/services`, `/operations`, `/keys` and `/values`. */
export function parseCatalogRequest(params: URLSearchParams, nowUnixMs: number): Parsed<CatalogRequest> {
  const problems: RequestProblem[] = [];
  const range = readRange(params, nowUnixMs, problems);
  const limit = readCount(params, 'limit', catalogLimits, problems);
  if (problems.length > 0) return fail(problems);
  return ok({
    ...range,
    limit,
    ...optionalText('prefix', params.get('prefix')),
    ...optionalText('service', params.get('service')),
    ...optionalText('key', params.get('key')),
  });
}

/** Reads `ids` of `/traces/:id/spans`: comma-separated span ids, at most `max`. */
export function parseSpanIds(params: URLSearchParams, max: number): Parsed<readonly string[]> {
  const ids = (params.get('ids') ?? '').split(',').filter((id) => id !== '');
  const wrong = ids.find((id) => !/^[0-9a-f]{16}$/.test(id));
  if (wrong !== undefined) {
    return fail([{ parameter: 'ids', message: `ids holds "${wrong}"; a span id is 16 lower-case hex digits.` }]);
  }
  if (ids.length === 0 || ids.length > max) {
    return fail([{ parameter: 'ids', message: `ids names ${ids.length} spans; it must name 1 to ${max}.` }]);
  }
  return ok(ids);
}

function encodeRange(range: { readonly fromUnixNano: bigint; readonly toUnixNano: bigint }): URLSearchParams {
  const params = new URLSearchParams();
  params.set('from', timeParameter(range.fromUnixNano));
  params.set('to', timeParameter(range.toUnixNano));
  return params;
}

/** Nineteen digits are read as nanoseconds, so early times are padded to that. */
function timeParameter(unixNano: bigint): string {
  return unixNano.toString().padStart(19, '0');
}

function readRange(
  params: URLSearchParams,
  nowUnixMs: number,
  problems: RequestProblem[],
): { readonly fromUnixNano: bigint; readonly toUnixNano: bigint } {
  const fromUnixNano = readTime(params, 'from', 'now-1h', nowUnixMs, problems);
  const toUnixNano = readTime(params, 'to', 'now', nowUnixMs, problems);
  if (problems.length === 0 && fromUnixNano >= toUnixNano) {
    problems.push({ parameter: 'to', message: 'The time range is empty: to must lie after from.' });
  }
  return { fromUnixNano, toUnixNano };
}

function readTime(
  params: URLSearchParams,
  parameter: string,
  fallback: string,
  nowUnixMs: number,
  problems: RequestProblem[],
): bigint {
  const text = params.get(parameter) ?? fallback;
  const time = resolveTime(text, nowUnixMs);
  if (time !== undefined) return time;
  problems.push({
    parameter,
    message: `${parameter} is "${text}"; write now, now-1h, epoch milliseconds or an ISO 8601 time.`,
  });
  return 0n;
}

function readCount(
  params: URLSearchParams,
  parameter: string,
  limits: { readonly default: number; readonly max: number },
  problems: RequestProblem[],
): number {
  const text = params.get(parameter);
  if (text === null) return limits.default;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= limits.max) return value;
  problems.push({
    parameter,
    message: `${parameter} is "${text}"; it must be a whole number from 1 to ${limits.max}.`,
  });
  return limits.default;
}

function setText(params: URLSearchParams, name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') params.set(name, value);
}

function optionalText<K extends string>(name: K, value: string | null): { readonly [P in K]?: string } {
  return value === null || value === '' ? {} : ({ [name]: value } as { readonly [P in K]?: string });
}
