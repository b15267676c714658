import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nodeConfigIo } from '../config/node-io.ts';
import { startCollector } from '../telemetry/test/collector.ts';
import { GatewayProgram } from './gateway-program.ts';
import { gatewayCommand } from './run.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const waitFor = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000, interval: 20 });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'clew-gateway-'));
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A backend that answers with its name and remembers what it was sent. */
async function backend(name: string) {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return { seen, port: (server.address() as AddressInfo).port };
}

interface Settings {
  readonly upstreamPort: number;
  readonly collectorPort?: number;
  readonly threads?: number;
  readonly samplingRate?: number;
  readonly spanName?: string;
  readonly accessLog?: string;
  readonly autoReload?: boolean;
  readonly listenPort?: number;
  readonly metricsPort?: number;
}

function configText(settings: Settings): string {
  return `
system {
    worker-threads ${settings.threads ?? 1}
    graceful-shutdown-timeout-secs 5
    auto-reload #${settings.autoReload ?? false}
}
listeners { listener "http" { address "127.0.0.1:${settings.listenPort ?? 0}"; protocol "http" } }
routes {
    route "api" { matches { path-prefix "/api/" }; upstream "backend" }
    route "health" { priority 1000; matches { path "/health" }; service-type "builtin"; builtin-handler "health" }
}
upstreams { upstream "backend" { target "127.0.0.1:${settings.upstreamPort}" } }
observability {
    tracing {
        backend "otlp" { endpoint "http://127.0.0.1:${settings.collectorPort ?? 9}" }
        sampling-rate ${(settings.samplingRate ?? 1).toFixed(2)}
        span-name "${settings.spanName ?? 'path'}"
    }
    logging { access-log { enabled #true; file "${settings.accessLog}" } }
    metrics { address "127.0.0.1:${settings.metricsPort ?? 0}" }
}
`;
}

