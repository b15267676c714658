import { fromPlain, plainSpan } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { StoreError } from '@clew/store';
import { encodeTracesJson } from '@clew/wire/otlp';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../server/app.ts';
import { jaegerRoutes } from './routes.ts';
import type { SearchParams } from './search-params.ts';
import type { JaegerSource } from './source.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const batch: SpanBatch = fromPlain([
  plainSpan({
    traceId,
    spanId: '2',
    parentSpanId: '1',
    name: 'SELECT',
    kind: 3,
    service: 'shop',
    startUnixNano: 2_000_000n,
    endUnixNano: 3_000_000n,
  }),
  plainSpan({
    traceId,
    spanId: '1',
    name: 'GET /',
    kind: 2,
    service: 'shop',
    startUnixNano: 1_000_000n,
    endUnixNano: 4_000_000n,
  }),
]);

class Source implements JaegerSource {
  failure: Error | undefined;
  searched: SearchParams | undefined;
  #answer<T>(value: T): Promise<T> {
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(value);
  }
  services() {
    return this.#answer(['auth', 'shop']);
  }
  operations(service: string) {
    return this.#answer(
      service === 'shop/ü'
        ? [
            { name: 'GET /', kind: 2 },
            { name: 'GET /', kind: 3 },
          ]
        : [],
    );
  }
  search(params: SearchParams) {
    this.searched = params;
    return this.#answer([batch]);
  }
  traces(ids: readonly string[]) {
    return this.#answer(new Map(ids.filter((id) => id === traceId).map((id) => [id, batch])));
  }
  dependencies() {
    return this.#answer([
      { parent: 'a', child: 'b', callCount: 3 },
      { parent: 'b', child: 'c', callCount: 1 },
    ]);
  }
}

let app: FastifyInstance;
let source: Source;
beforeEach(async () => {
  app = await createApp('0.0.0');
  source = new Source();
  jaegerRoutes(app, source, { maxClockSkewNano: 0n, maxTraceSpans: 0 });
  await app.ready();
});
afterEach(() => app.close());

const get = (url: string) => app.inject({ method: 'GET', url });
const failure = (code: number, msg: string) => ({ data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] });

describe('what the Jaeger API refuses', () => {
  it.each([
    ['/api/traces', 400, "parameter 'service' is required"],
    ['/api/operations', 400, "parameter 'service' is required"],
    ['/api/traces/xyz', 400, 'strconv.ParseUint: parsing "xyz": invalid syntax'],
    [`/api/traces/${'f'.repeat(32)}`, 404, 'trace not found'],
    [
      `/api/traces/${traceId}?raw=maybe`,
      400,
      `unable to parse param 'raw': strconv.ParseBool: parsing "maybe": invalid syntax`,
    ],
    ['/api/dependencies?endTs=x', 400, `unable to parse param 'endTs': strconv.ParseInt: parsing "x": invalid syntax`],
  ])('answers %s with %i and its words', async (url, status, message) => {
    const reply = await get(url);
    expect(reply.statusCode).toBe(status);
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.body.endsWith('\n')).toBe(true);
    expect(JSON.parse(reply.body)).toEqual(failure(status, message));
  });

  it('answers 503 with Retry-After while the store is away, and 500 to what will not pass', async () => {
    source.failure = new StoreError('engine_unavailable', 'the engine is starting again');
    const away = await get('/api/services');
    expect([away.statusCode, away.headers['retry-after']]).toEqual([503, '1']);
    source.failure = new StoreError('sql_error', 'no such column');
    expect((await get('/api/services')).statusCode).toBe(500);
  });

  it('answers 400 to a transform of what is no OTLP', async () => {
    const reply = await app.inject({ method: 'POST', url: '/api/transform', payload: 'nonsense' });
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toContain('cannot unmarshal OTLP : ');
  });
});

describe('what the Jaeger API answers', () => {
  it('lists services with their number', async () => {
    const reply = await get('/api/services');
    expect(reply.body).toBe('{"data":["auth","shop"],"total":2,"limit":0,"offset":0,"errors":null}');
    expect(reply.headers['content-type']).toMatch(/^application\/json/);
  });

  it('decodes the service of a path twice', async () => {
    expect((await get('/api/services/shop%252F%25C3%25BC/operations')).json()).toMatchObject({
      data: ['GET /'],
      total: 1,
    });
    expect((await get('/api/services/nobody/operations')).json()).toMatchObject({ data: null, total: 0 });
  });

  it('filters operations by kind', async () => {
    const all = await get('/api/operations?service=shop%2F%C3%BC');
    expect(all.json()).toMatchObject({
      data: [
        { name: 'GET /', spanKind: 'server' },
        { name: 'GET /', spanKind: 'client' },
      ],
      total: 2,
    });
    expect((await get('/api/operations?service=shop%2F%C3%BC&spanKind=client')).json()).toMatchObject({ total: 1 });
  });

  it('searches by parameters and answers whole traces, total 0', async () => {
    const reply = await get('/api/traces?service=shop&tags=%7B%22error%22%3A%22true%22%7D&limit=5');
    expect(source.searched).toMatchObject({ service: 'shop', tags: [['error', 'true']], limit: 5 });
    const { data, total } = reply.json<{
      data: { traceID: string; spans: { spanID: string }[]; duration: number }[];
      total: number;
    }>();
    expect([data[0]!.traceID, data[0]!.duration, total]).toEqual([traceId, 3000, 0]);
    expect(data[0]!.spans.map(({ spanID }) => spanID)).toEqual(['0000000000000001', '0000000000000002']);
  });

  it('loads several traces by id and names those that are missing', async () => {
    const reply = await get(`/api/traces?traceID=${traceId}&traceID=abc`);
    expect(reply.json()).toMatchObject({
      data: [{ traceID: traceId }],
      errors: [{ msg: 'trace not found', traceID: '0000000000000abc' }],
    });
  });

  it('answers one trace, strictly as Jaeger would when asked', async () => {
    expect((await get(`/api/traces/${traceId.toUpperCase()}`)).json()).toMatchObject({
      data: [{ duration: 3000, startTime: 1000 }],
    });
    const strict = (await get(`/api/traces/${traceId}?strict=true`)).json<{ data: object[] }>();
    expect(Object.keys(strict.data[0]!)).toEqual(['traceID', 'spans', 'processes', 'warnings']);
  });

  it('indents by four spaces for people', async () => {
    expect((await get('/api/services?prettyPrint=true')).body).toContain('\n    "data"');
  });

  it('keeps the dependencies of one service', async () => {
    expect((await get('/api/dependencies?service=c')).json()).toMatchObject({
      data: [{ parent: 'b', child: 'c', callCount: 1 }],
    });
  });

  it('shows posted OTLP JSON as traces', async () => {
    const payload = Buffer.from(encodeTracesJson(batch));
    const reply = await app.inject({
      method: 'POST',
      url: '/api/transform',
      payload,
      headers: { 'content-type': 'application/json' },
    });
    expect(reply.json()).toMatchObject({ data: [{ traceID: traceId, spans: [{}, {}] }] });
  });

  it('compresses large answers for those who accept it', async () => {
    source.services = () => Promise.resolve(Array.from({ length: 1000 }, (_, i) => `service-${i}`));
    const reply = await app.inject({ method: 'GET', url: '/api/services', headers: { 'accept-encoding': 'gzip' } });
    expect(reply.headers['content-encoding']).toBe('gzip');
  });
});
