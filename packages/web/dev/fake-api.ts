import {
  apiPaths,
  dropEachCondition,
  formatFilter,
  parseCatalogRequest,
  parseSearchRequest,
  parseSeriesRequest,
  parseSpanIds,
} from '@clew/api';
import type {
  ApiErrorBody,
  DemoState,
  IngestEvent,
  ListFacts,
  Parsed,
  SearchExplainAnswer,
  ReceiverStatus,
  SearchAnswer,
  SearchRequest,
  SeriesAnswer,
  StatusAnswer,
  TraceFindAnswer,
} from '@clew/api';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { detailsOf, orderKey, resourceOf, skeletonOf, summarize } from './fake-store.ts';
import type { FakeStore } from './fake-store.ts';
import { createRandom } from './random.ts';
import { shopTrace } from './shop.ts';
import { valueText } from './spans.ts';
import type { FakeSpan } from './spans.ts';

/** What a test can change while the server runs. */
export interface FakeApiControls {
  store: FakeStore;
  /** Answers every API request with this error while set. */
  failWith: { readonly status: number; readonly body: ApiErrorBody } | undefined;
  /** Waits this long before every answer. */
  delayMs: number;
  demo: DemoState;
  /** Names of the API paths asked for, in order. */
  readonly requests: string[];
}

/** Fresh controls around a store. */
export function createControls(store: FakeStore): FakeApiControls {
  return { store, failWith: undefined, delayMs: 0, demo: { mode: 'off', tracesSent: 0, traces: [] }, requests: [] };
}

class HttpFailure {
  readonly status: number;
  readonly body: ApiErrorBody;

  constructor(status: number, body: ApiErrorBody) {
    this.status = status;
    this.body = body;
  }
}

/** Answers a request of the Clew API; false when the path is none of its own. */
export async function handleApi(
  controls: FakeApiControls,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://fake');
  if (!url.pathname.startsWith('/api/clew/v1/')) return false;
  controls.requests.push(`${request.method ?? 'GET'} ${url.pathname}${url.search}`);
  if (controls.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, controls.delayMs));
  try {
    if (controls.failWith !== undefined) throw new HttpFailure(controls.failWith.status, controls.failWith.body);
    if (url.pathname === apiPaths.live) {
      stream(controls, request, response);
      return true;
    }
    const body = url.pathname === apiPaths.demo ? await readBody(request) : '';
    const answer = route(controls, request, url, body);
    sendJson(response, answer.status, answer.body, answer.headers);
  } catch (caught) {
    if (!(caught instanceof HttpFailure)) throw caught;
    sendJson(response, caught.status, caught.body, {});
  }
  return true;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

const json = (body: unknown): Answer => ({ status: 200, body, headers: {} });

function route(controls: FakeApiControls, request: IncomingMessage, url: URL, body: string): Answer {
  const { store } = controls;
  const now = Date.now();
  switch (url.pathname) {
    case apiPaths.status:
      return json(status(controls));
    case apiPaths.services:
    case apiPaths.operations:
    case apiPaths.keys:
    case apiPaths.values:
      return json(catalog(store, url, now));
    case apiPaths.search:
      return json(search(store, understood(parseSearchRequest(url.searchParams, now))));
    case apiPaths.searchExplain:
      return json(explain(store, understood(parseSearchRequest(url.searchParams, now))));
    case apiPaths.series:
      return json(series(store, url, now));
    case apiPaths.demo:
      return json(demo(controls, request.method ?? 'GET', body));
    default:
      return traceRoute(store, request, url, now);
  }
}

function traceRoute(store: FakeStore, request: IncomingMessage, url: URL, now: number): Answer {
  const [traceId = '', part] = url.pathname.slice('/api/clew/v1/traces/'.length).split('/');
  const trace = store.traces.get(traceId);
  if (trace === undefined) {
    throw new HttpFailure(404, {
      code: 'not_found',
      message: `No span of trace ${traceId} is stored.`,
      hint: 'It may have been deleted by retention, or its spans are still on their way.',
    });
  }
  if (request.method === 'DELETE') {
    store.traces.delete(traceId);
    return json({ deletedTraces: 1, pending: false });
  }
  const spans = store.arrived(trace, now);
  const growing = trace.growsUntilUnixMs !== undefined && now < trace.growsUntilUnixMs;
  if (part === 'spans') return json(detailsOf(trace, understood(parseSpanIds(url.searchParams, 200))));
  if (part === 'find') return json(find(spans, url.searchParams.get('text') ?? ''));
  const skeleton = skeletonOf(trace, spans, growing);
  if (request.headers['if-none-match'] === `"${skeleton.etag}"`) return { status: 304, body: undefined, headers: {} };
  return { status: 200, body: skeleton, headers: { etag: `"${skeleton.etag}"` } };
}

