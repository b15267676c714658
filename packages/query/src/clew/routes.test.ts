import type { ApiErrorBody, SearchAnswer, SeriesAnswer, StatusAnswer, TraceSkeleton } from '@clew/api';
import { fromPlain, plainSpan } from '@clew/model';
import { StoreError } from '@clew/store';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../server/app.ts';
import type { ClewDeps } from './deps.ts';
import { clewRoutes } from './routes.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const start = 1_760_000_000_000_000_000n;
const batch = fromPlain([
  plainSpan({
    traceId,
    spanId: '1',
    name: 'GET /',
    kind: 2,
    service: 'shop',
    startUnixNano: start,
    endUnixNano: start + 5_000_000n,
    attributes: { 'user.id': '7' },
  }),
  plainSpan({
    traceId,
    spanId: '2',
    parentSpanId: '1',
    name: 'mail',
    service: 'mailer',
    startUnixNano: start + 1n,
    endUnixNano: start + 9n,
    attributes: { 'host.name': 'a' },
  }),
]);

/** A reader that answers from memory and remembers what it was asked. */
class FakeReader {
  failure: Error | undefined;
  readonly asked: Record<string, unknown[]> = {};
  #answer<T>(name: string, args: unknown[], value: T): Promise<T> {
    this.asked[name] = args;
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(value);
  }
  services = (...args: unknown[]) => this.#answer('services', args, ['auth', 'shop']);
  counts: { name: string; spans: number; errors: number }[] | undefined;
  serviceCounts = (...args: unknown[]) => this.#answer('serviceCounts', args, this.counts);
  operationCounts = (...args: unknown[]) =>
    this.#answer(
      'operationCounts',
      args,
      this.counts?.map(({ spans }) => ({ name: 'GET /', kind: 2, spans })),
    );
  operations = (...args: unknown[]) => this.#answer('operations', args, [{ name: 'GET /', kind: 2 }]);
  tagKeys = (...args: unknown[]) =>
    this.#answer('tagKeys', args, [
      { key: 'http.status_code', scope: 1, type: 3 },
      { key: 'http.status_code', scope: 1, type: 1 },
      { key: 'clew.carrier.jaeger.flags', scope: 1, type: 3 },
    ]);
  tagValues = (...args: unknown[]) => this.#answer('tagValues', args, ['200', 'true', 'x']);
  findTraces = (...args: unknown[]) =>
    this.#answer('findTraces', args, {
      traces: [{ traceId, matchUnixNano: start, matchDurationNano: 5n }],
      next: { matchUnixNano: start, traceId },
      facts: { stopped: 'limit', statements: 2, candidates: 10, searchedFromUnixNano: 0n },
    });
  summaries = (...args: unknown[]) =>
    this.#answer('summaries', args, [
      {
        traceId,
        rootName: 'GET /',
        rootService: 'shop',
        hasRoot: true,
        startUnixNano: start,
        durationNano: 5n,
        spans: 3,
        errors: 1,
        services: [{ name: 'shop', spans: 3, errors: 1 }],
      },
    ]);
  countSpansByTrace = (...args: unknown[]) => this.#answer('countSpansByTrace', args, new Map([[traceId, 2]]));
  countSpans = (...args: unknown[]) => this.#answer('countSpans', args, 42);
  matchSeries = (...args: unknown[]) =>
    this.#answer('matchSeries', args, { stepNano: 60_000_000_000n, counts: [1, 2], errors: [0, 1] });
  newestSpan = (...args: unknown[]) =>
    this.#answer('newestSpan', args, { traceId, startUnixNano: start, receivedUnixMs: 1 });
  lastReceived = (...args: unknown[]) => this.#answer('lastReceived', args, 1);
  readTraces = (...args: unknown[]) =>
    this.#answer('readTraces', args, new Map((args[1] as string[]).includes(traceId) ? [[traceId, batch]] : []));
}

let app: FastifyInstance;
let reader: FakeReader;
let end: () => void;
beforeEach(async () => {
  reader = new FakeReader();
  const deps = {
    reader,
    storage: {
      pending: { backlog: () => ({ rows: 5, oldestUnixMs: undefined }) },
      client: { snapshot: () => ({ state: { kind: 'ready' } }) },
      deleteTraces: () => Promise.resolve(1),
      deleteDemo: () => Promise.resolve(3),
    },
    program: {
      version: '9.9.9',
      startedUnixMs: 1,
      graph: () => ({
        nodes: [
          {
            kind: 'receiver',
            id: 'otlp',
            details: {
              listeners: [
                {
                  protocol: 'otlp_http',
                  address: '0.0.0.0:4318',
                  counters: { requests: 1, acceptedSpans: 3, refusedSpans: 0, refusedRequests: 0 },
                },
              ],
            },
          },
        ],
        edges: [],
        acknowledgements: [{ receiver: 'otlp', durability: { kind: 'durable' }, text: '' }],
        state: 'running',
      }),
    },
    tenant: 'single-tenant',
    limits: { maxTraceSpans: 1000, maxDetailSpans: 2 },
    readiness: () => ({ ready: true }),
  } as unknown as ClewDeps;
  app = await createApp('9.9.9');
  end = clewRoutes(app, deps);
  await app.ready();
});
afterEach(async () => {
  end();
  await app.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'GET', url: `/api/clew/v1${path}`, headers });
