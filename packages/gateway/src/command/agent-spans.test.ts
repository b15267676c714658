// What traces tell of agents, as a collector gets it.
import { describe, expect, it } from 'vitest';
import { onEnd, startBackend, startProgram, waitFor } from '../../test/command/harness.ts';
import { startGrpcAgent } from '../../test/agents/grpc-agent.ts';
import type { Script } from '../../test/agents/script.ts';
import { attributesOf, startCollector } from '../telemetry/test/collector.ts';

const SERVER = 2;
const ERROR = 2;

/** The spans of one request through a gateway with a gRPC agent that may not fail. */
async function traceOf(script: Script, settings = 'timeout-ms 20000') {
  const agent = await startGrpcAgent({ script });
  onEnd(() => agent.stop());
  const backend = await startBackend();
  const collector = await startCollector();
  onEnd(() => collector.close());
  const { program, url } = await startProgram(
    `
system { worker-threads 1 }
listeners { listener "http" { address "127.0.0.1:0" } }
routes { route "r" { matches { path-prefix "/" }; upstream "b"; agents "auth" } }
agents { agent "auth" { grpc "http://${agent.address}"; failure-mode "closed"; ${settings} } }
upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }
observability {
  metrics { address "127.0.0.1:0" }
  tracing { backend "otlp" { endpoint "http://127.0.0.1:${collector.port}" }; sampling-rate 1 }
  logging { error-log { enabled #false } }
}`,
    { OTEL_BSP_SCHEDULE_DELAY: '20' },
  );
  await waitFor(async () => {
    const shown = await (await fetch(`http://127.0.0.1:${program.ports.metrics}/metrics`)).text();
    expect(shown).toContain('zentinel_agent_health{agent="auth"} 1');
  });
  const { status } = await fetch(`${url}x`);
  const server = await waitFor(() => collector.spans.find(({ kind }) => kind === SERVER) ?? expect.fail('no span'));
  const call = await waitFor(
    () => collector.spans.find(({ name }) => name === 'agent auth request_headers') ?? expect.fail('no span'),
  );
  expect([call.traceId, call.parentSpanId]).toEqual([server.traceId, server.spanId]);
  return { status, server, call };
}

describe('the span of a call', () => {
  it('says which agent, over what, about what and what it decided', async () => {
    const { status, server, call } = await traceOf(() => ({}));
    expect(status).toBe(200);
    expect(attributesOf(call)).toEqual({
      'gateway.agent.id': 'auth',
      'gateway.agent.event': 'request_headers',
      'gateway.agent.decision': 'allow',
      'gateway.agent.transport': 'grpc',
      'gateway.agent.failure_mode': 'closed',
    });
    expect([call.statusCode, server.statusCode, server.events]).toEqual([0, 0, []]);
  });

  it('is no failure when the agent says no', async () => {
    const { status, server, call } = await traceOf(() => ({ block: { status: 403 } }));
    expect(status).toBe(403);
    expect(attributesOf(call)).toMatchObject({ 'gateway.agent.decision': 'block' });
    expect([call.statusCode, server.statusCode, server.events]).toEqual([0, 0, []]);
    expect(attributesOf(server)).not.toHaveProperty('error.type');
  });
});

describe('a request that an agent failed', () => {
  it('is an error that names the agent, and so is the call', async () => {
    const { status, server, call } = await traceOf(() => ({ silent: true }), 'timeout-ms 100');
    expect(status).toBe(504);
    expect(attributesOf(server)).toMatchObject({ 'error.type': 'Agent', 'http.status_code': 504n });
    expect([server.statusCode, server.statusMessage]).toEqual([ERROR, 'HTTP 504']);
    expect(server.events).toHaveLength(1);
    const [event] = server.events;
    expect(event!.name).toBe('exception');
    expect(attributesOf(event!)['exception.message']).toMatch(/^agent auth failed: /);
    expect(attributesOf(call)).toMatchObject({ 'gateway.agent.id': 'auth', 'error.type': 'timeout' });
    expect(attributesOf(call)).not.toHaveProperty('gateway.agent.decision');
    expect([call.statusCode, call.statusMessage]).toEqual([ERROR, expect.stringContaining('100 ms')]);
  });
});