function understood<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new HttpFailure(400, {
    code: 'invalid_request',
    message: parsed.error.map((found) => found.message).join(' '),
    problems: parsed.error,
  });
}

function facts(limit: number, returned: number, total: number): ListFacts {
  const more = total > returned;
  return { limit, returned, more, stopReason: more ? 'limit' : 'complete', warnings: [] };
}

const receivers: readonly Omit<ReceiverStatus, 'counters'>[] = [
  {
    id: 'otlp',
    protocol: 'otlp_http',
    address: '127.0.0.1:4318',
    url: 'http://127.0.0.1:4318',
    acknowledged: { means: 'durable' },
  },
  {
    id: 'otlp',
    protocol: 'otlp_grpc',
    address: '127.0.0.1:4317',
    url: 'http://127.0.0.1:4317',
    acknowledged: { means: 'durable' },
  },
];

function status(controls: FakeApiControls): StatusAnswer {
  const spans = [...controls.store.traces.values()].reduce((sum, trace) => sum + trace.spans.length, 0);
  return {
    version: '0.1.0',
    startedUnixMs: Date.now() - 60_000,
    receivers: receivers.map((receiver) => ({
      ...receiver,
      counters: { requests: spans > 0 ? 1 : 0, acceptedSpans: spans, refusedSpans: 0, refusedRequests: 0 },
    })),
    storage: { state: 'ready', backlogSpans: 0, retention: { maxAgeMs: 7 * 86_400_000 } },
    ingest: { anySpans: spans > 0, acceptedSpansTotal: spans },
    demo: controls.demo,
    limits: { maxSearchLimit: 1500, maxDetailSpans: 200, maxTraceSpans: 250_000 },
  };
}

function demo(controls: FakeApiControls, method: string, body: string): DemoState {
  if (method === 'POST') {
    const { mode } = JSON.parse(body) as { mode: 'steady' | 'burst' };
    const random = createRandom(Date.now());
    const stories = ['normal', 'slow_query', 'retry', 'cache_miss', 'declined'];
    const made = stories.map((story) => shopTrace(random, BigInt(Date.now() - 4000) * 1_000_000n, story));
    for (const trace of made) controls.store.add(trace);
    const traces = made.map((trace) => ({
      traceId: trace.traceId,
      story: trace.story,
      title: trace.story.replace('_', ' '),
    }));
    controls.demo = { mode, tracesSent: controls.demo.tracesSent + made.length, traces };
  } else if (method === 'DELETE') {
    for (const { traceId } of controls.demo.traces) controls.store.traces.delete(traceId);
    controls.demo = { mode: 'off', tracesSent: 0, traces: [] };
  }
  return controls.demo;
}

function search(store: FakeStore, request: SearchRequest): SearchAnswer {
  const found = [...store.matching(request.filter, request.fromUnixNano, request.toUnixNano)].map(
    ([trace, matched]) => {
      const summary = summarize(trace, matched.length);
      return { summary, key: orderKey(summary, request.order) };
    },
  );
  found.sort((a, b) => (a.key === b.key ? (a.summary.traceId < b.summary.traceId ? -1 : 1) : a.key > b.key ? -1 : 1));
  const after =
    request.cursor === undefined ? 0 : found.findIndex(({ summary }) => summary.traceId === request.cursor) + 1;
  const page = found.slice(after, after + request.limit).map(({ summary }) => summary);
  const more = after + page.length < found.length;
  const last = page.at(-1);
  return {
    query: formatFilter(request.filter),
    range: { fromUnixNano: String(request.fromUnixNano), toUnixNano: String(request.toUnixNano) },
    order: request.order,
    traces: page,
    ...(more && last !== undefined ? { cursor: last.traceId } : {}),
    facts: facts(request.limit, page.length, found.length - after),
    scan: { scannedRows: 184_220, scannedBytes: 21_400_000, elapsedMs: 38 },
  };
}

function explain(store: FakeStore, request: SearchRequest): SearchExplainAnswer {
  const count = (filter: SearchRequest['filter']): number =>
    [...store.matching(filter, request.fromUnixNano, request.toUnixNano)].reduce(
      (sum, [, spans]) => sum + spans.length,
      0,
    );
  let newest = 0n;
  for (const trace of store.traces.values()) if (trace.startUnixNano > newest) newest = trace.startUnixNano;
  return {
    spansInRange: count({ rootOnly: false, terms: [] }),
    withoutTerm: dropEachCondition(request.filter).map(({ term, without }) => ({
      term,
      query: formatFilter(without),
      matchingSpans: count(without),
    })),
    ...(newest > 0n ? { newestSpanUnixNano: String(newest) } : {}),
    warnings: [],
  };
}

