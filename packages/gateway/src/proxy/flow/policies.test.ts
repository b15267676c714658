// What the `policies` of a route do to requests and responses, apart from headers and time.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { eventually, onEnd, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { Backend, TestGateway } from '../../../test/proxy/harness.ts';

const text = (backend: Backend, policies: string, more = ''): string => `
  routes {
    route "r" { matches { path-prefix "/" }; upstream "b"; policies { ${policies} } }
    route "other" { matches { path "/other" }; upstream "b" }
  }
  upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }
  ${more}`;

describe('a rate', () => {
  const limit = 'rate-limit { requests-per-second 0.01; burst 2; key "header:X-Key" }';
  const status = async (gateway: TestGateway, key: string, path = '/'): Promise<number> =>
    (await send(gateway, path, { headers: { 'X-Key': key } })).status;

  it('holds for its route, by its key, and tells clients how they stand', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text(backend, limit));
    const first = await send(gateway, '/', { headers: { 'X-Key': 'a' } });
    expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '1' } });
    expect([await status(gateway, 'a'), await status(gateway, 'a')]).toEqual([200, 429]);
    expect([await status(gateway, 'b'), await status(gateway, 'a', '/other')]).toEqual([200, 200]);
    expect(gateway.recorder.rates).toEqual(['route r reject']);
    expect(await gateway.recorder.exchange(2)).toMatchObject({
      rateLimitHit: true,
      failure: { type: 'RateLimit', reason: 'rate_limited' },
    });
  });

  it('stands instead of the one that routes have by default', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text(backend, limit, 'rate-limits { default-rps 0.01; default-burst 1 }'));
    expect([await status(gateway, 'a'), await status(gateway, 'a'), await status(gateway, 'a')]).toEqual([
      200, 200, 429,
    ]);
    expect([await status(gateway, 'a', '/other'), await status(gateway, 'a', '/other')]).toEqual([200, 429]);
  });
});

/** A backend whose response the test writes itself. */
async function heldBackend() {
  const answers: ServerResponse[] = [];
  const backend = await startBackend((_request, response) => void answers.push(response));
  const answer = (): Promise<ServerResponse> => eventually(() => answers[0], 'the request at the backend');
  return { backend, answer };
}

/** Asks, and notes when the head of the response has come. */
function begin(gateway: TestGateway) {
  const state: { head?: IncomingMessage; body: string; ended: boolean } = { body: '', ended: false };
  const call = httpRequest({ host: '127.0.0.1', port: gateway.port, agent: false }, (response) => {
    state.head = response;
    response.on('data', (part: Buffer) => (state.body += part.toString()));
    response.on('end', () => (state.ended = true));
  });
  onEnd(() => call.destroy());
  call.end();
  return state;
}

describe('buffer-responses', () => {
  it('keeps a response until it is whole, and tells its length', async () => {
    const { backend, answer } = await heldBackend();
    const gateway = await startGateway(text(backend, 'buffer-responses #true'));
    const seen = begin(gateway);
    const response = await answer();
    response.write('first ');
    const exchange = await eventually(() => gateway.recorder.started[0]);
    await eventually(() => exchange.attempts[0]?.status === 200, 'the head at the gateway');
    // What is not kept has been sent by now.
    expect([exchange.status, exchange.responseBodyBytes]).toEqual([0, 0]);
    response.end('second');
    await eventually(() => seen.ended);
    expect(seen).toMatchObject({ body: 'first second', head: { headers: { 'content-length': '12' } } });
    expect(seen.head!.headers['transfer-encoding']).toBeUndefined();
  });

  it('gives a client whose response breaks off an error instead of half of it', async () => {
    const { backend, answer } = await heldBackend();
    const gateway = await startGateway(text(backend, 'buffer-responses #true'));
    const seen = begin(gateway);
    const response = await answer();
    response.write('first ', () => response.destroy());
    await eventually(() => seen.ended);
    expect(seen.head!.statusCode).toBe(502);
    expect(seen.body).not.toContain('first');
  });

  it('keeps no more than may be kept: what is larger goes on as it comes', async () => {
    const { backend, answer } = await heldBackend();
    const gateway = await startGateway(
      text(backend, 'buffer-responses #true', 'limits { max-body-buffer-bytes 1000 }'),
    );
    const seen = begin(gateway);
    const response = await answer();
    response.write('x'.repeat(1001));
    await eventually(() => seen.body.length === 1001, 'what the backend has sent so far');
    expect(seen.head!.headers['content-length']).toBeUndefined();
    response.end('rest');
    await eventually(() => seen.ended);
    expect(seen.body).toBe(`${'x'.repeat(1001)}rest`);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('says nothing about the length of a response to %s with status %i, which has no body', async (method, status) => {
    const backend = await startBackend((_request, response) => {
      response.writeHead(status, status === 200 ? { 'Transfer-Encoding': 'chunked' } : {}).end();
    });
    const gateway = await startGateway(text(backend, 'buffer-responses #true'));
    const response = await send(gateway, '/', { method });
    expect([response.status, response.headers['content-length']]).toEqual([status, undefined]);
  });
});

describe('buffer-requests', () => {
  const limits = 'limits { max-body-buffer-bytes 1000 }';
  const echo = () =>
    startBackend((request, response) => {
      response.setHeader('X-Length', request.headers['content-length'] ?? 'none');
      request.pipe(response);
    });

  it('lets a body go on only when it is whole, with its length', async () => {
    const backend = await echo();
    const gateway = await startGateway(text(backend, 'buffer-requests #true', limits));
    const seen: IncomingMessage[] = [];
    const call = httpRequest({ host: '127.0.0.1', port: gateway.port, method: 'POST', agent: false }, (response) => {
      seen.push(response.resume());
    });
    call.write('half');
    await eventually(() => gateway.recorder.started[0]?.requestBodyBytes === 4, 'the first half at the gateway');
    expect(gateway.recorder.attemptsStarted).toBe(0);
    call.end('half');
    expect(await eventually(() => seen[0])).toMatchObject({ statusCode: 200, headers: { 'x-length': '8' } });
  });

  it.each([
    ['that says so', { 'Content-Length': '1001' }],
    ['that does not say so', { 'Transfer-Encoding': 'chunked' }],
  ])('refuses a body %s and is larger than what may be kept', async (_how, headers) => {
    const backend = await echo();
    const gateway = await startGateway(text(backend, 'buffer-requests #true', limits));
    const response = await send(gateway, '/', { method: 'POST', headers, body: 'x'.repeat(1001) });
    expect(response.status).toBe(413);
    expect(await gateway.recorder.exchange()).toMatchObject({
      blocked: 'body_size_exceeded',
      failure: { type: 'LimitExceeded', reason: 'body_size' },
    });
    expect((await gateway.recorder.exchange()).failure!.message).toContain('max-body-buffer-bytes');
    expect(backend.requests).toHaveLength(0);
    // Where nothing has to be kept, it may be as large as it likes.
    const free = await send(gateway, '/other', { method: 'POST', headers, body: 'x'.repeat(1001) });
    expect([free.status, free.body.length]).toEqual([200, 1001]);
  });
});
