import { apiPaths, encodeCatalogRequest, encodeSearchRequest, encodeSeriesRequest } from '@clew/api';
import type {
  ApiErrorBody,
  CatalogRequest,
  DeleteAnswer,
  DemoRequest,
  DemoState,
  KeysAnswer,
  OperationsAnswer,
  SearchAnswer,
  SearchExplainAnswer,
  SearchRequest,
  SeriesAnswer,
  SeriesRequest,
  ServicesAnswer,
  SpanDetailsAnswer,
  StatusAnswer,
  TraceFindAnswer,
  TraceSkeleton,
  ValuesAnswer,
} from '@clew/api';
import { basePath } from '../app/base-path.ts';
import { ApiFailure } from './failure.ts';

type Options = { readonly signal?: AbortSignal };

/** The Clew API as functions. Every one rejects with `ApiFailure`. */
export const api = Object.freeze({
  status: (options: Options = {}) => getJson<StatusAnswer>(apiPaths.status, options),
  services: (request: CatalogRequest, options: Options = {}) =>
    getJson<ServicesAnswer>(`${apiPaths.services}?${encodeCatalogRequest(request)}`, options),
  operations: (request: CatalogRequest, options: Options = {}) =>
    getJson<OperationsAnswer>(`${apiPaths.operations}?${encodeCatalogRequest(request)}`, options),
  keys: (request: CatalogRequest, options: Options = {}) =>
    getJson<KeysAnswer>(`${apiPaths.keys}?${encodeCatalogRequest(request)}`, options),
  values: (request: CatalogRequest, options: Options = {}) =>
    getJson<ValuesAnswer>(`${apiPaths.values}?${encodeCatalogRequest(request)}`, options),
  search: (request: SearchRequest, options: Options = {}) =>
    getJson<SearchAnswer>(`${apiPaths.search}?${encodeSearchRequest(request)}`, options),
  searchExplain: (request: SearchRequest, options: Options = {}) =>
    getJson<SearchExplainAnswer>(`${apiPaths.searchExplain}?${encodeSearchRequest(request)}`, options),
  series: (request: SeriesRequest, options: Options = {}) =>
    getJson<SeriesAnswer>(`${apiPaths.series}?${encodeSeriesRequest(request)}`, options),
  spans: (traceId: string, ids: readonly string[], options: Options = {}) =>
    getJson<SpanDetailsAnswer>(`${apiPaths.traceSpans(traceId)}?ids=${ids.join(',')}`, options),
  find: (traceId: string, text: string, options: Options = {}) =>
    getJson<TraceFindAnswer>(`${apiPaths.traceFind(traceId)}?text=${encodeURIComponent(text)}`, options),
  startDemo: (request: DemoRequest) => sendJson<DemoState>('POST', apiPaths.demo, request),
  deleteDemo: () => sendJson<DeleteAnswer>('DELETE', apiPaths.demo),
  deleteTrace: (traceId: string) => sendJson<DeleteAnswer>('DELETE', apiPaths.trace(traceId)),
  trace: getTrace,
});

/** The address of an API path below the server's base path. */
export function apiAddress(path: string): string {
  return basePath() + path;
}

/** Fetches a skeleton; gives `previous` back, the same object, when nothing has arrived since. */
async function getTrace(
  traceId: string,
  hint: { readonly fromUnixSec: number; readonly toUnixSec: number } | undefined,
  previous: TraceSkeleton | undefined,
  options: Options = {},
): Promise<TraceSkeleton> {
  const query = hint === undefined ? '' : `?ts=${hint.fromUnixSec}&te=${hint.toUnixSec}`;
  const headers = previous === undefined ? {} : { 'if-none-match': `"${previous.etag}"` };
  const response = await request(apiPaths.trace(traceId) + query, { ...options, headers });
  if (response.status === 304 && previous !== undefined) return previous;
  return readJson<TraceSkeleton>(response);
}

async function getJson<T>(path: string, options: Options): Promise<T> {
  return readJson<T>(await request(path, options));
}

async function sendJson<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return readJson<T>(await request(path, { method, ...content }));
}

async function request(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(apiAddress(path), init);
  } catch (caught) {
    // A request that the page itself cancelled stays what it is; React Query expects that.
    if (caught instanceof DOMException && caught.name === 'AbortError') throw caught;
    throw new ApiFailure('unreachable', 'The Clew server did not answer.', { cause: caught });
  }
}

async function readJson<T>(response: Response): Promise<T> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (caught) {
    const shown = text.slice(0, 120);
    throw new ApiFailure(
      'unreadable',
      `The server answered ${response.status} with something that is not JSON: ${shown}`,
      {
        cause: caught,
      },
    );
  }
  if (response.ok) return body as T;
  const failure = body as Partial<ApiErrorBody>;
  throw new ApiFailure(failure.code ?? 'internal', failure.message ?? `The server answered ${response.status}.`, {
    body: failure,
  });
}
