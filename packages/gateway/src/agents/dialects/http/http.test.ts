import { describe, expect, it } from 'vitest';
import { certificateFiles } from '../../../../test/agents/certificates.ts';
import { during, eventually, gatewayWith, requestHead, settingsFor, summary } from '../../../../test/agents/harness.ts';
import type { TestGateway } from '../../../../test/agents/harness.ts';
import { startHttpAgent } from '../../../../test/agents/http-agent.ts';
import type { HttpAgentOptions, HttpTestAgent } from '../../../../test/agents/http-agent.ts';
import type { AgentSettings } from '../../settings.ts';

async function setup(
  options: HttpAgentOptions = {},
  changes: Partial<AgentSettings> = {},
): Promise<{ agent: HttpTestAgent; gateway: TestGateway }> {
  const agent = await during(startHttpAgent(options));
  const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', ...changes })]);
  return { agent, gateway };
}

const connected = (gateway: TestGateway): Promise<unknown> =>
  eventually(() => gateway.directory.snapshot()[0]!.connections > 0, 'the connection');

describe('an agent that is told of events over HTTP', () => {
  it.each([
    ['answers with an error', { status: 503 }, 'the agent answered with status 503'],
    ['answers with what is no JSON', { script: () => ({ raw: Buffer.from('{{{') }) }, 'an answer'],
    ['hangs up', { script: () => ({ crash: true }) }, 'cannot be reached'],
  ] as [string, HttpAgentOptions, string][])('fails when it %s', async (_title, options, message) => {
    const { gateway } = await setup(options);
    const verdict = await gateway.begin().run(requestHead());
    expect(verdict).toMatchObject({
      refusal: { reason: 'failure', error: { message: expect.stringContaining(message) as string } },
    });
  });

  it('fails when it is not there, and is asked again once it is', async () => {
    const first = await startHttpAgent();
    const { address } = first;
    await first.stop();
    const gateway = gatewayWith([settingsFor({ address }, { failureMode: 'closed', timeoutMs: 300 })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { reason: 'failure' } });
    await during(startHttpAgent({ address }));
    await connected(gateway);
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
  });

  it('is not used when it declines its configuration', async () => {
    const { gateway } = await setup({ declinesConfig: 'not mine' }, { config: { a: 1 }, timeoutMs: 500 });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ refusal: { reason: 'failure' } });
    expect(gateway.lines.some(({ fields }) => JSON.stringify(fields).includes('not mine'))).toBe(true);
  });

  it('is left alone about a request that took too long, and answers others meanwhile', async () => {
    let asked = 0;
    const { agent, gateway } = await setup({ script: () => ({ silent: asked++ === 0 }) }, { timeoutMs: 200 });
    await connected(gateway);
    const slow = gateway.begin().run(requestHead());
    await eventually(() => asked === 1, 'the first call');
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    expect(await slow).toMatchObject({ refusal: { error: { code: 'timeout' } } });
    await eventually(() => agent.abandoned() === 1, 'the end of the request');
  });

  it('gets its configuration, every event and the end of the request, each with what tells them apart', async () => {
    const { agent, gateway } = await setup({}, { config: { a: 1 }, connections: 1 });
    const startCall = () => ({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, end: () => undefined });
    const exchange = gateway.begin({ startCall });
    expect(await exchange.run(requestHead())).toMatchObject({ kind: 'allow' });
    await exchange.complete(summary);
    expect(agent.seen.map(({ type }) => type)).toEqual(['configure', 'request_headers', 'request_complete']);
    const [, head] = agent.requests;
    expect(head).toMatchObject({
      method: 'POST',
      url: '/agent?team=a',
      headers: {
        'content-type': 'application/json',
        'x-zentinel-protocol-version': '1',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      },
    });
    expect(agent.seen[1]!.payload).toMatchObject({ metadata: { correlation_id: exchange.correlationId } });
  });

  it('decides, and changes headers', async () => {
    const { agent, gateway } = await setup({ script: () => ({ block: { status: 418, body: 'teapot' } }) });
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { reason: 'block', response: { status: 418, body: 'teapot' } },
    });
    agent.script = () => ({ requestHeaders: [{ operation: 'set', name: 'X-A', value: '1' }] });
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      kind: 'allow',
      requestHeaders: [{ kind: 'set', name: 'X-A', value: '1' }],
    });
  });

  it('is spoken to over TLS, when its certificate is vouched for', async () => {
    const files = certificateFiles();
    const { cert, key } = files;
    const agent = await during(startHttpAgent({ tls: { cert: cert.toString(), key: key.toString() } }));
    const transport = {
      kind: 'http',
      address: agent.address,
      tls: { insecureSkipVerify: false, caCertFile: files.caFile },
    } as const;
    const trusted = gatewayWith([settingsFor(agent, { failureMode: 'closed', transport })]);
    expect(await trusted.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    const strict = { ...transport, tls: { insecureSkipVerify: false } };
    const doubtful = gatewayWith([settingsFor(agent, { failureMode: 'closed', transport: strict, timeoutMs: 1000 })]);
    expect(await doubtful.begin().run(requestHead())).toMatchObject({ refusal: { reason: 'failure' } });
  });

  it('is asked by many requests at once, without waiting for each other', async () => {
    const { agent, gateway } = await setup({ script: () => ({ delayMs: 100 }) }, { connections: 1 });
    await connected(gateway);
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => gateway.begin().run(requestHead())));
    expect(verdicts.every(({ kind }) => kind === 'allow')).toBe(true);
    expect(agent.connections.total).toBeGreaterThan(20);
  });

  it('is named in the log without what its address may hold of secrets', async () => {
    const { agent, gateway } = await setup();
    await connected(gateway);
    const said = JSON.stringify(gateway.lines);
    expect(said).toContain(new URL(agent.address).origin);
    expect(said).not.toContain('team=a');
  });

  it('loses the requests that are given up, and those that run when the gateway closes, each once', async () => {
    let asked = 0;
    const { agent, gateway } = await setup({ script: () => ({ silent: asked++ < 4 }) });
    await connected(gateway);
    const exchanges = Array.from({ length: 4 }, () => gateway.begin());
    const verdicts = exchanges.map((exchange) => exchange.run(requestHead()));
    await eventually(() => asked === 4, 'the calls');
    for (const [index, given] of [exchanges[1]!, exchanges[3]!].entries()) {
      given.abort('clientDisconnect');
      await eventually(() => agent.abandoned() === index + 1, 'the end of a request');
    }
    for (const index of [1, 3])
      expect(await verdicts[index]!).toMatchObject({ refusal: { error: { code: 'aborted' } } });
    expect(await gateway.begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    await gateway.directory.close(0);
    for (const index of [0, 2])
      expect(await verdicts[index]!).toMatchObject({ refusal: { error: { code: 'closed' } } });
    await eventually(() => agent.abandoned() === 4, 'the end of the others');
  });

  it('closes with the gateway', async () => {
    const { agent, gateway } = await setup();
    await gateway.begin().run(requestHead());
    await gateway.directory.close(0);
    await eventually(() => agent.connections.open === 0, 'the end of the connections');
  });
});
