import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import {
  during,
  eventually,
  gatewayWith,
  requestHead,
  responseHead,
  settingsFor,
  summary,
} from '../../../test/agents/harness.ts';
import type { Script, TestAgent } from '../../../test/agents/script.ts';
import type { AgentSettings } from '../settings.ts';
import { membersOfRoute } from './members.ts';

const events = ['request_headers', 'request_body', 'response_headers', 'response_body'] as const;

async function two(first: Script, second: Script, changes: Partial<AgentSettings> = {}) {
  const agents: TestAgent[] = [
    await during(startFramedAgent({ script: first })),
    await during(startFramedAgent({ script: second })),
  ];
  const settings = agents.map((agent, at) => settingsFor(agent, { events, ...changes, id: `agent-${at + 1}` }));
  return { agents, gateway: gatewayWith(settings) };
}

function heads(agent: TestAgent | undefined, type = 'request_headers'): number {
  return agent?.seen.filter((event) => event.type === type).length ?? 0;
}

describe('a chain of agents', () => {
  it('is decided by the first agent that does not allow, however slow it is', async () => {
    const { gateway } = await two(
      () => ({ delayMs: 50, block: { status: 401 } }),
      () => ({ block: { status: 402 } }),
    );
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { agentId: 'agent-1', response: { status: 401 } },
    });
  });

  it('waits for no agent behind the one that decided, and tells it so', async () => {
    const { agents, gateway } = await two(
      () => ({ block: {} }),
      () => ({ silent: true }),
    );
    const second = agents[1]!;
    await eventually(() => second.connections.open === 1, 'the connection');
    await gateway.begin().run(requestHead());
    await eventually(() => heads(second, 'cancel') === 1, 'the cancellation');
    expect(second.seen.find(({ type }) => type === 'cancel')?.payload).toMatchObject({ reason: 3 });
    expect(gateway.directory.snapshot()[1]).toMatchObject({ circuit: 'closed', activeCalls: 0 });
  });

  it('is asked about a request head all at once, each agent about the original headers', async () => {
    const agents: TestAgent[] = [];
    // Neither answers before both were asked.
    const script: Script = () => ({
      delayMs: 30,
      requestHeaders: [{ operation: 'set', name: 'X-From', value: String(heads(agents[0]) + heads(agents[1])) }],
    });
    const made = await two(script, script);
    agents.push(...made.agents);
    await eventually(() => agents.every(({ connections }) => connections.open === 1), 'the connections');
    await made.gateway.begin().run(requestHead());
    const headers = agents.map(({ seen }) => seen.find(({ type }) => type === 'request_headers')?.payload['headers']);
    expect(headers[0]).toEqual(headers[1]);
  });

  it('adds up what its agents want, in their order', async () => {
    const script = (name: string, delayMs: number): Script => {
      const audit = { tags: [name], rule_ids: [`rule-${name}`], custom: { who: name } };
      return () => ({
        delayMs,
        audit,
        requestHeaders: [{ operation: 'add', name: 'X-By', value: name }],
        responseHeaders: [{ operation: 'add', name: 'X-Also', value: name }],
        extra: { routing_metadata: { pool: name, [name]: 'yes' } },
      });
    };
    const { gateway } = await two(script('a', 30), script('b', 0));
    expect(await gateway.begin().run(requestHead())).toEqual({
      kind: 'allow',
      websocket: { kind: 'allow' },
      requestHeaders: [
        { kind: 'add', name: 'X-By', value: 'a' },
        { kind: 'add', name: 'X-By', value: 'b' },
      ],
      responseHeaders: [
        { kind: 'add', name: 'X-Also', value: 'a' },
        { kind: 'add', name: 'X-Also', value: 'b' },
      ],
      routingMetadata: { pool: 'b', a: 'yes', b: 'yes' },
      audit: { tags: ['a', 'b'], ruleIds: ['rule-a', 'rule-b'], reasonCodes: [], custom: { who: 'b' } },
    });
  });

  it('keeps the changes of agents before the one that refuses, but not its own', async () => {
    const change =
      (name: string): Script =>
      () => ({
        responseHeaders: [{ operation: 'set', name, value: '1' }],
        audit: { tags: [name] },
        ...(name === 'X-2' ? { block: {} } : {}),
      });
    const { gateway } = await two(change('X-1'), change('X-2'));
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict.responseHeaders).toEqual([{ kind: 'set', name: 'X-1', value: '1' }]);
    expect(verdict.audit.tags).toEqual(['X-1', 'X-2']);
  });

  it('is asked about a response one after another, and no further than the first refusal', async () => {
    const { agents, gateway } = await two(
      () => ({ block: { status: 502 } }),
      () => ({}),
    );
    expect(await gateway.begin().run(responseHead)).toMatchObject({ refusal: { agentId: 'agent-1' } });
    expect([heads(agents[0], 'response_headers'), heads(agents[1], 'response_headers')]).toEqual([1, 0]);
  });

  it('leaves an agent out for the rest of the request once it failed', async () => {
    const { agents, gateway } = await two(
      () => ({ raw: Buffer.from([0, 0, 0, 2, 0x20, 0x21]) }),
      () => ({}),
    );
    const exchange = gateway.begin();
    expect(await exchange.run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(await exchange.run(responseHead)).toMatchObject({ kind: 'allow' });
    expect([heads(agents[0], 'response_headers'), heads(agents[1], 'response_headers')]).toEqual([0, 1]);
  });

  it('lets an agent that wants to see the body take back a provisional refusal', async () => {
    const agent = await during(
      startFramedAgent({
        script: ({ type }) => (type === 'request_headers' ? { block: {}, needsMore: true } : {}),
      }),
    );
    const gateway = gatewayWith([settingsFor(agent, { events })]);
    const exchange = gateway.begin();
    expect(await exchange.run(requestHead({ hasBody: true }))).toMatchObject({ kind: 'allow' });
    const plan = exchange.openBody('request');
    expect(plan.kind === 'inspect' && (await plan.inspection.push(Buffer.from('x'), true))).toMatchObject({
      kind: 'pass',
    });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { reason: 'block' } });
  });

  it('gives a request another correlation id when one in flight has it', async () => {
    const { agents, gateway } = await two(
      () => ({}),
      () => ({}),
    );
    const metadata = { correlationId: 'mine' };
    const first = gateway.begin({ metadata });
    const second = gateway.begin({ metadata });
    expect(first.correlationId).toBe('mine');
    expect(second.correlationId).not.toBe('mine');
    await second.run(requestHead());
    expect(agents[0]?.seen.at(-1)?.payload['metadata']).toMatchObject({ correlation_id: second.correlationId });
    await first.complete(summary);
    await eventually(() => gateway.begin({ metadata }).correlationId === 'mine', 'the name to be free');
  });

  it('asks an agent that stands in it twice one after another', async () => {
    let running = 0;
    let most = 0;
    const agent = await during(
      startFramedAgent({
        script: () => {
          most = Math.max(most, ++running);
          setTimeout(() => running--, 10);
          return { delayMs: 20 };
        },
      }),
    );
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    const exchange = gateway.begin({ members: [{ agentId: 'auth' }, { agentId: 'auth' }] });
    expect(await exchange.run(requestHead())).toMatchObject({ kind: 'allow' });
    await exchange.complete(summary);
    await eventually(() => heads(agent, 'request_complete') > 0, 'the end');
    expect([most, heads(agent), heads(agent, 'request_complete')]).toEqual([1, 2, 1]);
  });

  it('asks an agent that stands in it twice no second time when it failed the first', async () => {
    const agent = await during(startFramedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    await eventually(() => agent.connections.open === 1, 'the connection');
    agent.script = () => ({ delayMs: 100 });
    const members = [
      { agentId: 'auth', timeoutMs: 30 },
      { agentId: 'auth', failureMode: 'closed' },
    ] as const;
    expect(await gateway.begin({ members }).run(requestHead())).toMatchObject({
      refusal: { error: { code: 'state_lost' } },
    });
    expect(heads(agent)).toBe(1);
  });

  it('lets the place in it override what an agent is set to', async () => {
    const agent = await during(startFramedAgent({ script: () => ({ silent: true }) }));
    const gateway = gatewayWith([settingsFor(agent, { events })]);
    await eventually(() => agent.connections.open === 1, 'the connection');
    const members = [
      { agentId: 'auth', failureMode: 'closed', timeoutMs: 50, phase: 'request', inspectBody: false },
    ] as const;
    const exchange = gateway.begin({ members });
    expect(await exchange.run(requestHead())).toMatchObject({ refusal: { response: { status: 504 } } });
    const other = gateway.begin({ members });
    expect([other.takes('request_headers'), other.takes('request_body'), other.takes('response_headers')]).toEqual([
      true,
      false,
      false,
    ]);
    const small = gateway.begin({ members: [{ agentId: 'auth', failureMode: 'closed', maxBodyBytes: 5 }] });
    expect(small.openBody('request', 6)).toMatchObject({
      kind: 'refuse',
      verdict: { refusal: { response: { status: 413 } } },
    });
  });

  it('refuses to be made of agents that do not exist', async () => {
    const { gateway } = await two(
      () => ({}),
      () => ({}),
    );
    expect(() => gateway.directory.chain([{ agentId: 'nobody' }])).toThrow('there is no agent "nobody"');
  });

  it('ends running calls when the request is given up', async () => {
    const { agents, gateway } = await two(
      () => ({ silent: true }),
      () => ({}),
    );
    const exchange = gateway.begin();
    const running = exchange.run(requestHead());
    await eventually(() => heads(agents[0]) === 1, 'the call');
    exchange.abort('clientDisconnect');
    expect(await running).toMatchObject({ kind: 'refuse', refusal: { error: { code: 'aborted' } } });
    await exchange.complete(summary);
    await eventually(() => heads(agents[0], 'cancel') === 1, 'the cancellation');
    expect(gateway.directory.snapshot()[0]).toMatchObject({ circuit: 'closed', activeCalls: 0, openRequests: 0 });
  });
});

describe('the agents of a route', () => {
  const position = { file: 'f', line: 1, column: 1 };

  it('are those it names, then those of its filters, which follow the route where they say nothing', () => {
    const route = { agents: ['b', 'a'], filters: ['limit', 'waf', 'late'], policies: { failureMode: 'closed' } };
    const settings = { type: 'agent', agent: 'waf-agent', inspectBody: false } as const;
    const filters = new Map([
      ['waf', { id: 'waf', position, settings }],
      [
        'late',
        { id: 'late', position, settings: { ...settings, phase: 'response', failureMode: 'open', timeoutMs: 5 } },
      ],
    ]);
    expect(membersOfRoute(route as never, filters as never)).toEqual([
      { agentId: 'b' },
      { agentId: 'a' },
      { agentId: 'waf-agent', failureMode: 'closed', inspectBody: false },
      { agentId: 'waf-agent', failureMode: 'open', inspectBody: false, phase: 'response', timeoutMs: 5 },
    ]);
  });
});
