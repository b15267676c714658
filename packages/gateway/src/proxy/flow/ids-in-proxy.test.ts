// The ids that a request has on its way, as clients, backends and agents see them.
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import { removeSocketPaths } from '../../../test/agents/script.ts';
import { eventually, onEnd, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import { RatioTraceStarter } from '../../telemetry/spans/trace-starter.ts';

const routes = (port: number, more = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }`;

describe('correlation ids', () => {
  it.each([
    ['', /^[1-9A-HJ-NP-Za-km-z]{11}$/],
    ['trace-id-format "tinyflake"', /^[1-9A-HJ-NP-Za-km-z]{11}$/],
    ['trace-id-format "uuid"', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ])('with %j are %s, the same for client and backend', async (setting, form) => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(`system { ${setting} }\n${routes(backend.port)}`);
    const ids: unknown[] = [];
    for (let n = 0; n < 2; n++) {
      const told = (await send(gateway, '/')).headers['x-correlation-id'];
      expect(told).toMatch(form);
      expect(backend.requests[n]!.headers).toMatchObject({ 'x-correlation-id': told, 'x-trace-id': told });
      ids.push(told);
    }
    expect(ids[0]).not.toBe(ids[1]);
    // One that comes along stays, whatever its form.
    const headers = { 'X-Request-Id': 'mine' };
    expect((await send(gateway, '/', { headers })).headers['x-correlation-id']).toBe('mine');
  });
});

describe('the decision about a trace', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const parent = (flags: string): string => `00-${traceId}-b7ad6b7169203331-${flags}`;

  it.each([
    ['a rate of 0', 0, undefined, '00'],
    ['a rate of 1', 1, undefined, '01'],
    ['a rate of 1 and an inbound no', 1, parent('00'), '00'],
    ['a rate of 0 and an inbound yes', 0, parent('01'), '01'],
  ])('of %s goes on to backend and agent, whatever it is', async (_what, rate, inbound, flags) => {
    const agent = await startFramedAgent({ script: () => ({}) });
    onEnd(removeSocketPaths);
    onEnd(() => agent.stop());
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(
      `${routes(backend.port, 'agents "a"')}\nagents { agent "a" { unix-socket "${agent.address}"; timeout-ms 20000 } }`,
      { traceStarter: () => new RatioTraceStarter(rate) },
    );
    await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
    await send(gateway, '/', { headers: inbound === undefined ? {} : { traceparent: inbound } });
    const { trace, attempts, agentCalls } = await gateway.recorder.exchange();
    if (inbound !== undefined) expect(trace.traceId).toBe(traceId);
    const shown = (spanId: string): string => `00-${trace.traceId}-${spanId}-${flags}`;
    expect(backend.requests[0]!.headers['traceparent']).toBe(shown(attempts[0]!.spanId));
    const head = agent.seen.find(({ type }) => type === 'request_headers')!;
    expect(head.payload['metadata']).toMatchObject({ traceparent: shown(agentCalls[0]!.spanId) });
    expect(new Set([trace.spanId, attempts[0]!.spanId, agentCalls[0]!.spanId]).size).toBe(3);
  });
});
