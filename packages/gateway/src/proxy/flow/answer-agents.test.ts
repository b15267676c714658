import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import { removeSocketPaths } from '../../../test/agents/script.ts';
import type { Script, SeenEvent, TestAgent } from '../../../test/agents/script.ts';
import { eventually, onEnd, send, startGateway } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';

const PAGE_BYTES = 200_000;
const page = 'p'.repeat(PAGE_BYTES);
const responses = '"response_headers" "response_body"';

/** A gateway whose routes answer themselves, and an agent that looks at what they answer. */
async function setup(
  script: Script,
  events = responses,
  settings = 'max-response-body-bytes 1000000',
): Promise<{ readonly gateway: TestGateway; readonly agent: TestAgent }> {
  const agent = await startFramedAgent({ script });
  onEnd(removeSocketPaths);
  onEnd(() => agent.stop());
  const root = mkdtempSync(join(tmpdir(), 'answer-agents-'));
  onEnd(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'page.bin'), page);
  writeFileSync(join(root, 'ten.bin'), '0123456789');
  const gateway = await startGateway(
    `routes {
       route "files" { matches { path-prefix "/files/" }; static-files { root "${root}" }; agents "a" }
       route "health" { matches { path "/health" }; builtin-handler "health"; agents "a" }
       route "missing" { matches { path "/missing" }; builtin-handler "not-found"; agents "a" }
     }
     agents { agent "a" { unix-socket "${agent.address}"; events ${events}; timeout-ms 5000; ${settings} } }`,
  );
  await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
  return { gateway, agent };
}

const told = (agent: TestAgent, type: string): SeenEvent[] => agent.seen.filter((event) => event.type === type);
const dataOf = (event: SeenEvent): string => Buffer.from(String(event.payload['data']), 'base64').toString();
const mutation = (text: string) => ({
  extra: { response_body_mutation: { data: Buffer.from(text).toString('base64'), chunk_index: 0 } },
});

describe('agents that look at responses, on routes the gateway answers itself', () => {
  it.each([
    ['/files/ten.bin', 451],
    ['/health', 451],
    ['/missing', 451],
  ])('may refuse the head of %s', async (path, status) => {
    const { gateway, agent } = await setup(({ type }) =>
      type === 'response_headers' ? { block: { status, body: 'not for you' } } : {},
    );
    expect(await send(gateway, path)).toMatchObject({ status, body: 'not for you' });
    expect(told(agent, 'response_body')).toEqual([]);
    expect(await gateway.recorder.exchange()).toMatchObject({ blockedByAgent: 'a', answeredBy: 'agent', status });
  });

  it('may refuse a body after having seen all of it, with an answer of their own', async () => {
    const { gateway, agent } = await setup(({ type, payload }) =>
      type === 'response_body' && payload['is_last'] === true ? { block: { status: 452 } } : {},
    );
    expect((await send(gateway, '/files/page.bin')).status).toBe(452);
    expect(told(agent, 'response_body').map(dataOf).join('')).toBe(page);
  });

  it('cut a response off when they refuse what follows its beginning', async () => {
    const { gateway } = await setup(
      ({ type, payload }) =>
        type === 'response_body' && payload['is_last'] === true ? { block: { status: 452 } } : {},
      '"response_body"',
      'response-body-mode "stream"; max-response-body-bytes 1000000',
    );
    await expect(send(gateway, '/files/page.bin')).rejects.toThrow(/aborted|hang up|reset/i);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 200, end: 'cut', blocked: 'agent_blocked' });
  });

  it.each([
    ['open', 200],
    ['closed', 413],
  ])('that cannot take so large a body: failure mode %s gives %d', async (mode, status) => {
    const { gateway } = await setup(() => ({}), responses, `failure-mode "${mode}"; max-response-body-bytes 1000`);
    const { status: given, body } = await send(gateway, '/files/page.bin');
    expect([given, body === page]).toEqual([status, status === 200]);
  });

  it.each([
    ['open', 200],
    ['closed', 504],
  ])('that are silent: failure mode %s gives %d', async (mode, status) => {
    const { gateway } = await setup(
      ({ type }) => (type === 'response_headers' ? { silent: true } : {}),
      responses,
      `failure-mode "${mode}"; timeout-ms 50`,
    );
    expect((await send(gateway, '/health')).status).toBe(status);
  });

  it('are told status and headers as the client would get them, and may change headers', async () => {
    const { gateway, agent } = await setup(({ type }) =>
      type === 'response_headers' ? { responseHeaders: [{ operation: 'set', name: 'X-Looked-At', value: 'yes' }] } : {},
    );
    const response = await send(gateway, '/files/ten.bin');
    expect(response).toMatchObject({ status: 200, body: '0123456789', headers: { 'x-looked-at': 'yes' } });
    expect(response.headers['content-length']).toBeUndefined();
    const [head] = told(agent, 'response_headers');
    expect(head!.payload['status']).toBe(200);
    expect(JSON.stringify(head!.payload['headers'])).toMatch(/content-length":\["10"\]/i);
    expect(JSON.stringify(head!.payload['headers'])).toMatch(/x-correlation-id/i);
    expect(told(agent, 'response_body').map(dataOf).join('')).toBe('0123456789');
    expect(await gateway.recorder.exchange()).toMatchObject({ answeredBy: 'static', responseBodyBytes: 10 });
  });

  it('may replace a body', async () => {
    const { gateway } = await setup(({ type }) => (type === 'response_body' ? mutation('something else') : {}));
    expect(await send(gateway, '/health')).toMatchObject({ status: 200, body: 'something else' });
    expect(await gateway.recorder.exchange()).toMatchObject({ answeredBy: 'builtin' });
  });

  it('let large files pass piece by piece where they stream', async () => {
    const { gateway, agent } = await setup(
      () => ({}),
      responses,
      'response-body-mode "stream"; max-response-body-bytes 1000000',
    );
    expect((await send(gateway, '/files/page.bin')).body).toBe(page);
    expect(told(agent, 'response_body').length).toBeGreaterThan(2);
  });

  it('see no body where there is none', async () => {
    const { gateway, agent } = await setup(() => ({}));
    const { status, headers } = await send(gateway, '/files/ten.bin', { method: 'HEAD' });
    expect([status, headers['content-length']]).toEqual([200, '10']);
    expect(told(agent, 'response_headers')).toHaveLength(1);
    expect(told(agent, 'response_body')).toEqual([]);
  });

  it('are not shown what the gateway says when it has no answer', async () => {
    const { gateway, agent } = await setup(() => ({ block: { status: 451 } }));
    expect((await send(gateway, '/files/none.bin')).status).toBe(404);
    expect(agent.seen.map(({ type }) => type)).not.toContain('response_headers');
  });

  it('hear of the end of a request like on every route', async () => {
    const { gateway, agent } = await setup(() => ({}));
    await send(gateway, '/health');
    await eventually(() => told(agent, 'request_complete').length > 0, 'the end of the request');
    expect(told(agent, 'request_complete')[0]!.payload).toMatchObject({ status: 200, upstream_attempts: 0 });
  });

  it('do not outlive a client that goes away', async () => {
    const { gateway, agent } = await setup(({ type }) => (type === 'response_headers' ? { silent: true } : {}));
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET /files/page.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => told(agent, 'response_headers').length > 0, 'the call');
    socket.destroy();
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
    expect(gateway.recorder.callsEnded).toBe(1);
  });
});
