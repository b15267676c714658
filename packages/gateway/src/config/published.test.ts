import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { memoryIo } from '../test/load-text.ts';
import { loadGatewayConfig } from './load.ts';
import type { GatewayConfig } from './model.ts';
import { testReport } from './report.ts';

/** A configuration as it would be handed on, for people to read in a diff. */
function asJson(config: GatewayConfig): string {
  const plain = (_key: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  return `${JSON.stringify(config, plain, 2)}\n`;
}

async function load(name: string) {
  const text = await readFile(new URL(`testdata/${name}.kdl`, import.meta.url), 'utf8');
  return loadGatewayConfig({ text, name: `${name}.kdl` }, memoryIo({}));
}

describe('the published configurations', () => {
  it.each(['quick-start', 'tempo', 'quick-start-sentinel', 'tempo-sentinel'])(
    'load without a word: %s',
    async (name) => {
      const { config, problems } = await load(name);
      expect(problems).toEqual([]);
      await expect(asJson(config!)).toMatchFileSnapshot(`testdata/${name}.json`);
    },
  );

  it('mean what their authors say', async () => {
    const { config } = await load('tempo');
    const [api, health] = config!.routes;
    expect(api).toMatchObject({
      id: 'api',
      priority: 100,
      conditions: { paths: [{ kind: 'prefix', value: '/api/' }] },
      destination: { kind: 'upstream', upstream: 'api-backend' },
      agents: ['auth', 'ratelimit'],
      serviceType: 'web',
    });
    expect(health).toMatchObject({ priority: 1000, destination: { kind: 'builtin', handler: 'health' } });
    expect(config!.agents.get('auth')).toMatchObject({
      transport: { kind: 'unix', path: '/var/run/zentinel/auth.sock' },
      timeoutMs: 50,
      failureMode: 'open',
    });
    expect(config!.upstreams.get('api-backend')?.healthCheck).toMatchObject({
      probe: { kind: 'http', path: '/health', expectedStatuses: [200] },
      intervalMs: 10_000,
    });
    expect(config!.observability.tracing).toMatchObject({
      backend: { kind: 'otlp', endpoint: 'http://tempo:4317' },
      samplingRate: 0.1,
      serviceName: 'zentinel',
    });
    expect(config!.observability.metrics.address).toEqual({ host: '0.0.0.0', port: 9090 });
  });

  it('are reported as valid with their counts', async () => {
    expect(testReport('/etc/zentinel.kdl', await load('tempo'))).toEqual({
      text: 'Configuration /etc/zentinel.kdl is valid: 1 listener, 2 routes, 1 upstream, 2 agents, 0 filters\n',
      exitCode: 0,
    });
  });

  it.each([
    ['backend "otlp" { endpoint "http://jaeger:4317" }\n sampling-rate 1.0\n service-name "zentinel-dev"', 1],
    ['backend "otlp" { endpoint "http://tempo:4317" }\n sampling-rate 0.05\n service-name "zentinel-prod"', 0.05],
    ['backend "otlp" { endpoint "http://tempo:4317" }\n sampling-rate 1', 1],
  ])('allow the tracing fragment %#', async (inside, rate) => {
    const text = `system {}\nlisteners { listener "a" { address "127.0.0.1:1" } }\nobservability { tracing {\n${inside}\n} }`;
    const { config, problems } = await loadGatewayConfig({ text, name: 'f.kdl' }, memoryIo({}));
    expect(problems).toEqual([]);
    expect(config?.observability.tracing?.samplingRate).toBe(rate);
  });
});
