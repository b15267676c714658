import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import type { Script, SeenEvent, TestAgent } from '../../../test/agents/script.ts';
import { removeSocketPaths, socketPath } from '../../../test/agents/script.ts';
import { countingTraces, eventually, onEnd, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { Backend, TestGateway } from '../../../test/proxy/harness.ts';

interface Setup {
  readonly gateway: TestGateway;
  readonly agent: TestAgent;
  readonly backend: Backend;
}

const allEvents = '"request_headers" "request_body" "response_headers" "response_body"';

/** A gateway with one agent and a backend that repeats what it got. */
async function setup(script: Script, events = '"request_headers"', agentSettings = '', more = ''): Promise<Setup> {
  const agent = await startFramedAgent({ script });
  onEnd(removeSocketPaths);
  onEnd(() => agent.stop());
  const backend = await startBackend((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200, { 'X-Seen': String(request.headers['x-agent'] ?? 'none'), 'X-Secret': 's' });
      response.end(`backend got ${Buffer.concat(chunks).toString()}`);
    });
  });
  const gateway = await startGateway(
    `routes { route "r" { matches { path-prefix "/" }; upstream "b"; agents "a" } }
     agents { agent "a" { unix-socket "${agent.address}"; events ${events}; timeout-ms 5000; ${agentSettings} } }
     upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }
     ${more}`,
    { traceStarter: () => countingTraces() },
  );
  await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
  return { gateway, agent, backend };
}

const dataOf = (event: SeenEvent): string => Buffer.from(String(event.payload['data']), 'base64').toString();