function series(store: FakeStore, url: URL, now: number): SeriesAnswer {
  const request = understood(parseSeriesRequest(url.searchParams, now));
  const step = (request.toUnixNano - request.fromUnixNano + BigInt(request.buckets) - 1n) / BigInt(request.buckets);
  const counts = Array.from({ length: request.buckets }, () => 0);
  const errors = counts.slice();
  for (const [trace, spans] of store.matching(request.filter, request.fromUnixNano, request.toUnixNano)) {
    for (const span of spans) {
      const bucket = Number((trace.startUnixNano + BigInt(span.startNano) - request.fromUnixNano) / step);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      if (span.status.code === 2) errors[bucket] = (errors[bucket] ?? 0) + 1;
    }
  }
  return {
    query: formatFilter(request.filter),
    range: { fromUnixNano: String(request.fromUnixNano), toUnixNano: String(request.toUnixNano) },
    stepNano: String(step),
    counts,
    errors,
    warnings: [],
  };
}

function catalog(store: FakeStore, url: URL, now: number): unknown {
  const request = understood(parseCatalogRequest(url.searchParams, now));
  const prefix = (request.prefix ?? '').toLowerCase();
  const counted = new Map<string, number>();
  const errors = new Map<string, number>();
  for (const trace of store.traces.values()) {
    for (const span of trace.spans) {
      if (request.service !== undefined && span.service !== request.service) continue;
      for (const name of namesOf(url.pathname, span, request.key)) {
        if (!name.toLowerCase().startsWith(prefix)) continue;
        counted.set(name, (counted.get(name) ?? 0) + 1);
        if (span.status.code === 2) errors.set(name, (errors.get(name) ?? 0) + 1);
      }
    }
  }
  const ranked = [...counted].sort((a, b) => b[1] - a[1]);
  const entries = ranked.slice(0, request.limit);
  const listFacts = facts(request.limit, entries.length, ranked.length);
  switch (url.pathname) {
    case apiPaths.services:
      return {
        services: entries.map(([name, spans]) => ({ name, spans, errors: errors.get(name) ?? 0 })),
        facts: listFacts,
      };
    case apiPaths.operations:
      return { operations: entries.map(([name, spans]) => ({ name, kind: 2, spans })), facts: listFacts };
    case apiPaths.keys:
      return {
        keys: entries.map(([key, spans]) => ({ key, scope: 'span', types: ['string'], spans })),
        facts: listFacts,
      };
    default:
      return { values: entries.map(([value, spans]) => ({ type: 'string', text: value, spans })), facts: listFacts };
  }
}

function namesOf(path: string, span: FakeSpan, key: string | undefined): string[] {
  switch (path) {
    case apiPaths.services:
      return [span.service];
    case apiPaths.operations:
      return [span.name];
    case apiPaths.keys:
      return [...span.attributes, ...resourceOf(span.service)].map((attribute) => attribute.key);
    default: {
      const value = valueText([...span.attributes, ...resourceOf(span.service)], key ?? '');
      return value === undefined ? [] : [value];
    }
  }
}

function find(spans: readonly FakeSpan[], wanted: string): TraceFindAnswer {
  const needle = wanted.toLowerCase();
  const rows: number[] = [];
  spans.forEach((span, row) => {
    const haystack = [
      span.name,
      span.service,
      span.status.message ?? '',
      ...span.attributes.flatMap((a) => [a.key, JSON.stringify(a.value)]),
    ];
    if (haystack.some((entry) => entry.toLowerCase().includes(needle))) rows.push(row);
  });
  return { etag: String(spans.length), rows, facts: facts(100_000, rows.length, rows.length) };
}

function stream(controls: FakeApiControls, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let sent = '';
  const tick = (): void => {
    const spans = [...controls.store.traces.values()].reduce((sum, trace) => sum + trace.spans.length, 0);
    const newest = [...controls.store.traces.values()].at(-1);
    const event: Omit<IngestEvent, 'atUnixMs'> = {
      acceptedSpansTotal: spans,
      acceptedSpansPerSecond: 0,
      refusedSpansTotal: 0,
      receivers: {
        'otlp otlp_http': { requests: spans > 0 ? 1 : 0, acceptedSpans: spans, refusedSpans: 0, refusedRequests: 0 },
      },
      ...(newest === undefined ? {} : { newest: { traceId: newest.traceId, name: newest.spans[0]?.name ?? '' } }),
    };
    const data = JSON.stringify(event);
    if (data === sent) return;
    sent = data;
    response.write(`event: ingest\ndata: ${JSON.stringify({ atUnixMs: Date.now(), ...event })}\n\n`);
  };
  tick();
  const timer = setInterval(tick, 250);
  request.on('close', () => clearInterval(timer));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function sendJson(response: ServerResponse, statusCode: number, body: unknown, headers: Record<string, string>): void {
  response.writeHead(statusCode, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
