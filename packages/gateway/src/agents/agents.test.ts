// What holds for every dialect: the same scenarios against independent agents of each.
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startEnvelopeAgent } from '../../test/agents/envelope-agent.ts';
import { startFramedAgent } from '../../test/agents/framed-agent.ts';
import { startGrpcAgent } from '../../test/agents/grpc-agent.ts';
import { startNumberedAgent } from '../../test/agents/numbered-agent.ts';
import type { Script, SeenEvent, StartOptions, TestAgent } from '../../test/agents/script.ts';
import {
  during,
  eventually,
  gatewayWith,
  requestHead,
  responseHead,
  settingsFor,
  summary,
} from '../../test/agents/harness.ts';
import type { AgentCallEnd, AgentCallStart } from './index.ts';

interface DialectCase {
  readonly name: string;
  readonly dialect: string;
  start(options?: StartOptions): Promise<TestAgent>;
  /** The event's name where the agent looks it up. */
  readonly names: Readonly<Record<'head' | 'body' | 'responseHead' | 'end', string>>;
  /** Bytes that are no message of the dialect. */
  readonly garbage: Uint8Array;
}

const framedNames = { head: 'request_headers', body: 'request_body', responseHead: 'response_headers' };
const envelopeNames = { head: 'request_headers', body: 'request_body_chunk', responseHead: 'response_headers' };
const notJson = Uint8Array.of(0, 0, 0, 4, 0x20, 0x7b, 0x7b, 0x7b);

const dialects: readonly DialectCase[] = [
  {
    name: 'framed',
    dialect: 'framed',
    start: startFramedAgent,
    names: { ...framedNames, end: 'request_complete' },
    garbage: notJson,
  },
  {
    name: 'envelope',
    dialect: 'envelope',
    start: startEnvelopeAgent,
    names: { ...envelopeNames, end: 'request_complete' },
    garbage: Uint8Array.of(0, 0, 0, 3, 0x7b, 0x7b, 0x7b),
  },
  {
    name: 'numbered',
    dialect: 'numbered',
    start: startNumberedAgent,
    names: { ...framedNames, end: 'cancel' },
    garbage: notJson,
  },
  {
    name: 'grpc',
    dialect: 'grpc',
    start: startGrpcAgent,
    names: { ...envelopeNames, end: 'request_complete' },
    garbage: Uint8Array.of(0x12, 0x7f, 1),
  },
];

function ofType(agent: TestAgent, type: string): SeenEvent[] {
  return agent.seen.filter((event) => event.type === type);
}

const blockAll: Script = () => ({ block: { status: 418, body: 'teapot', headers: { 'X-Why': 'tea' } } });