/** A gateway that runs, with the ways to look at it. */
async function gatewayWith(settings: Settings) {
  const directory = folder();
  const path = join(directory, 'gateway.kdl');
  const accessLog = join(directory, 'logs', 'access.log');
  const write = (change: Partial<Settings> = {}): void => {
    writeFileSync(path, configText({ accessLog, ...settings, ...change }));
  };
  write();
  const said: string[] = [];
  const io = { ...nodeConfigIo, env: { OTEL_BSP_SCHEDULE_DELAY: '20' } };
  const program = new GatewayProgram({ path, io, version: '1.2.3', stderr: (text) => void said.push(text) });
  cleanUps.push(() => program.stop());
  await program.start();
  const url = `http://127.0.0.1:${program.ports.listeners['http']}`;
  const metricsUrl = `http://127.0.0.1:${program.ports.metrics}`;
  const metrics = async (): Promise<string> => (await fetch(`${metricsUrl}/metrics`)).text();
  const value = async (name: string): Promise<number> => {
    const line = (await metrics()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return line === undefined ? NaN : Number(line.slice(name.length + 1));
  };
  const accessLines = (): Record<string, unknown>[] =>
    readFileSync(accessLog, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { program, path, write, said, url, metricsUrl, metrics, value, accessLog, accessLines };
}

const body = async (url: string): Promise<string> => (await fetch(url)).text();

describe('a running gateway', () => {
  it('shows one trace id to the collector, the backend and the log, and the ids it sent are those of its spans', async () => {
    const { port, seen } = await backend('one');
    const collector = await startCollector();
    cleanUps.push(() => collector.close());
    const gateway = await gatewayWith({ upstreamPort: port, collectorPort: collector.port });
    expect(await body(`${gateway.url}/api/x`)).toBe('one');
    const spans = await waitFor(() => {
      expect(collector.spans).toHaveLength(2);
      return collector.spans;
    });
    const server = spans.find(({ kind }) => kind === 2)!;
    const client = spans.find(({ kind }) => kind === 3)!;
    expect(seen[0]!['traceparent']).toBe(`00-${server.traceId}-${client.spanId}-01`);
    expect(client.parentSpanId).toBe(server.spanId);
    const line = await waitFor(() => gateway.accessLines()[0] ?? expect.fail('no line'));
    expect(line).toMatchObject({ trace_id: server.traceId, span_id: server.spanId, status: 200, route_id: 'api' });
    expect(await gateway.value('otel_exporter_spans_exported_total')).toBe(2);
  });

  it('names spans by paths, or by patterns of routes once it is told to', async () => {
    const { port } = await backend('one');
    const collector = await startCollector();
    cleanUps.push(() => collector.close());
    const gateway = await gatewayWith({ upstreamPort: port, collectorPort: collector.port });
    await body(`${gateway.url}/api/x`);
    gateway.write({ spanName: 'route' });
    await gateway.program.reload();
    await body(`${gateway.url}/api/x`);
    const names = (): string[] => collector.spans.filter(({ kind }) => kind === 2).map(({ name }) => name);
    await waitFor(() => expect(names()).toEqual(['GET /api/x', 'GET /api/']));
  });

  it('serves what it can when nothing else is there, and says what is missing', async () => {
    const gateway = await gatewayWith({ upstreamPort: 9 });
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/api/x`)).status).toBe(503);
    await waitFor(() => expect(gateway.said.join('')).toContain('Spans cannot be exported'));
    expect(await gateway.value('otel_exporter_spans_exported_total')).toBe(0);
  });

  it('looks like one gateway with several threads', async () => {
    const { port } = await backend('one');
    const gateway = await gatewayWith({ upstreamPort: port, threads: 3 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const response = await fetch(`${gateway.url}/api/x`, { headers: { connection: 'close' } });
        return response.text();
      }),
    );
    expect(new Set(answers)).toEqual(new Set(['one']));
    await waitFor(async () => {
      expect(await gateway.value('zentinel_requests_total{route="api",method="GET",status="200"}')).toBe(60);
    });
    expect(await gateway.value('zentinel_up')).toBe(1);
    expect(await gateway.value('zentinel_upstream_healthy_backends{upstream="backend"}')).toBe(1);
    await waitFor(() => expect(gateway.accessLines()).toHaveLength(60));
    const instances = new Set(gateway.accessLines().map((line) => line['instance_id']));
    expect(instances.size).toBe(1);
    expect(gateway.said.filter((line) => line.includes('"Listening."'))).toHaveLength(1);
    gateway.write({ samplingRate: 0 });
    await gateway.program.reload();
    expect(await gateway.value('zentinel_config_reload_total{result="success"}')).toBe(1);
    expect(await gateway.program.stop()).toBe(true);
    expect(gateway.accessLines()).toHaveLength(60);
  });

  it('keeps its configuration when a new one is wrong, and says why', async () => {
    const { port } = await backend('one');
    const gateway = await gatewayWith({ upstreamPort: port });
    writeFileSync(gateway.path, 'routes { route "x" { upstream "nowhere" } }');
    await gateway.program.reload();
    expect(gateway.said.join('')).toContain('nowhere');
    expect(await gateway.value('zentinel_config_reload_total{result="failure"}')).toBe(1);
    expect(await body(`${gateway.url}/api/x`)).toBe('one');
  });

  it('does nothing on a reload that changes nothing', async () => {
    const { port } = await backend('one');
    const gateway = await gatewayWith({ upstreamPort: port });
    writeFileSync(gateway.path, `// a remark\n${readFileSync(gateway.path, 'utf8')}`);
    await gateway.program.reload();
    expect(gateway.said.join('')).toContain('has not changed');
    expect(await gateway.value('zentinel_config_reload_total{result="success"}')).toBe(0);
  });

  it('takes a new upstream and says what needs a restart', async () => {
    const [first, second] = [await backend('one'), await backend('two')];
    const gateway = await gatewayWith({ upstreamPort: first.port });
    expect(await body(`${gateway.url}/api/x`)).toBe('one');
    gateway.write({ upstreamPort: second.port, listenPort: 1 });
    await gateway.program.reload();
    expect(await body(`${gateway.url}/api/x`)).toBe('two');
    expect(gateway.said.join('')).toMatch(/restart.*listeners/);
  });

  it('notices by itself that its file was replaced', async () => {
    const [first, second] = [await backend('one'), await backend('two')];
    const gateway = await gatewayWith({ upstreamPort: first.port, autoReload: true });
    const aside = `${gateway.path}.new`;
    writeFileSync(aside, readFileSync(gateway.path, 'utf8').replace(String(first.port), String(second.port)));
    renameSync(aside, gateway.path);
    await waitFor(async () => expect(await body(`${gateway.url}/api/x`)).toBe('two'));
  });

  it('goes on in a new log file once it was told', async () => {
    const { port } = await backend('one');
    const gateway = await gatewayWith({ upstreamPort: port });
    await body(`${gateway.url}/api/1`);
    await waitFor(() => expect(gateway.accessLines()).toHaveLength(1));
    renameSync(gateway.accessLog, `${gateway.accessLog}.1`);
    gateway.program.reopenLogs();
    await body(`${gateway.url}/api/2`);
    await waitFor(() => expect(gateway.accessLines()).toMatchObject([{ path: '/api/2' }]));
  });

  it('answers on its metrics listener', async () => {
    const gateway = await gatewayWith({ upstreamPort: 9 });
    const get = (path: string, method = 'GET') => fetch(`${gateway.metricsUrl}${path}`, { method });
    const metrics = await get('/metrics');
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(await (await get('/')).text()).toContain('href="/metrics"');
    expect([(await get('/health')).status, (await get('/ready')).status]).toEqual([200, 200]);
    const missing = await get('/nothing');
    expect([missing.status, await missing.text()]).toEqual([404, 'Not Found\n']);
    const head = await get('/metrics', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get('/metrics', 'POST')).status).toBe(405);
  });

  it('lets running requests finish when it stops, is not ready meanwhile, and loses no line', async () => {
    const release = Promise.withResolvers<void>();
    const slow = createServer((_request, response) => void release.promise.then(() => response.end('late')));
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => slow.close());
    const gateway = await gatewayWith({ upstreamPort: (slow.address() as AddressInfo).port });
    const running = body(`${gateway.url}/api/slow`);
    await waitFor(async () => expect(await gateway.value('zentinel_active_requests')).toBe(1));
    const stopping = gateway.program.stop();
    await waitFor(async () => expect((await fetch(`${gateway.metricsUrl}/ready`)).status).toBe(503));
    await expect(fetch(`${gateway.url}/health`)).rejects.toThrow();
    release.resolve();
    expect(await running).toBe('late');
    expect(await stopping).toBe(true);
    expect(gateway.accessLines()).toMatchObject([{ path: '/api/slow', status: 200 }]);
  });

  it('goes on without metrics when their address is taken', async () => {
    const taken = await backend('other');
    const gateway = await gatewayWith({ upstreamPort: 9, metricsPort: taken.port });
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(gateway.said.join('')).toContain('Metrics cannot be served');
  });
});

