// The gateway as its users run it: the published configurations with nothing changed but addresses, from a start with nothing
// listening anywhere to a trace that Clew shows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { startEnvelopeAgent } from '../packages/gateway/test/agents/envelope-agent.ts';
import { startFramedAgent } from '../packages/gateway/test/agents/framed-agent.ts';
import type { TestAgent } from '../packages/gateway/test/agents/script.ts';
import { runClew, until } from './support/clew.ts';
import { freePort, launchGateway, publishedConfig, startBackend } from './support/gateway.ts';
import type { LaunchedGateway } from './support/gateway.ts';
import { expectGolden } from './support/golden.ts';
import { awaitTrace, findTrace, tagOf } from './support/jaeger.ts';
import type { JaegerSpan, JaegerTrace } from './support/jaeger.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const inbound = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
/** Sampled whatever the sampling rate is. */
const sampled = { traceparent: `00-${inbound.traceId}-${inbound.spanId}-01` };

/** The pattern of the published rule by which Grafana links a log line to its trace. */
const grafanaRule = /"trace_id":"([a-f0-9]+)"/;

async function clewOn(grpcPort: number): Promise<LaunchedClew> {
  const clew = await launchClew({ args: ['--set', `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${grpcPort}`] });
  cleanUps.push(() => clew.close());
  return clew;
}

async function gatewayOn(text: string): Promise<LaunchedGateway> {
  const gateway = await launchGateway(text);
  cleanUps.push(() => gateway.stop());
  return gateway;
}

async function backendOn(port?: number) {
  const backend = await startBackend(port);
  cleanUps.push(() => backend.close());
  return backend;
}

/** The line of a path, once it is written. */
function lineOf(gateway: LaunchedGateway, path: string): Promise<string> {
  return until(`an access-log line of ${path}`, async () => {
    return gateway.lines().findLast((line) => line.includes(`"path":"${path}"`));
  });
}

async function metricOf(gateway: LaunchedGateway, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? NaN : Number(line.slice(name.length + 1));
}

const spanNamed = ({ spans }: JaegerTrace, name: string): JaegerSpan =>
  spans.find(({ operationName }) => operationName === name) ?? expect.fail(`no span ${name}`);
const parentOf = ({ references }: JaegerSpan): string | undefined => references[0]?.spanID;

describe.each([
  ['quick-start', 'zentinel'],
  ['quick-start-sentinel', 'sentinel'],
])('the published configuration %s', (name, service) => {
  it('works from a start with nothing listening anywhere to a trace that Clew shows', async () => {
    const [backendPort, collectorPort] = [await freePort(), await freePort()];
    const collector = `http://localhost:${collectorPort}`;
    const gateway = await gatewayOn(publishedConfig(name, { backend: `127.0.0.1:${backendPort}`, collector }));
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/api/users`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/api`)).status).toBe(404);
    expect(await metricOf(gateway, 'otel_exporter_spans_exported_total')).toBe(0);
    await until('the missing collector is said', async () => {
      return gateway.command.output.stderr.includes('Spans cannot be exported') || undefined;
    });

    const backend = await backendOn(backendPort);
    const clew = await clewOn(collectorPort);
    const response = await fetch(`${gateway.url}/api/orders?item=7`, { method: 'POST', body: '{"item": "widget"}' });
    expect([response.status, await response.text()]).toEqual([200, 'from the backend']);
    const line = await lineOf(gateway, '/api/orders');
    const traceId = grafanaRule.exec(line)?.[1] ?? expect.fail(line);
    expect(traceId).toHaveLength(32);
    expect(
      Object.keys(JSON.parse(line) as object)
        .slice(0, 6)
        .join(),
    ).toBe('timestamp,trace_id,method,path,status,duration_ms');

    const trace = await awaitTrace(clew, traceId, 2);
    const server = spanNamed(trace, 'POST /api/orders');
    const attempt = spanNamed(trace, 'POST');
    expect(trace.processes[server.processID]!.serviceName).toBe(service);
    expect(backend.seen.at(-1)!.headers['traceparent']).toBe(`00-${traceId}-${attempt.spanID}-01`);
    expect([parentOf(server), parentOf(attempt)]).toEqual([undefined, server.spanID]);
    expect(tagOf(server.tags, 'http.status_code')).toBe(200);
    expect(response.headers.get('x-correlation-id')).toBe(tagOf(server.tags, 'gateway.correlation_id'));
    await until('spans counted as exported', async () => {
      return (await metricOf(gateway, 'otel_exporter_spans_exported_total')) >= 2 || undefined;
    });
    expect(gateway.command.output.stderr).toContain('Spans are exported again.');
    expect(await gateway.stop()).toBe(0);
  });
});