const range = 'from=2025-10-09T00:00:00Z&to=2025-10-10T00:00:00Z';

describe('what the Clew API refuses', () => {
  it.each([
    ['/search?from=tomorrow-ish', 'from'],
    ['/search?order=best', 'order'],
    ['/search?cur=%21%21', 'cur'],
    ['/search?q=%7B%20duration%20%3E', 'q'],
    ['/series?from=now&to=now-1h', 'to'],
    [`/values?${range}`, 'key'],
    ['/traces/xyz', 'traceId'],
    [`/traces/${traceId}/spans?ids=1`, 'ids'],
    [`/traces/${traceId}/spans?ids=${Array.from({ length: 3 }, () => '0000000000000001').join(',')}`, 'ids'],
    [`/traces/${traceId}/find?text=`, 'text'],
  ])('answers %s with 400 and names the parameter', async (path, parameter) => {
    const reply = await get(path);
    expect(reply.statusCode).toBe(400);
    const body = reply.json<ApiErrorBody>();
    expect(body.code).toBe('invalid_request');
    expect(body.problems?.map((problem) => problem.parameter)).toContain(parameter);
  });

  it('answers 404 to a trace it does not have, with a hint', async () => {
    const reply = await get('/traces/ab');
    expect([reply.statusCode, reply.json<ApiErrorBody>().code]).toEqual([404, 'not_found']);
    expect(reply.json<ApiErrorBody>().hint).toContain('retention');
  });

  it.each([
    ['engine_unavailable', 503, 'unavailable'],
    ['overloaded', 503, 'overloaded'],
    ['timeout', 504, 'timeout'],
    ['memory_limit', 422, 'query_limit'],
    ['sql_error', 500, 'internal'],
  ] as const)('answers %s of the store with %i %s', async (storeCode, status, code) => {
    reader.failure = new StoreError(storeCode, 'one sentence');
    const reply = await get(`/services?${range}`);
    expect([reply.statusCode, reply.json<ApiErrorBody>().code, reply.json<ApiErrorBody>().message]).toEqual([
      status,
      code,
      'one sentence',
    ]);
    expect(reply.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
  });

  it('says that there is no demo generator', async () => {
    const reply = await app.inject({ method: 'POST', url: '/api/clew/v1/demo', payload: { mode: 'burst' } });
    expect(reply.statusCode).toBe(404);
  });
});

describe('what the Clew API answers', () => {
  it('tells where to send, what acknowledged means and that spans arrived', async () => {
    const status = (await get('/status')).json<StatusAnswer>();
    expect(status.receivers[0]).toMatchObject({ url: 'http://127.0.0.1:4318', acknowledged: { means: 'durable' } });
    expect(status.ingest).toMatchObject({ anySpans: true, acceptedSpansTotal: 3, newestTraceId: traceId });
    expect(status.storage).toEqual({ state: 'ready', backlogSpans: 5 });
  });

  it('answers a status although the store fails', async () => {
    reader.failure = new StoreError('engine_unavailable', 'gone');
    expect((await get('/status')).statusCode).toBe(200);
  });

  it('searches with the whole filter and gives a cursor that continues', async () => {
    const q = encodeURIComponent(
      '{ resource.service.name = "shop" && status = error && duration >= 1s && span.user.id = "7" }',
    );
    const answer = (await get(`/search?${range}&q=${q}&order=longest&limit=1`)).json<SearchAnswer>();
    expect(reader.asked['findTraces']![1]).toMatchObject({
      service: 'shop',
      status: 'error',
      minDurationNano: 1_000_000_000n,
      terms: [{ scope: 'span', key: 'user.id', operator: '=', value: { type: 'string', text: '7' } }],
      order: 'longest_match',
      limit: 1,
    });
    expect(answer.traces[0]).toMatchObject({
      traceId,
      spanCount: 3,
      matchedSpans: 2,
      errorCount: 1,
      rootService: 'shop',
    });
    expect(answer.facts).toMatchObject({ more: true, stopReason: 'limit' });
    await get(`/search?${range}&cur=${answer.cursor}`);
    expect(reader.asked['findTraces']![1]).toMatchObject({ after: { matchUnixNano: start, traceId } });
  });

  it('explains what each condition costs', async () => {
    const q = encodeURIComponent('{ resource.service.name = "shop" && status = error }');
    expect((await get(`/search/explain?${range}&q=${q}`)).json()).toMatchObject({
      spansInRange: 42,
      withoutTerm: [{ matchingSpans: 42 }, { matchingSpans: 42 }],
    });
  });

  it('lists services and operations by spans, and by name when they cannot be counted in time', async () => {
    expect((await get(`/services?${range}&prefix=s`)).json()).toMatchObject({
      services: [{ name: 'shop' }],
      facts: { more: false },
    });
    expect((await get(`/operations?${range}`)).json()).toMatchObject({ operations: [{ name: 'GET /', kind: 2 }] });
    reader.counts = [{ name: 'shop', spans: 9, errors: 1 }];
    expect((await get(`/services?${range}&prefix=s&limit=5`)).json()).toMatchObject({
      services: [{ name: 'shop', spans: 9, errors: 1 }],
    });
    expect(reader.asked['serviceCounts']![1]).toMatchObject({ prefix: 's', limit: 6 });
    expect((await get(`/operations?${range}&service=shop`)).json()).toMatchObject({
      operations: [{ name: 'GET /', spans: 9 }],
    });
  });

  it('counts over time', async () => {
    expect((await get(`/series?${range}`)).json<SeriesAnswer>()).toMatchObject({
      stepNano: '60000000000',
      counts: [1, 2],
      errors: [0, 1],
    });
  });

  it('lists keys once with their types and hides what other protocols left, and types values', async () => {
    expect((await get(`/keys?${range}`)).json()).toMatchObject({
      keys: [{ key: 'http.status_code', scope: 'span', types: ['int', 'string'] }],
    });
    expect((await get(`/values?${range}&key=span.http.status_code`)).json()).toMatchObject({
      values: [
        { type: 'number', text: '200' },
        { type: 'boolean', text: 'true' },
        { type: 'string', text: 'x' },
      ],
    });
  });

  it('gives a trace’s shape with an etag, 304 when nothing changed, then details and finds', async () => {
    const first = await get(`/traces/${traceId}`);
    const skeleton = first.json<TraceSkeleton>();
    expect(skeleton).toMatchObject({ traceId, spanCount: 2, services: ['shop', 'mailer'] });
    expect((await get(`/traces/${traceId}`, { 'if-none-match': String(first.headers['etag']) })).statusCode).toBe(304);
    expect((await get(`/traces/${traceId}/spans?ids=0000000000000001`)).json()).toMatchObject({
      spans: [{ name: 'GET /' }],
    });
    expect((await get(`/traces/${traceId}/find?text=user.id%3D7`)).json()).toMatchObject({
      rows: [0],
      etag: skeleton.etag,
    });
  });

  it.each([
    traceId.toUpperCase(),
    `00-${traceId}-00f067aa0ba902b7-01`,
    `${traceId}:00f067aa0ba902b7:0:1`,
    `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`,
  ])('finds a trace by %s', async (text) => {
    expect((await get(`/traces/${encodeURIComponent(text)}`)).json()).toMatchObject({ traceId, spanCount: 2 });
  });

  it('shows attributes where they were sent when asked for the raw trace', async () => {
    const details = (query: string) => get(`/traces/${traceId}/spans?ids=0000000000000002${query}`);
    expect((await details('')).json()).toMatchObject({ spans: [{ attributes: [] }] });
    expect((await details('&raw=true')).json()).toMatchObject({ spans: [{ attributes: [{ key: 'host.name' }] }] });
    expect((await get(`/traces/${traceId}?raw=true`)).json()).toMatchObject({ columns: { attributes: [1, 1] } });
  });

  it('removes a trace and demo data', async () => {
    const removed = await app.inject({ method: 'DELETE', url: `/api/clew/v1/traces/${traceId}` });
    expect(removed.json()).toEqual({ deletedTraces: 1, pending: false });
    expect((await app.inject({ method: 'DELETE', url: '/api/clew/v1/demo' })).json()).toMatchObject({
      deletedTraces: 3,
    });
  });

  it('describes itself by OpenAPI', async () => {
    const document = (await get('/openapi.json')).json<{ openapi: string; paths: Record<string, unknown> }>();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/api/clew/v1/search', '/api/clew/v1/traces/{traceId}']),
    );
  });
});
