import { describe, expect, it } from 'vitest';
import { startEnvelopeAgent } from '../../../../test/agents/envelope-agent.ts';
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

const ofType = (seen: readonly SeenEvent[], type: string): SeenEvent[] => seen.filter((event) => event.type === type);

function object(value: object): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

describe('an envelope agent', () => {
  it('is recognised though it says nothing to the handshake', async () => {
    const agent = await during(startEnvelopeAgent({ onGarbage: 'silence' }));
    const gateway = gatewayWith([settingsFor(agent)]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(gateway.directory.snapshot()).toMatchObject([{ dialect: 'envelope' }]);
  });

  it('is recognised ahead of the first request, and once', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { connections: 3 })]);
    await eventually(() => gateway.directory.snapshot()[0]?.connections === 1, 'the connection');
    expect(agent.connections.total).toBe(2);
    agent.script = () => ({ delayMs: 50 });
    await Promise.all(Array.from({ length: 3 }, () => gateway.begin().run(requestHead())));
    expect(agent.connections.total).toBe(4);
  });

  it('can be replaced by an agent of another dialect at the same place', async () => {
    const first = await startEnvelopeAgent();
    const gateway = gatewayWith([settingsFor(first, { failureMode: 'closed' })]);
    await gateway.begin().run(requestHead());
    await first.stop();
    await during(startFramedAgent({ address: first.address }));
    await eventually(() => gateway.directory.snapshot()[0]?.dialect === 'framed', 'the other dialect');
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
  });

  it('is not looked for where the protocol version rules it out', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', protocolVersion: 2 })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: expect.stringContaining('protocol-version 2') as string } },
    });
    expect(agent.seen).toEqual([]);
  });

  it('is spoken to at once where the protocol version pins it', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { protocolVersion: 1 })]);
    await gateway.begin().run(requestHead());
    expect(agent.connections.total).toBe(1);
  });

  it('is handed its configuration first, on every connection', async () => {
    const agent = await during(startEnvelopeAgent({ script: () => ({ delayMs: 50 }) }));
    const gateway = gatewayWith([settingsFor(agent, { config: [1, 'a'], connections: 2 })]);
    await Promise.all([gateway.begin().run(requestHead()), gateway.begin().run(requestHead())]);
    expect(ofType(agent.seen, 'configure').map(({ payload }) => payload)).toEqual([
      { agent_id: 'auth', config: [1, 'a'] },
      { agent_id: 'auth', config: [1, 'a'] },
    ]);
    expect(agent.seen[0]?.type).toBe('configure');
  });

  it('that declines its configuration is not used', async () => {
    const agent = await during(startEnvelopeAgent({ declinesConfig: 'bad mode' }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', config: {} })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: 'the agent declined its configuration: bad mode' } },
    });
  });

  it('never has two events out on one connection', async () => {
    const running = new Map<number, number>();
    let most = 0;
    const agent = await during(
      startEnvelopeAgent({
        script: ({ connection }) => {
          running.set(connection, (running.get(connection) ?? 0) + 1);
          most = Math.max(most, running.get(connection)!);
          setTimeout(() => running.set(connection, running.get(connection)! - 1), 5);
          return { delayMs: 5 };
        },
      }),
    );
    const gateway = gatewayWith([settingsFor(agent, { events: ['request_headers', 'response_headers'] })]);
    const requests = Array.from({ length: 40 }, async () => {
      const exchange = gateway.begin();
      await exchange.run(requestHead());
      await exchange.run(responseHead);
      await exchange.complete(summary);
    });
    await Promise.all(requests);
    expect(most).toBe(1);
    expect(gateway.directory.snapshot()[0]?.connections).toBe(4);
    expect(ofType(agent.seen, 'request_complete')).toHaveLength(40);
  });

  it('that is too slow loses the connection, so that its late answer is taken for no other', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', timeoutMs: 300, connections: 1 })]);
    await gateway.begin().run(requestHead());
    agent.script = () => ({ delayMs: 400, block: { status: 400 } });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { response: { status: 504 } } });
    agent.script = () => ({});
    await eventually(() => gateway.directory.snapshot()[0]?.connections === 1, 'the next connection');
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
  });

  it('keeps its connection when the client goes away in the middle of a call', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { connections: 1 })]);
    await gateway.begin().run(requestHead());
    const before = agent.connections.total;
    agent.script = () => ({ delayMs: 100 });
    const gone = gateway.begin();
    const running = gone.run(requestHead());
    await eventually(() => ofType(agent.seen, 'request_headers').length === 2, 'the call');
    gone.abort('clientDisconnect');
    expect(await running).toMatchObject({ refusal: { error: { code: 'aborted' } } });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    await gone.complete(summary);
    expect(agent.connections.total).toBe(before);
    expect(ofType(agent.seen, 'request_complete')).toHaveLength(1);
  });

  it('fails later events of a request when the connection that knew it is gone', async () => {
    const agent = await during(startEnvelopeAgent());
    const events = ['request_headers', 'response_headers'] as const;
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', events })]);
    const exchange = gateway.begin();
    await exchange.run(requestHead());
    agent.cut();
    await eventually(() => gateway.lines.some(({ message }) => message.includes('was lost')), 'the loss');
    expect(await exchange.run(responseHead)).toMatchObject({ refusal: { error: { code: 'state_lost' } } });
    expect(gateway.directory.snapshot()[0]?.circuit).toBe('closed');
  });

  it.each([
    ['success where a decision is due', object({ success: true })],
    ['a finding where a decision is due', object({ detected: false })],
    ['an empty object', object({})],
  ])('fails the call when it answers with %s', async (_what, raw) => {
    const agent = await during(startEnvelopeAgent({ script: () => ({ raw }) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { error: { code: 'protocol' } } });
  });

  it('loses the connection when it answers what was not asked', async () => {
    const twice = Buffer.concat([object({ decision: 'allow' }), object({ decision: { block: {} } })]);
    const agent = await during(startEnvelopeAgent({ script: () => ({ raw: twice }) }));
    const gateway = gatewayWith([settingsFor(agent)]);
    await gateway.begin().run(requestHead());
    await eventually(() => gateway.lines.some(({ message }) => message.includes('was lost')), 'the loss');
  });

  it('is told the other events as it expects them', async () => {
    const found = { detected: true, confidence: 0.7, detections: [] };
    const events = ['websocket_frame', 'guardrail', 'response_body', 'request_complete'] as const;
    const agent = await during(
      startEnvelopeAgent({ script: ({ type }) => (type === 'guardrail_inspect' ? { extra: found } : {}) }),
    );
    const gateway = gatewayWith([settingsFor(agent, { events })]);
    const exchange = gateway.begin({ metadata: { correlationId: 'c' } });
    const verdict = await exchange.run({
      kind: 'guardrail',
      inspection: 'pii_detection',
      content: 'x',
      categories: ['a'],
    });
    expect(verdict).toMatchObject({ guardrail: { detected: true, confidence: 0.7 } });
    const frame = {
      opcode: 'text',
      data: Buffer.from('x'),
      clientToServer: true,
      frameIndex: 0,
      isFinal: true,
    } as const;
    await exchange.run({ kind: 'websocket_frame', ...frame });
    const plan = exchange.openBody('response');
    if (plan.kind === 'inspect') await plan.inspection.push(Buffer.from('abc'), true);
    await exchange.complete(summary);
    expect(ofType(agent.seen, 'websocket_frame')[0]?.payload).toEqual({
      correlation_id: 'c',
      opcode: 1,
      direction: 'client_to_server',
      data: 'eA==',
      frame_index: 0,
    });
    expect(ofType(agent.seen, 'response_body_chunk')[0]?.payload).toEqual({
      correlation_id: 'c',
      data: 'YWJj',
      is_last: true,
      chunk_index: 0,
      bytes_sent: 3,
      bytes_received: 3,
    });
    expect(ofType(agent.seen, 'request_complete')[0]?.payload).toMatchObject({
      request_size: 3,
      request_body_size: 3,
      response_size: 5,
      response_body_size: 5,
    });
  });

  it('is told that a request is over, even if of nothing before, when it asked for that', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { events: ['request_complete'] })]);
    await eventually(() => gateway.directory.snapshot()[0]?.connections === 1, 'the connection');
    await gateway.begin().complete(summary);
    expect(ofType(agent.seen, 'request_complete')).toHaveLength(1);
  });
});
