import { describe, expect, it } from 'vitest';
import { startEnvelopeAgent } from '../../../test/agents/envelope-agent.ts';
import { sendFrame, startFramedAgent } from '../../../test/agents/framed-agent.ts';
import {
  cleanUp,
  during,
  eventually,
  gatewayWith,
  requestHead,
  responseHead,
  settingsFor,
  summary,
} from '../../../test/agents/harness.ts';
import { SocketHost, socketPath } from '../../../test/agents/script.ts';
import type { TestAgent } from '../../../test/agents/script.ts';

const calls = (agent: TestAgent): number => agent.seen.filter(({ type }) => type === 'request_headers').length;

describe('the client of an agent', () => {
  it('leaves an agent alone that failed too often in a row, and says so', async () => {
    const agent = await during(startFramedAgent());
    const circuitBreaker = { failureThreshold: 3, successThreshold: 1, openMs: 60_000, halfOpenMaxRequests: 1 };
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', circuitBreaker, timeoutMs: 100 })]);
    await eventually(() => agent.connections.open === 1, 'the connection');
    agent.script = () => ({ silent: true });
    for (let i = 0; i < 3; i++) await gateway.begin().run(requestHead());
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { response: { status: 503 }, error: { code: 'circuit_open' } },
    });
    expect(calls(agent)).toBe(3);
    expect(await gateway.metric('zentinel_agent_circuit_breaker_state', { agent: 'auth' })).toBe(1);
    expect(gateway.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { agent: 'auth', state: 'open' } }),
    );
  });

  it('tries an agent again when the circuit was open long enough', async () => {
    const agent = await during(startFramedAgent());
    const circuitBreaker = { failureThreshold: 1, successThreshold: 1, openMs: 50, halfOpenMaxRequests: 1 };
    const gateway = gatewayWith([settingsFor(agent, { circuitBreaker, timeoutMs: 100 })]);
    await eventually(() => agent.connections.open === 1, 'the connection');
    agent.script = () => ({ silent: true });
    await gateway.begin().run(requestHead());
    expect(gateway.directory.snapshot()[0]?.circuit).toBe('open');
    agent.script = () => ({ block: {} });
    const start = calls(agent);
    while (calls(agent) === start) await gateway.begin().run(requestHead());
    await eventually(() => gateway.directory.snapshot()[0]?.circuit === 'closed', 'the closed circuit');
  });

  it('counts a call as one failure, though it was made twice because the connection broke', async () => {
    const agent = await during(startFramedAgent({ script: () => ({ crash: true }) }));
    const circuitBreaker = { failureThreshold: 2, successThreshold: 1, openMs: 60_000, halfOpenMaxRequests: 1 };
    const gateway = gatewayWith([settingsFor(agent, { circuitBreaker })]);
    await gateway.begin().run(requestHead());
    expect([calls(agent), gateway.directory.snapshot()[0]?.circuit]).toEqual([2, 'closed']);
  });

  it('never counts blocks as failures', async () => {
    const agent = await during(startFramedAgent({ script: () => ({ block: {} }) }));
    const gateway = gatewayWith([settingsFor(agent)]);
    for (let i = 0; i < 10; i++) await gateway.begin().run(requestHead());
    expect(gateway.directory.snapshot()[0]?.circuit).toBe('closed');
  });

  it('makes no more calls at once than allowed, and lets no more wait than allowed', async () => {
    let running = 0;
    let most = 0;
    const agent = await during(
      startEnvelopeAgent({
        script: () => {
          most = Math.max(most, ++running);
          setTimeout(() => running--, 15);
          return { delayMs: 20 };
        },
      }),
    );
    const changes = { failureMode: 'closed', maxConcurrentCalls: 2 } as const;
    const gateway = gatewayWith([settingsFor(agent, changes)], { maxQueuedCalls: 3 });
    await gateway.begin().run(requestHead());
    const verdicts = await Promise.all(Array.from({ length: 8 }, () => gateway.begin().run(requestHead())));
    const refused = verdicts.filter(({ kind }) => kind === 'refuse');
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({
      refusal: {
        response: { status: 503 },
        error: { code: 'queue_full', message: expect.stringContaining('raise limits.max-agent-queue-depth') as string },
      },
    });
    expect(most).toBeLessThanOrEqual(2);
    expect(gateway.directory.snapshot()).toMatchObject([{ activeCalls: 0, waitingCalls: 0, circuit: 'closed' }]);
    expect(await gateway.metric('clew_limit_exceeded_total', { limit: 'agent_queue_depth' })).toBe(3);
  });

  it('counts waiting for a turn against the timeout', async () => {
    const agent = await during(startEnvelopeAgent());
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', connections: 1, timeoutMs: 300 })]);
    await gateway.begin().run(requestHead());
    agent.script = () => ({ silent: true });
    const verdicts = await Promise.all([gateway.begin().run(requestHead()), gateway.begin().run(requestHead())]);
    const errors = verdicts.map((verdict) => verdict.kind === 'refuse' && verdict.refusal.error?.message);
    expect(errors[0]).toContain('it was waiting for an answer');
    expect(errors[1]).toContain('it was waiting for a free connection');
  });

  it('lets a slow agent hold up nobody but those who ask it', async () => {
    const slow = await during(startFramedAgent({ script: () => ({ silent: true }) }));
    const quick = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(slow, { id: 'slow' }), settingsFor(quick, { id: 'quick' })]);
    const held = Array.from({ length: 150 }, () => gateway.begin({ members: [{ agentId: 'slow' }] }));
    const waiting = held.map((exchange) => exchange.run(requestHead()));
    for (let i = 0; i < 20; i++) {
      const exchange = gateway.begin({ members: [{ agentId: 'quick' }] });
      expect(await exchange.run(requestHead())).toMatchObject({ kind: 'allow' });
    }
    for (const exchange of held) exchange.abort('clientDisconnect');
    await Promise.all(waiting);
    await eventually(() => gateway.directory.snapshot()[0]?.activeCalls === 0, 'the end of all calls');
    expect(await gateway.metric('clew_gateway_agent_waiting_calls', { agent: 'slow' })).toBe(0);
  });

  it('does not connect time and again to an agent that hangs up at once', async () => {
    const path = socketPath();
    const host = await SocketHost.listen(path, (socket) => {
      socket.once('data', () => {
        sendFrame(socket, 0x02, { success: true, capabilities: {} });
        socket.end();
      });
    });
    cleanUp(() => host.stop());
    const gateway = gatewayWith([settingsFor({ address: path })]);
    await eventually(() => host.connections.total >= 2, 'the second attempt');
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(host.connections.total).toBeLessThanOrEqual(3);
    expect(gateway.directory.snapshot()[0]?.connections).toBe(0);
  });

  it('warns about an agent that is away, and goes on without it', async () => {
    const gateway = gatewayWith([settingsFor({ address: socketPath() })]);
    await eventually(() => gateway.lines.length > 0, 'the warning');
    expect(gateway.lines[0]).toMatchObject({
      level: 'warn',
      message: 'An agent cannot be reached; connecting goes on.',
      fields: { agent: 'auth', attempts: 1, reason: expect.stringContaining('ENOENT') as string },
    });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    for (let i = 0; i < 3; i++) await gateway.begin().run(requestHead());
    expect(gateway.directory.snapshot()[0]?.down).toBe(true);
  });

  it('tells what it knows', async () => {
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    await gateway.begin().run(requestHead());
    expect(gateway.directory.snapshot()).toEqual([
      {
        id: 'auth',
        dialect: 'framed',
        down: false,
        health: 'healthy',
        circuit: 'closed',
        connections: 1,
        activeCalls: 0,
        waitingCalls: 0,
        openRequests: 1,
      },
    ]);
    expect(await gateway.metric('zentinel_agent_health', { agent: 'auth' })).toBe(1);
    expect(await gateway.metric('clew_gateway_agent_connections', { agent: 'auth' })).toBe(1);
    const labels = { agent: 'auth', event: 'on_request_headers' };
    expect(await gateway.metric('zentinel_agent_latency_seconds_count', labels)).toBe(1);
    expect(gateway.lines).toContainEqual({
      level: 'info',
      message: 'Connected to an agent.',
      fields: {
        agent: 'auth',
        dialect: 'framed',
        address: agent.address,
        agentName: 'framed test agent',
        agentVersion: '1.0',
      },
    });
  });
});

