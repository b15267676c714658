// Agents that a route calls by filters, where filter and route have a say in how.
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import type { Script, TestAgent } from '../../../test/agents/script.ts';
import { removeSocketPaths, socketPath } from '../../../test/agents/script.ts';
import { eventually, onEnd, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';

interface Settings {
  readonly filter?: string;
  readonly policies?: string;
  readonly agent?: string;
}

/** A gateway with an agent at `address` that wants to know everything. */
async function gatewayFor(address: string, { filter = '', policies = '', agent = '' }: Settings): Promise<TestGateway> {
  const backend = await startBackend((request, response) => {
    request.resume();
    request.on('end', () => response.end('backend'));
  });
  return startGateway(`
    routes { route "r" { matches { path-prefix "/" }; upstream "b"; filters "f"; policies { ${policies} } } }
    filters { filter "f" { type "agent"; agent "a"; ${filter} } }
    agents {
      agent "a" {
        unix-socket "${address}"
        events "request_headers" "request_body" "response_headers" "response_body"
        timeout-ms 20000
        ${agent}
      }
    }
    upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
}

async function setUp(
  settings: Settings,
  script: Script = () => ({}),
): Promise<{ gateway: TestGateway; agent: TestAgent }> {
  const agent = await startFramedAgent({ script });
  onEnd(removeSocketPaths);
  onEnd(() => agent.stop());
  const gateway = await gatewayFor(agent.address, settings);
  await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
  return { gateway, agent };
}

describe('an agent of a filter that cannot be asked', () => {
  it.each([
    ['by default, though agents themselves default to open', {}, 503],
    ['with policies that say so', { policies: 'failure-mode "closed"', agent: 'failure-mode "open"' }, 503],
    ['with policies that leave it out', { policies: 'failure-mode "open"', agent: 'failure-mode "closed"' }, 200],
    ['with a filter that leaves it out', { filter: 'failure-mode "open"', policies: 'failure-mode "closed"' }, 200],
    ['with a filter that does not', { filter: 'failure-mode "closed"', policies: 'failure-mode "open"' }, 503],
  ])('%s: %j gives %i', async (_which, settings, status) => {
    const gateway = await gatewayFor(socketPath(), settings);
    onEnd(removeSocketPaths);
    expect((await send(gateway, '/')).status).toBe(status);
    const { failure } = await gateway.recorder.exchange();
    expect(failure?.type).toBe(status === 503 ? 'Agent' : undefined);
  });
});

describe('an agent of a filter', () => {
  const both = ['request_headers', 'request_body', 'response_headers', 'response_body'];
  it.each([
    ['inspect-body #true', both],
    ['', ['request_headers', 'response_headers']],
    ['inspect-body #true; phase "request"', ['request_headers', 'request_body']],
    ['inspect-body #true; phase "response"', ['response_headers', 'response_body']],
    ['inspect-body #true; phase "both"', both],
    ['phase "response"', ['response_headers']],
  ])('with %j is asked about %j', async (filter, events) => {
    const { gateway, agent } = await setUp({ filter });
    const response = await send(gateway, '/', { method: 'POST', body: 'asked' });
    expect(response).toMatchObject({ status: 200, body: 'backend' });
    const asked = agent.seen.map(({ type }) => type.replace('_chunk', '')).filter((type) => both.includes(type));
    expect([...new Set(asked)]).toEqual(events);
  });

  it('has the time that the filter gives it, not its own', async () => {
    const { gateway } = await setUp({ filter: 'timeout-ms 50' }, () => ({ silent: true }));
    expect((await send(gateway, '/')).status).toBe(504);
    expect((await gateway.recorder.exchange()).agentCalls[0]!.end).toMatchObject({ errorType: 'timeout' });
  });

  it('is shown no larger bodies than the filter says', async () => {
    const { gateway, agent } = await setUp({ filter: 'inspect-body #true; max-body-bytes 10' });
    const refused = await send(gateway, '/', { method: 'POST', body: 'x'.repeat(11) });
    expect(refused.status).toBe(413);
    expect((await gateway.recorder.exchange()).failure!.message).toContain(
      'the request body is 11 bytes long; the filter allows 10, raise its max-body-bytes to allow more',
    );
    expect(agent.seen.some(({ type }) => type.startsWith('request_body'))).toBe(false);
    expect((await send(gateway, '/', { method: 'POST', body: 'x'.repeat(10) })).status).toBe(200);
  });
});
