import { describe, expect, it } from 'vitest';
import { countingTraces, freePort, send, startBackend, startGateway } from '../../test/proxy/harness.ts';

const route = (port: number, more = ''): string => `
  routes { route "api" { matches { path-prefix "/api/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

describe('proxying', () => {
  it('answers 404 where no route leads', async () => {
    const gateway = await startGateway(route(await freePort()));
    const response = await send(gateway, '/other');
    expect(response.status).toBe(404);
    expect(JSON.parse(response.body)).toMatchObject({ error: '404 Not Found', reason: 'no_route' });
    expect(response.headers['x-correlation-id']).toMatch(/^[1-9A-HJ-NP-Za-km-z]{11}$/);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 404, end: 'complete', path: '/other' });
  });

  it('answers 503 when nobody listens at the target', async () => {
    const gateway = await startGateway(route(await freePort()));
    const response = await send(gateway, '/api/x');
    expect(response.status).toBe(503);
    expect(response.body).not.toContain('127.0.0.1');
    const exchange = await gateway.recorder.exchange();
    expect(exchange.attempts).toHaveLength(1);
    expect(exchange.attempts[0]).toMatchObject({ failure: 'connection_refused', status: 0 });
  });

  it('passes requests and responses on', async () => {
    const backend = await startBackend((request, response) => {
      response.setHeader('X-Own', 'yes');
      response.writeHead(201, { 'Content-Type': 'text/plain' });
      response.end(`${request.method} ${request.url} ${String(request.headers['x-mine'])}`);
    });
    const gateway = await startGateway(route(backend.port));
    const response = await send(gateway, '/api/users?id=1', { headers: { 'X-Mine': 'a' } });
    expect(response.status).toBe(201);
    expect(response.body).toBe('GET /api/users?id=1 a');
    expect(response.headers['x-own']).toBe('yes');
    const exchange = await gateway.recorder.exchange();
    expect(exchange).toMatchObject({ status: 201, answeredBy: 'upstream', upstreamId: 'b', routePattern: '/api/' });
    expect(exchange.responseBodyBytes).toBe('GET /api/users?id=1 a'.length);
    expect(exchange.attempts[0]).toMatchObject({ status: 201, remoteAddress: `127.0.0.1:${backend.port}` });
    expect(gateway.recorder.attemptsEnded).toBe(1);
  });

  it('sends bodies with and without a declared length', async () => {
    const backend = await startBackend((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () =>
        response.end(`${request.headers['content-length'] ?? 'chunked'}:${Buffer.concat(chunks).toString()}`),
      );
    });
    const gateway = await startGateway(route(backend.port));
    const plain = await send(gateway, '/api/', { method: 'POST', headers: { 'Content-Length': '5' }, body: 'hello' });
    expect(plain.body).toBe('5:hello');
    const chunked = await send(gateway, '/api/', {
      method: 'POST',
      headers: { 'Transfer-Encoding': 'chunked' },
      body: 'world',
    });
    expect(chunked.body).toBe('chunked:world');
    expect((await gateway.recorder.exchange(1)).requestBodyBytes).toBe(5);
  });

  it('tells the backend the span of its attempt, in the trace of the request', async () => {
    const backend = await startBackend((request, response) => response.end(String(request.headers['traceparent'])));
    const traces = countingTraces();
    const gateway = await startGateway(route(backend.port), { traceStarter: () => traces });
    const headers = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
    const { body } = await send(gateway, '/api/', { headers });
    const exchange = await gateway.recorder.exchange();
    expect(body).toBe(`00-${exchange.trace.traceId}-${exchange.attempts[0]!.spanId}-01`);
    expect(exchange.attempts[0]!.spanId).toBe(traces.spanIds[1]);
  });
});