describe('a new configuration', () => {
  it('leaves agents that did not change as they are', async () => {
    const agent = await during(startFramedAgent());
    const settings = settingsFor(agent);
    const gateway = gatewayWith([settings]);
    await gateway.begin().run(requestHead());
    gateway.directory.apply([structuredClone(settings)]);
    await gateway.begin().run(requestHead());
    expect(agent.connections.total).toBe(1);
  });

  it('replaces agents whose limits changed', async () => {
    const agent = await during(startFramedAgent({ script: () => ({ audit: { tags: ['x'.repeat(500)] } }) }));
    const settings = settingsFor(agent, { failureMode: 'closed' });
    const gateway = gatewayWith([settings]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    gateway.directory.apply([settings], { maxAnswerBytes: 400 });
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'answer_too_large' } },
    });
  });

  it('lets requests finish with the agents they began with', async () => {
    const first = await during(startFramedAgent());
    const second = await during(startFramedAgent());
    const events = ['request_headers', 'response_headers'] as const;
    const gateway = gatewayWith([settingsFor(first, { events })]);
    const exchange = gateway.begin();
    await exchange.run(requestHead());
    gateway.directory.apply([settingsFor(second, { events })]);
    await gateway.begin().run(requestHead());
    expect(await exchange.run(responseHead)).toMatchObject({ kind: 'allow' });
    expect([calls(first), calls(second)]).toEqual([1, 1]);
    await exchange.complete(summary);
    await eventually(() => first.connections.open === 0, 'the end of the old connections');
    expect(first.seen.map(({ type }) => type)).toEqual([
      'handshake',
      'request_headers',
      'response_headers',
      'request_complete',
    ]);
    expect(await gateway.metric('zentinel_agent_health', { agent: 'auth' })).toBe(1);
  });
});

describe('the end of a gateway', () => {
  it('waits for running requests, so that agents hear of their end', async () => {
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    const exchange = gateway.begin();
    await exchange.run(requestHead());
    const closing = gateway.directory.close(20_000);
    await exchange.complete(summary);
    await closing;
    await eventually(() => agent.connections.open === 0, 'the end of the connections');
    expect(agent.seen.at(-1)?.type).toBe('request_complete');
  });

  it('waits no longer for agents of an earlier configuration either', async () => {
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    await gateway.begin().run(requestHead());
    gateway.directory.apply([]);
    expect(agent.connections.open).toBe(1);
    await gateway.directory.close(20);
    await eventually(() => agent.connections.open === 0, 'the end of the connections');
  });

  it('waits no longer than told', async () => {
    const agent = await during(startFramedAgent({ script: () => ({ silent: true }) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const running = gateway.begin().run(requestHead());
    await eventually(() => calls(agent) === 1, 'the call');
    await gateway.directory.close(20);
    expect(await running).toMatchObject({ refusal: { error: { code: 'closed' } } });
  });
});