describe.each(dialects)('an agent of the dialect $name', ({ dialect, start, names, garbage }) => {
  it('refuses the request when it crashes in the middle of a call and the failure mode is closed', async () => {
    const agent = await during(start({ script: () => ({ crash: true }) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict).toMatchObject({
      kind: 'refuse',
      refusal: { agentId: 'auth', reason: 'failure', response: { status: 503, body: 'Service unavailable' } },
    });
    expect(await gateway.metric('zentinel_agent_errors_total', { agent: 'auth', error: 'connect' })).toBe(1);
  });

  it('is passed over when it crashes and the failure mode is open', async () => {
    const agent = await during(start({ script: () => ({ crash: true }) }));
    const gateway = gatewayWith([settingsFor(agent)]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(gateway.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });

  it('costs a 504 when it is too slow and the failure mode is closed', async () => {
    const agent = await during(start());
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', timeoutMs: 200 })]);
    await eventually(() => gateway.directory.snapshot()[0]?.dialect === dialect, 'the connection');
    agent.script = () => ({ silent: true });
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict).toMatchObject({ refusal: { response: { status: 504, body: 'Gateway timeout' } } });
    const labels = { agent: 'auth', event: 'on_request_headers' };
    expect(await gateway.metric('zentinel_agent_timeouts_total', labels)).toBe(1);
  });

  it('is closed and found again after it sent garbage', async () => {
    let bad = true;
    const agent = await during(start({ script: () => (bad ? { raw: garbage } : {}) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const refused = await gateway.begin().run(requestHead());
    expect(refused).toMatchObject({ refusal: { reason: 'failure', error: { code: 'protocol' } } });
    bad = false;
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
  });

  it('fails a call whose answer is larger than allowed', async () => {
    const script: Script = () => ({ audit: { tags: ['x'.repeat(20_000)] } });
    const agent = await during(start({ script }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict).toMatchObject({ refusal: { error: { code: 'answer_too_large' } } });
    expect(verdict).toMatchObject({
      refusal: { error: { message: expect.stringContaining('raise limits.max-agent-response-bytes') as string } },
    });
  });

  it('is connected to as soon as it is there, after it was absent', async () => {
    const first = await start();
    await first.stop();
    if (first.address.startsWith('/')) rmSync(first.address, { force: true });
    const gateway = gatewayWith([settingsFor(first, { failureMode: 'closed' })]);
    const refused = await gateway.begin().run(requestHead());
    expect(refused).toMatchObject({ refusal: { reason: 'failure', error: { code: 'connect' } } });
    expect(gateway.lines[0]?.message).toMatch(/cannot be reached/);
    await during(start({ address: first.address }));
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
  });

  it('is found again after it was restarted', async () => {
    const first = await start();
    const gateway = gatewayWith([settingsFor(first, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    await first.stop();
    const second = await during(start({ address: first.address, script: blockAll }));
    await eventually(() => second.connections.open > 0, 'the new connection');
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { reason: 'block' } });
  });

  it('is told what the request is', async () => {
    const agent = await during(start());
    const gateway = gatewayWith([settingsFor(agent)]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const exchange = gateway.begin({
      metadata: { correlationId: '2Kj8mNpQ3xR', routeId: 'api', serverName: 'shop.example' },
      startCall: () => ({ traceparent, end: () => undefined }),
    });
    await exchange.run(requestHead());
    const { payload } = ofType(agent, names.head)[0]!;
    expect(payload).toMatchObject({
      method: 'GET',
      uri: '/orders?id=7',
      metadata: {
        correlation_id: '2Kj8mNpQ3xR',
        traceparent,
        client_ip: '192.0.2.7',
        client_port: 40_123,
        protocol: 'HTTP/1.1',
        route_id: 'api',
        server_name: 'shop.example',
      },
    });
    const lists = { host: ['shop.example'], 'x-twice': ['a', 'b'], accept: ['*/*'] };
    const fields = [
      { name: 'host', value: 'shop.example' },
      { name: 'x-twice', value: 'a' },
      { name: 'accept', value: '*/*' },
      { name: 'x-twice', value: 'b' },
    ];
    expect(payload['headers']).toEqual(dialect === 'grpc' ? fields : lists);
  });

  it('is told of no traceparent when there is none', async () => {
    const agent = await during(start());
    await gatewayWith([settingsFor(agent)])
      .begin()
      .run(requestHead());
    expect(ofType(agent, names.head)[0]!.payload['metadata']).not.toHaveProperty('traceparent');
  });

  it('changes headers of request and response, but none that are not its own to change', async () => {
    const script: Script = () => ({
      requestHeaders: [
        { operation: 'set', name: 'X-User', value: 'ann' },
        { operation: 'remove', name: 'Cookie' },
        { operation: 'set', name: 'Transfer-Encoding', value: 'chunked' },
        { operation: 'set', name: 'traceparent', value: 'mine' },
        { operation: 'set', name: 'X-Split', value: 'a\r\nX-Injected: b' },
      ],
      responseHeaders: [{ operation: 'add', name: 'X-Seen', value: 'yes' }],
    });
    const agent = await during(start({ script }));
    const gateway = gatewayWith([settingsFor(agent)]);
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict.requestHeaders).toEqual([
      { kind: 'set', name: 'X-User', value: 'ann' },
      { kind: 'remove', name: 'Cookie', value: '' },
    ]);
    expect(verdict.responseHeaders).toEqual([{ kind: 'add', name: 'X-Seen', value: 'yes' }]);
    const name = 'clew_gateway_agent_rejected_headers_total';
    expect(await gateway.metric(name, { reason: 'forbidden' })).toBe(2);
    expect(await gateway.metric(name, { reason: 'malformed' })).toBe(1);
  });

  it('blocks', async () => {
    const agent = await during(start({ script: blockAll }));
    const gateway = gatewayWith([settingsFor(agent)]);
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict).toMatchObject({
      kind: 'refuse',
      refusal: {
        reason: 'block',
        response: {
          status: 418,
          body: 'teapot',
          headers: [
            ['Content-Type', 'text/plain'],
            ['X-Why', 'tea'],
          ],
        },
      },
    });
    expect(await gateway.metric('zentinel_agent_requests_total', { agent: 'auth', decision: 'block' })).toBe(1);
  });

  it('redirects', async () => {
    const agent = await during(start({ script: () => ({ redirect: { url: '/login?next=%2F', status: 303 } }) }));
    const verdict = await gatewayWith([settingsFor(agent)])
      .begin()
      .run(requestHead());
    expect(verdict).toMatchObject({
      refusal: { reason: 'redirect', response: { status: 303, headers: [['Location', '/login?next=%2F']], body: '' } },
    });
  });

  it('challenges', async () => {
    const script: Script = () => ({ challenge: { challenge_type: 'basic', params: { realm: 'shop' } } });
    const agent = await during(start({ script }));
    const verdict = await gatewayWith([settingsFor(agent)])
      .begin()
      .run(requestHead());
    expect(verdict).toMatchObject({ refusal: { reason: 'challenge', response: { status: 401 } } });
    expect(verdict).toMatchObject({
      refusal: {
        response: {
          headers: [
            ['WWW-Authenticate', 'Basic realm="shop"'],
            ['Content-Type', 'text/plain'],
          ],
        },
      },
    });
  });

  it('is shown bodies and decides about them', async () => {
    const agent = await during(
      start({ script: ({ payload }) => (payload['is_last'] === true ? { block: { status: 400 } } : {}) }),
    );
    const gateway = gatewayWith([settingsFor(agent, { events: ['request_headers', 'request_body'] })]);
    const exchange = gateway.begin();
    await exchange.run(requestHead({ hasBody: true }));
    const plan = exchange.openBody('request', 6);
    if (plan.kind !== 'inspect') throw new Error(`the body is not inspected but ${plan.kind}`);
    expect(await plan.inspection.push(Buffer.from('abc'), false)).toMatchObject({ kind: 'pass', pieces: [] });
    expect(await plan.inspection.push(Buffer.from('def'), true)).toMatchObject({
      kind: 'refuse',
      refusal: { response: { status: 400 } },
    });
    const { payload } = ofType(agent, names.body)[0]!;
    const data = payload['data'] as string | Buffer;
    expect(Buffer.from(data as string, dialect === 'grpc' ? undefined : 'base64').toString()).toBe('abcdef');
    // protobuf leaves zeros out.
    expect([payload['chunk_index'] ?? 0, payload['is_last']]).toEqual([0, true]);
  });

  it('hears everything about a request on one connection, and in the end that it is over', async () => {
    const agent = await during(start());
    const gateway = gatewayWith([settingsFor(agent, { events: ['request_headers', 'response_headers'] })]);
    const exchanges = Array.from({ length: 20 }, () => gateway.begin());
    await Promise.all(exchanges.map((exchange) => exchange.run(requestHead())));
    await Promise.all(exchanges.map((exchange) => exchange.run(responseHead)));
    await Promise.all(exchanges.map((exchange) => exchange.complete(summary)));
    await eventually(() => ofType(agent, names.end).length === 20, 'the ends');
    const requestOf = ({ payload }: SeenEvent): unknown =>
      payload['request_id'] ??
      payload['correlation_id'] ??
      (payload['metadata'] as Record<string, unknown>)['correlation_id'];
    const places = new Map<unknown, Set<number>>();
    for (const event of agent.seen) {
      if (event.type === 'handshake') continue;
      const request = dialect === 'numbered' ? event.payload['request_id'] : requestOf(event);
      places.set(request, (places.get(request) ?? new Set()).add(event.connection));
    }
    expect(places.size).toBe(20);
    expect([...places.values()].every((connections) => connections.size === 1)).toBe(true);
    expect(gateway.directory.snapshot()).toMatchObject([{ dialect, openRequests: 0, activeCalls: 0 }]);
  });

  it('makes spans possible: each call tells when it began and how it ended', async () => {
    const agent = await during(start({ script: blockAll }));
    const gateway = gatewayWith([settingsFor(agent)]);
    const told: (AgentCallStart | AgentCallEnd)[] = [];
    const startCall = (begun: AgentCallStart): { end(end: AgentCallEnd): void } => {
      told.push(begun);
      return { end: (end) => void told.push(end) };
    };
    await gateway.begin({ startCall }).run(requestHead());
    expect(told).toEqual([
      {
        agentId: 'auth',
        event: 'request_headers',
        transport: dialect === 'grpc' ? 'grpc' : 'unix',
        failureMode: 'open',
      },
      { durationMs: expect.any(Number) as number, decision: 'block' },
    ]);
  });

  it('is asked nothing it did not subscribe to', async () => {
    const agent = await during(start({ script: blockAll }));
    const gateway = gatewayWith([settingsFor(agent, { events: ['response_headers'] })]);
    const exchange = gateway.begin();
    expect(exchange.takes('request_headers')).toBe(false);
    expect(await exchange.run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(exchange.openBody('request')).toEqual({ kind: 'pass' });
    expect(await exchange.run(responseHead)).toMatchObject({ kind: 'refuse' });
  });
});