describe.each([
  ['tempo', startEnvelopeAgent],
  ['tempo-sentinel', startFramedAgent],
] as const)('the published configuration %s', (name, startAgent) => {
  it('starts without its agents and shares one trace with them when they come', async () => {
    const sockets = mkdtempSync(join(tmpdir(), 'clew-agents-'));
    cleanUps.push(() => rmSync(sockets, { recursive: true, force: true }));
    const backend = await backendOn();
    const clew = await launchClew();
    cleanUps.push(() => clew.close());
    const collector = `http://127.0.0.1:${clew.ports.grpc}`;
    const gateway = await gatewayOn(publishedConfig(name, { backend: backend.address, collector, sockets }));
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);

    const agents: Record<string, TestAgent> = {};
    for (const id of ['auth', 'ratelimit']) {
      const agent = await startAgent({ address: join(sockets, `${id}.sock`) });
      cleanUps.push(() => agent.stop());
      agents[id] = agent;
    }
    await until('both agents connected', async () => {
      const state = await fetch(`${gateway.metricsUrl}/metrics`).then((response) => response.text());
      return ['auth', 'ratelimit'].every((id) => state.includes(`zentinel_agent_health{agent="${id}"} 1`)) || undefined;
    });
    expect((await fetch(`${gateway.url}/api/users`, { headers: sampled })).status).toBe(200);

    const trace = await awaitTrace(clew, inbound.traceId, 4);
    const server = spanNamed(trace, 'GET /api/users');
    expect(parentOf(server)).toBe(inbound.spanId);
    for (const [id, agent] of Object.entries(agents)) {
      const span = spanNamed(trace, `agent ${id} request_headers`);
      expect(parentOf(span)).toBe(server.spanID);
      const told = agent.seen.filter(({ payload }) => 'metadata' in payload).map(({ payload }) => payload['metadata']);
      expect(told.at(-1)).toMatchObject({
        traceparent: `00-${inbound.traceId}-${span.spanID}-01`,
        client_ip: '127.0.0.1',
        route_id: 'api',
        correlation_id: expect.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{11}$/) as string,
      });
    }
    const attempt = spanNamed(trace, 'GET');
    expect(backend.seen.at(-1)!.headers['traceparent']).toBe(`00-${inbound.traceId}-${attempt.spanID}-01`);
    expect(grafanaRule.exec(await lineOf(gateway, '/api/users'))?.[1]).toBe(inbound.traceId);
  });
});

describe('clew --gateway', () => {
  it('runs a gateway beside everything else and shows its traces', async () => {
    const [collectorPort, backend] = [await freePort(), await backendOn()];
    const folder = mkdtempSync(join(tmpdir(), 'clew-gateway-'));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const listenPort = await freePort();
    const path = join(folder, 'gateway.kdl');
    const text = publishedConfig('quick-start', {
      backend: backend.address,
      collector: `http://127.0.0.1:${collectorPort}`,
    });
    writeFileSync(path, text.replace('"127.0.0.1:0"', `"127.0.0.1:${listenPort}"`));
    const clew = await launchClew({
      args: ['--set', `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${collectorPort}`, '--gateway', path],
      env: { OTEL_BSP_SCHEDULE_DELAY: '50' },
    });
    cleanUps.push(() => clew.close());
    await until(
      'the gateway in the banner',
      async () => clew.stdout().includes(`Gateway  http://127.0.0.1:${listenPort}\n`) || undefined,
    );
    const url = `http://127.0.0.1:${listenPort}/api/users`;
    expect((await fetch(url, { headers: sampled })).status).toBe(200);
    await awaitTrace(clew, inbound.traceId, 2);
    expect(await findTrace(clew, inbound.traceId)).toBeDefined();
  });

  it('does not start with a gateway that cannot be configured', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-gateway-'));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'gateway.kdl');
    writeFileSync(path, 'listeners {');
    const { code, stderr } = await runClew(['--data', join(folder, 'data'), '--gateway', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Configuration has 1 issue')]);
  });
});

describe('clew gateway', () => {
  it('shows these metrics before the first request and after it', async () => {
    const backend = await backendOn();
    const text = publishedConfig('quick-start', { backend: backend.address, collector: 'http://127.0.0.1:9' });
    const gateway = await gatewayOn(text.replace('worker-threads 0', 'worker-threads 1'));
    const names = async (): Promise<string> => {
      const shown = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
      return shown
        .split('\n')
        .filter((line) => line.startsWith('# ') || !line.includes('le="'))
        .map(withoutValue)
        .join('\n');
    };
    const before = await names();
    await fetch(`${gateway.url}/api/users`);
    await lineOf(gateway, '/api/users');
    expectGolden('gateway-metrics.txt', `Before the first request:\n\n${before}\nAfter it:\n\n${await names()}`);
  });

  it('lets requests finish when it is told to end, and ends at once when it is told again', async () => {
    const backend = await backendOn();
    const gateway = await launchGateway(
      publishedConfig('quick-start', { backend: backend.address, collector: 'http://127.0.0.1:9' }),
    );
    const cut = fetch(`${gateway.url}/api/never`).then(
      () => 'answered',
      () => 'cut',
    );
    await until('the request is on its way', async () => backend.seen.length > 0 || undefined);
    const { process, output, ended } = gateway.command;
    process.kill('SIGTERM');
    await until('the gateway heard of it', async () => output.stderr.includes('The gateway stops.') || undefined);
    expect((await fetch(`${gateway.metricsUrl}/ready`)).status).toBe(503);
    expect(process.exitCode).toBe(null);
    process.kill('SIGTERM');
    expect([(await ended).code, await cut]).toEqual([130, 'cut']);
  });
});

/** Values differ from run to run; the time of requests decides into which sums they fall. */
function withoutValue(line: string): string {
  return line.startsWith('# ') ? line : line.replace(/ \S+$/, '').replace(/127\.0\.0\.1:\d+/g, 'ADDRESS');
}