describe('the gateway command', () => {
  /** Runs it to its end. */
  async function run(text: string | undefined, action: 'run' | 'test' = 'run') {
    const out: string[] = [];
    const path = join(folder(), 'gateway.kdl');
    if (text !== undefined) writeFileSync(path, text);
    const code = await gatewayCommand(
      { action, ...(text === undefined ? {} : { config: path }) },
      {
        io: { ...nodeConfigIo, env: {} },
        version: '1.2.3',
        stdout: (line) => void out.push(line),
        stderr: (line) => void out.push(line),
        signal: AbortSignal.abort(),
      },
    );
    return { code, out: out.join('') };
  }

  it('ends with 1 and a report when the configuration is wrong', async () => {
    const { code, out } = await run('listeners {');
    expect([code, out]).toEqual([1, expect.stringContaining('Configuration has 1 issue')]);
  });

  it('ends with 1 when no configuration is named', async () => {
    expect(await run(undefined)).toEqual({ code: 1, out: expect.stringContaining('CLEW_GATEWAY_CONFIG') as string });
  });

  it.each([1, 2])('ends with 2 and the holder when a port is taken, with %i threads', async (threads) => {
    const { port } = await backend('other');
    const { code, out } = await run(configText({ upstreamPort: 9, listenPort: port, threads, accessLog: '/dev/null' }));
    expect([code, out]).toEqual([2, expect.stringContaining(String(port))]);
  });

  it('ends with 0 when it was told to stop', async () => {
    expect((await run(configText({ upstreamPort: 9, accessLog: '/dev/null' }))).code).toBe(0);
  });

  it('tests a configuration without starting anything', async () => {
    const { code, out } = await run(configText({ upstreamPort: 9, accessLog: '/dev/null' }), 'test');
    expect([code, out]).toEqual([0, expect.stringContaining('is valid: 1 listener, 2 routes, 1 upstream')]);
  });
});