describe('agents on the request path', () => {
  it('block, with status, headers and body', async () => {
    const { gateway, backend } = await setup(() => ({
      block: { status: 403, body: 'go away', headers: { 'X-Why': 'because' } },
    }));
    const response = await send(gateway, '/x');
    expect(response).toMatchObject({ status: 403, body: 'go away', headers: { 'x-why': 'because' } });
    expect(response.headers['x-correlation-id']).toBeDefined();
    expect(backend.requests).toHaveLength(0);
    expect(await gateway.recorder.exchange()).toMatchObject({
      blocked: 'agent_blocked',
      blockedByAgent: 'a',
      answeredBy: 'agent',
      status: 403,
    });
  });

  it('redirect and challenge', async () => {
    const redirected = await setup(() => ({ redirect: { url: 'https://login.test/', status: 302 } }));
    expect(await send(redirected.gateway, '/')).toMatchObject({
      status: 302,
      headers: { location: 'https://login.test/' },
    });
    const challenged = await setup(() => ({ challenge: { challenge_type: 'basic', params: { realm: 'r' } } }));
    expect(await send(challenged.gateway, '/')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="r"' },
    });
  });

  it('change headers in both directions, and hear the trace of their own call', async () => {
    const { gateway, agent } = await setup(() => ({
      requestHeaders: [{ operation: 'set', name: 'X-Agent', value: 'was here' }],
      responseHeaders: [{ operation: 'remove', name: 'X-Secret' }],
    }));
    const response = await send(gateway, '/x?y=1');
    expect(response.headers['x-seen']).toBe('was here');
    expect(response.headers['x-secret']).toBeUndefined();
    const exchange = await gateway.recorder.exchange();
    const head = agent.seen.find(({ type }) => type === 'request_headers')!;
    const metadata = head.payload['metadata'] as Record<string, unknown>;
    expect(head.payload).toMatchObject({ method: 'GET', uri: '/x?y=1' });
    expect(metadata).toMatchObject({
      correlation_id: exchange.correlationId,
      client_ip: '127.0.0.1',
      route_id: 'r',
      upstream_id: 'b',
      protocol: 'HTTP/1.1',
      traceparent: `00-${exchange.trace.traceId}-${exchange.agentCalls[0]!.spanId}-01`,
    });
    expect(exchange.agentCalls[0]!.end).toMatchObject({ decision: 'allow' });
    expect([gateway.recorder.callsStarted, gateway.recorder.callsEnded]).toEqual([1, 1]);
  });

  it('are always told that the request is over', async () => {
    const { gateway, agent } = await setup(() => ({}));
    await send(gateway, '/');
    await eventually(() => agent.seen.some(({ type }) => type === 'request_complete'), 'the end of the request');
    expect(agent.seen.find(({ type }) => type === 'request_complete')!.payload).toMatchObject({
      status: 200,
      upstream_attempts: 1,
    });
  });

  it.each([
    ['open', 200],
    ['closed', 504],
  ])('that are silent: failure mode %s gives %d', async (mode, status) => {
    const { gateway } = await setup(
      () => ({ silent: true }),
      '"request_headers"',
      `failure-mode "${mode}"; timeout-ms 50`,
    );
    const response = await send(gateway, '/');
    expect(response.status).toBe(status);
    if (status === 504) expect(response.body).toBe('Gateway timeout');
    expect((await gateway.recorder.exchange()).agentCalls[0]!.end).toMatchObject({ errorType: 'timeout' });
  });

  it.each([
    ['open', 200],
    ['closed', 503],
  ])('that are not there: failure mode %s gives %d', async (mode, status) => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(
      `routes { route "r" { matches { path-prefix "/" }; upstream "b"; agents "a" } }
       agents { agent "a" { unix-socket "${socketPath()}"; timeout-ms 200; failure-mode "${mode}" } }
       upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`,
    );
    expect((await send(gateway, '/')).status).toBe(status);
    expect((await gateway.recorder.exchange()).failure?.type).toBe(status === 503 ? 'Agent' : undefined);
  });

  it('see whole bodies before the backend does, and may replace them', async () => {
    const { gateway, agent } = await setup(
      ({ type }) =>
        type === 'request_body'
          ? { extra: { request_body_mutation: { data: Buffer.from('changed').toString('base64'), chunk_index: 0 } } }
          : {},
      '"request_headers" "request_body"',
    );
    const response = await send(gateway, '/', { method: 'POST', body: 'original' });
    expect(response.body).toBe('backend got changed');
    expect(
      agent.seen
        .filter(({ type }) => type === 'request_body')
        .map(dataOf)
        .join(''),
    ).toBe('original');
  });

  it('may refuse after having seen the body', async () => {
    const { gateway, backend } = await setup(
      ({ type }) => (type === 'request_body' ? { block: { status: 422 } } : {}),
      '"request_headers" "request_body"',
    );
    expect((await send(gateway, '/', { method: 'POST', body: 'bad' })).status).toBe(422);
    expect(backend.requests).toHaveLength(0);
  });

  it.each([
    ['open', 200],
    ['closed', 413],
  ])('that cannot take so large a body: failure mode %s gives %d', async (mode, status) => {
    const { gateway } = await setup(() => ({}), '"request_body"', `failure-mode "${mode}"; max-request-body-bytes 10`);
    expect((await send(gateway, '/', { method: 'POST', body: 'x'.repeat(100) })).status).toBe(status);
  });

  it.each([
    ['known beforehand', {}],
    ['seen on the way', { headers: { 'Transfer-Encoding': 'chunked' } }],
  ])('do not make the gateway hold more of a body than it may keep, its length %s', async (_title, options) => {
    const { gateway, agent, backend } = await setup(
      () => ({}),
      '"request_body"',
      'max-request-body-bytes 5000000',
      'limits { max-body-buffer-bytes 100000 }',
    );
    const response = await send(gateway, '/', { method: 'POST', body: 'x'.repeat(400_000), ...options });
    expect(response.status).toBe(413);
    expect((await gateway.recorder.exchange()).failure!.message).toContain('limits.max-body-buffer-bytes');
    expect(agent.seen.filter(({ type }) => type === 'request_body')).toEqual([]);
    expect(backend.requests).toHaveLength(0);
  });

  it('that drop out of a large body do not make the gateway hold it', async () => {
    const { gateway } = await setup(() => ({}), '"request_body"', 'max-request-body-bytes 1000');
    const { request } = await import('node:http');
    const body = 'z'.repeat(200_000);
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request({ port: gateway.port, host: '127.0.0.1', method: 'POST', agent: false }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve(text));
      });
      call.on('error', reject);
      // Without a length, so that its size shows only on the way. The rest is sent when the backend has the beginning.
      call.write(body);
      eventually(() => gateway.recorder.attemptsStarted === 1).then(() => call.end('end'), reject);
    });
    expect(answer).toBe(`backend got ${body}end`);
  });

  it('see responses, and may replace or refuse them', async () => {
    const replaced = await setup(
      ({ type }) =>
        type === 'response_body'
          ? {
              extra: {
                response_body_mutation: { data: Buffer.from('nothing to see').toString('base64'), chunk_index: 0 },
              },
            }
          : {},
      allEvents,
    );
    const response = await send(replaced.gateway, '/');
    expect(response.body).toBe('nothing to see');
    expect(response.headers['content-length']).toBeUndefined();
    const refused = await setup(
      ({ type }) => (type === 'response_headers' ? { block: { status: 451 } } : {}),
      allEvents,
    );
    expect((await send(refused.gateway, '/')).status).toBe(451);
    const late = await setup(({ type }) => (type === 'response_body' ? { block: { status: 452 } } : {}), allEvents);
    expect((await send(late.gateway, '/')).status).toBe(452);
  });

  it('get bodies piece by piece where they stream', async () => {
    const { gateway, agent } = await setup(
      () => ({}),
      '"request_body"',
      'request-body-mode "stream"; max-request-body-bytes 10000000',
    );
    const body = 'y'.repeat(3_000_000);
    const response = await send(gateway, '/', { method: 'POST', body });
    expect(response.body.length).toBe('backend got '.length + body.length);
    expect(agent.seen.filter(({ type }) => type === 'request_body').length).toBeGreaterThan(3);
  });

  it('do not outlive a client that goes away', async () => {
    const { gateway, agent } = await setup(() => ({ silent: true }));
    const { connect } = await import('node:net');
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => agent.seen.some(({ type }) => type === 'request_headers'), 'the call');
    socket.destroy();
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
    expect(gateway.recorder.callsEnded).toBe(1);
  });

  it('are told why they are not to go on: that the gateway ends', async () => {
    const { gateway, agent } = await setup(() => ({ silent: true }));
    const response = send(gateway, '/');
    await eventually(() => agent.seen.some(({ type }) => type === 'request_headers'), 'the call');
    await gateway.server.drain(0);
    expect((await response).status).toBe(503);
    await eventually(() => agent.seen.some(({ type }) => type === 'cancel'), 'the cancellation');
    expect(agent.seen.find(({ type }) => type === 'cancel')!.payload).toMatchObject({ reason: 5 });
  });

  it('are told why they are not to go on: that the upstream failed', async () => {
    const { gateway, agent, backend } = await setup(
      ({ type }) => (type === 'request_body' ? { silent: true } : {}),
      '"request_body"',
      'request-body-mode "stream"',
    );
    backend.server.removeAllListeners('request');
    backend.server.on('request', (request) => request.socket.destroy());
    const response = send(gateway, '/', { method: 'POST', body: 'x', headers: { 'Transfer-Encoding': 'chunked' } });
    expect((await response).status).toBe(502);
    await eventually(() => agent.seen.some(({ type }) => type === 'cancel'), 'the cancellation');
    expect(agent.seen.find(({ type }) => type === 'cancel')!.payload).toMatchObject({ reason: 4 });
  });

  it('whose circuit opens are told to the observer', async () => {
    const { gateway } = await setup(
      () => ({ crash: true }),
      '"request_headers"',
      'circuit-breaker { failure-threshold 1 }',
    );
    await send(gateway, '/');
    expect(gateway.recorder.circuit).toEqual(['agent a open']);
  });

  it.each([
    ['"ask" "away"', 403, 1],
    ['"away" "ask"', 302, 0],
  ])('of filters are asked where the filter stands: %s', async (filters, status, calls) => {
    const agent = await startFramedAgent({ script: () => ({ block: { status: 403 } }) });
    onEnd(removeSocketPaths);
    onEnd(() => agent.stop());
    const gateway = await startGateway(
      `routes { route "r" { matches { path "/" }; builtin-handler "health"; filters ${filters} } }
       filters { filter "ask" { type "agent"; agent "a" }; filter "away" { type "redirect"; hostname "b.test" } }
       agents { agent "a" { unix-socket "${agent.address}"; timeout-ms 5000 } }`,
    );
    await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
    expect((await send(gateway, '/')).status).toBe(status);
    expect(agent.seen.filter(({ type }) => type === 'request_headers')).toHaveLength(calls);
  });
});
