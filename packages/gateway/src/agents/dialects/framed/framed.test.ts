import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../../test/agents/framed-agent.ts';
import {
  during,
  eventually,
  gatewayWith,
  requestHead,
  responseHead,
  settingsFor,
  summary,
} from '../../../../test/agents/harness.ts';
import type { SeenEvent } from '../../../../test/agents/script.ts';

const types = (seen: readonly SeenEvent[]): string[] => seen.map(({ type }) => type);

function frame(type: number, payload: object | string): Buffer {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = type;
  return Buffer.concat([head, body]);
}

describe('a framed agent', () => {
  it('that declines the handshake is not used, in no other dialect either', async () => {
    const agent = await during(startFramedAgent({ declines: 'too old' }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: 'the agent declined the handshake: too old' } },
    });
    expect(types(agent.seen).every((type) => type === 'handshake')).toBe(true);
  });

  it.each([
    [{ protocol_version: 3 }, 'the agent chose protocol_version 3, but only 2 was offered'],
    [{ encoding: 'msgpack' }, 'the agent chose encoding "msgpack", but only "json" was offered'],
    [{ capabilities: { supported_events: 'all' } }, '"supported_events" should be a list, but is "all"'],
    [{ success: 'yes' }, 'has neither "success" nor "accepted"'],
  ])('whose answer to the handshake has %j is not used, and its connection not kept', async (handshake, message) => {
    const agent = await during(startFramedAgent({ handshake }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { message: expect.stringContaining(message) as string } },
    });
    await eventually(() => agent.connections.open === 0, 'the end of the connections');
  });

  it('that declines its configuration is not used', async () => {
    const agent = await during(
      startFramedAgent({ script: () => ({ block: { status: 500, body: 'Configuration rejected' } }) }),
    );
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', config: { mode: 'strict' } })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: expect.stringContaining('Configuration rejected') as string } },
    });
  });

  it('is greeted with one frame that both framed dialects understand', async () => {
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent, { config: { mode: 'strict' } })]);
    await gateway.begin().run(requestHead());
    expect(agent.seen.slice(0, 2).map(({ type, payload }) => [type, payload])).toEqual([
      [
        'handshake',
        {
          supported_versions: [2],
          proxy_id: 'clew-gateway',
          proxy_version: '0.0.0-test',
          config: { mode: 'strict' },
          supported_encodings: ['json'],
          protocol_version: 2,
          client_name: 'clew-gateway',
          supported_features: [],
        },
      ],
      ['configure', { correlation_id: 'configure', config: { mode: 'strict' }, config_version: null }],
    ]);
  });

  it('is told every event with the keys it needs', async () => {
    const events = [
      'request_headers',
      'request_body',
      'response_headers',
      'response_body',
      'websocket_frame',
      'guardrail',
    ] as const;
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent, { events })]);
    const exchange = gateway.begin({ metadata: { correlationId: 'c', routeId: 'api' } });
    await exchange.run(requestHead({ hasBody: true }));
    for (const direction of ['request', 'response'] as const) {
      const plan = exchange.openBody(direction, 2);
      if (plan.kind === 'inspect') await plan.inspection.push(Buffer.from('hi'), true);
      await exchange.run(responseHead);
    }
    const frameOf = {
      opcode: 'ping',
      data: Buffer.from('x'),
      clientToServer: false,
      frameIndex: 4,
      isFinal: true,
    } as const;
    await exchange.run({ kind: 'websocket_frame', ...frameOf });
    await exchange.run({ kind: 'guardrail', inspection: 'prompt_injection', content: 'hey', categories: [] });
    await exchange.complete(summary);
    await eventually(() => types(agent.seen).includes('request_complete'), 'the end');
    const payloads = new Map(agent.seen.map(({ type, payload }) => [type, payload]));
    expect(payloads.get('request_headers')).toEqual({
      correlation_id: 'c',
      metadata: {
        correlation_id: 'c',
        request_id: '6f2f0f0e-4f3b-4a37-9d0a-0d2a4c1f7b11',
        client_ip: '192.0.2.7',
        client_port: 40_123,
        server_name: null,
        protocol: 'HTTP/1.1',
        tls_version: null,
        tls_cipher: null,
        route_id: 'api',
        upstream_id: null,
        timestamp: '2023-11-14T22:13:20.123Z',
      },
      method: 'GET',
      uri: '/orders?id=7',
      headers: { host: ['shop.example'], 'x-twice': ['a', 'b'], accept: ['*/*'] },
    });
    const chunk = { correlation_id: 'c', data: 'aGk=', is_last: true, total_size: 2, chunk_index: 0 };
    expect(payloads.get('request_body')).toEqual({ ...chunk, bytes_received: 2 });
    expect(payloads.get('response_body')).toEqual({ ...chunk, bytes_sent: 2 });
    expect(payloads.get('response_headers')).toEqual({
      correlation_id: 'c',
      status: 200,
      headers: { 'content-type': ['text/html'] },
    });
    expect(payloads.get('websocket_frame')).toEqual({
      correlation_id: 'c',
      opcode: 'ping',
      data: 'eA==',
      client_to_server: false,
      frame_index: 4,
      fin: true,
      route_id: 'api',
      client_ip: '192.0.2.7',
    });
    expect(payloads.get('guardrail')).toEqual({
      correlation_id: 'c',
      inspection_type: 'prompt_injection',
      content: 'hey',
      categories: [],
      route_id: 'api',
      metadata: {},
    });
    expect(payloads.get('request_complete')).toEqual({
      correlation_id: 'c',
      status: 200,
      duration_ms: 12,
      request_body_size: 3,
      response_body_size: 5,
      upstream_attempts: 1,
      error: null,
    });
  });

  it('may send frames right behind its answer to the handshake', async () => {
    const afterHandshake = [
      [0x30, { agent_id: 'x', state: { status: 'degraded', disabled_features: [] }, timestamp_ms: 1 }],
      [0x31, { agent_id: 'x', counters: [] }],
      [0x32, { request_id: 'r' }],
    ] as const;
    const agent = await during(startFramedAgent({ afterHandshake }));
    const gateway = gatewayWith([settingsFor(agent)]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(gateway.lines).toContainEqual({
      level: 'warn',
      message: 'An agent says that it is not well.',
      fields: { agent: 'auth', state: 'degraded' },
    });
    expect(gateway.directory.snapshot()).toMatchObject([{ connections: 1, dialect: 'framed' }]);
  });

  it('gets only the events it takes, which is said once', async () => {
    const agent = await during(startFramedAgent({ supportedEvents: [1, 2] }));
    const gateway = gatewayWith([settingsFor(agent, { events: ['request_headers', 'response_headers'] })]);
    const exchange = gateway.begin();
    await exchange.run(requestHead());
    await exchange.run(responseHead);
    await exchange.complete(summary);
    await gateway.begin().run(requestHead());
    expect(types(agent.seen)).not.toContain('response_headers');
    expect(types(agent.seen)).not.toContain('request_complete');
    const warnings = gateway.lines.filter(({ message }) => message.includes('does not take all events'));
    expect(warnings.map(({ fields }) => fields['unsupported'])).toEqual(['response_headers']);
  });

  it('that does not say which request it answers is not understood', async () => {
    const agent = await during(startFramedAgent({ anonymous: true }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'protocol', message: expect.stringContaining('does not name its request') as string } },
    });
  });

  it('is told of no second request by the same name while an answer about the first may come', async () => {
    const agent = await during(startFramedAgent({ quietAtEnd: true }));
    const gateway = gatewayWith([settingsFor(agent, { connections: 1 })]);
    const metadata = { correlationId: 'same' };
    const first = gateway.begin({ metadata });
    await first.run(requestHead());
    void first.complete(summary);
    await eventually(() => types(agent.seen).includes('request_complete'), 'the end');
    const second = gateway.begin({ metadata });
    expect(second.correlationId).not.toBe('same');
    // Now it answers the end after all, which would have let the second request pass.
    agent.script = (event) => ({
      raw: Buffer.concat([
        frame(0x20, { decision: 'allow', audit: { custom: { correlation_id: 'same' } } }),
        frame(0x20, {
          decision: { block: {} },
          audit: { custom: { correlation_id: event.payload['correlation_id'] } },
        }),
      ]),
    });
    expect(await second.run(requestHead())).toMatchObject({ kind: 'refuse' });
    await eventually(() => gateway.begin({ metadata }).correlationId === 'same', 'the name to be free');
  });

  it('is told that nobody waits any more, and its late answer is taken for no other', async () => {
    let late = true;
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', timeoutMs: 400, connections: 1 })]);
    await gateway.begin().run(requestHead());
    agent.script = () => (late ? { delayMs: 700, block: { status: 400 } } : {});
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { response: { status: 504 } } });
    late = false;
    await eventually(() => types(agent.seen).includes('cancel'), 'the cancellation');
    expect(agent.seen.find(({ type }) => type === 'cancel')?.payload).toMatchObject({ reason: 2 });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(agent.connections.total).toBe(1);
  });

  it('is sent nothing while it asks for silence, for a short time only', async () => {
    const pause = frame(0x33, { action: 1 });
    const answer = (event: SeenEvent): Buffer =>
      frame(0x20, { decision: 'allow', audit: { custom: { correlation_id: event.payload['correlation_id'] } } });
    const agent = await during(
      startFramedAgent({ script: (event) => ({ raw: Buffer.concat([answer(event), pause]) }) }),
    );
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', connections: 1 })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { error: { code: 'paused' } } });
    expect(types(agent.seen).filter((type) => type === 'request_headers')).toHaveLength(1);
  });

  it('goes on when it ends the silence in time', async () => {
    const pause = frame(0x33, { action: 1, correlation_id: 'b' });
    const resume = frame(0x33, { action: 2, correlation_id: 'b' });
    const answer = (id: string): Buffer =>
      frame(0x20, { decision: 'allow', audit: { custom: { correlation_id: id } } });
    const agent = await during(
      startFramedAgent({
        script: ({ payload: { correlation_id: id } }) => ({
          raw: Buffer.concat([answer(String(id)), id === 'a' ? pause : id === 'c' ? resume : Buffer.alloc(0)]),
        }),
      }),
    );
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', connections: 1 })]);
    await gateway.begin({ metadata: { correlationId: 'a' } }).run(requestHead());
    const held = gateway.begin({ metadata: { correlationId: 'b' } }).run(requestHead());
    await gateway.begin({ metadata: { correlationId: 'c' } }).run(requestHead());
    expect(await held).toMatchObject({ kind: 'allow' });
  });

  it.each([
    ['a frame type that is none of an agent', frame(0x99, {})],
    ['an answer that is no object', frame(0x20, '[]')],
    ['half a frame and the end', Buffer.from([0, 0, 1, 0, 0x20, 0x7b])],
    ['a frame larger than any', Buffer.from([0x7f, 0, 0, 0])],
  ])('fails the call when it sends %s', async (_what, raw) => {
    const agent = await during(startFramedAgent({ script: () => ({ raw, crash: raw.length < 10 }) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const running = gateway.begin().run(requestHead());
    expect(await running).toMatchObject({ refusal: { reason: 'failure', response: { status: 503 } } });
  });
});
