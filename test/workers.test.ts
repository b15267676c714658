// Clew with several threads that receive: from outside it is one program, and what it acknowledged is stored exactly once even when
// such a thread ends under load.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { fromPlainValue } from '@clew/pipeline';
import { launchClew, freePorts } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { Program } from '../packages/clew/src/program/program.ts';
import { spawnEdgeWorker } from '../packages/clew/src/workers/edge-thread.ts';
import { exited, metric, runClew, settled, until } from './support/clew.ts';
import { exchange, framed, openSession } from './support/grpc.ts';
import { awaitTrace } from './support/jaeger.ts';
import { startLoad } from './support/load.ts';
import { asProtobuf, postJson, requestOf, traceIdOf } from './support/otlp-json.ts';
import { httpExchange } from './support/raw.ts';
import { storedRows } from './support/stored-rows.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-workers-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return folder;
}

async function launch(workers: string): Promise<LaunchedClew> {
  const clew = await launchClew({ directory: newFolder(), args: ['--workers', workers] });
  cleanups.push(async () => {
    clew.process.kill('SIGKILL');
    await exited(clew.process);
  });
  return clew;
}

/** Sends one trace in one of the ways clients do, on a connection of its own. */
async function send(clew: LaunchedClew, traceId: string, way: number): Promise<void> {
  const request = requestOf('shop', [traceId]);
  const body = asProtobuf(request);
  if (way % 3 === 0) {
    const session = await openSession(clew.ports.grpc);
    try {
      expect((await exchange(session, framed(body))).grpcStatus).toBe('0');
    } finally {
      session.destroy();
    }
    return;
  }
  const json = way % 3 === 1;
  const answer = await httpExchange(
    clew.ports.http,
    { headers: { 'content-type': json ? 'application/json' : 'application/x-protobuf' } },
    json ? Buffer.from(JSON.stringify(request)) : body,
  );
  expect(answer.status).toBe(200);
}

describe('Clew with two workers', () => {
  it('is one program from outside: spans, counts, status, reload and end', async () => {
    const clew = await launch('2');
    const ids = Array.from({ length: 90 }, (_, index) => traceIdOf(60, index));
    await Promise.all(ids.map((id, index) => send(clew, id, index)));
    for (const id of [ids[0]!, ids[1]!, ids[2]!]) await awaitTrace(clew, id);
    expect(await metric(clew, 'otelcol_receiver_accepted_spans')).toBe(90);
    expect(await metric(clew, 'otelcol_receiver_accepted_spans', { transport: 'grpc' })).toBe(30);
    expect(await metric(clew, 'otelcol_exporter_sent_spans')).toBe(90);
    expect(await metric(clew, 'clew_workers_running')).toBe(2);
    const status = await until('a status that counts all', async () => {
      const answer = (await (await fetch(`${clew.queryUrl}/api/clew/v1/status`)).json()) as Status;
      return answer.ingest.acceptedSpansTotal === 90 ? answer : undefined;
    });
    const address = (port: number) => `127.0.0.1:${port}`;
    expect(status.receivers.map((receiver) => [receiver.protocol, receiver.address])).toEqual([
      ['otlp_http', address(clew.ports.http)],
      ['otlp_grpc', address(clew.ports.grpc)],
      ['jaeger_grpc', address(clew.ports.jaegerGrpc)],
      ['jaeger_http', address(clew.ports.jaegerHttp)],
      ['jaeger_udp_compact', address(clew.ports.jaegerCompact)],
      ['jaeger_udp_binary', address(clew.ports.jaegerBinary)],
      ['jaeger_udp_zipkin_compact', address(clew.ports.jaegerZipkinCompact)],
      ['zipkin', address(clew.ports.zipkin)],
    ]);

    clew.process.kill('SIGHUP');
    const late = traceIdOf(61, 0);
    await until('a span after the reload', () =>
      postJson(clew.ports.http, requestOf('shop', [late])).then((r) => r.ok || undefined),
    );
    await awaitTrace(clew, late);

    const load = startLoad(clew.ports.http);
    await until('some load', () => Promise.resolve(load.acknowledged.length > 200 || undefined));
    clew.process.kill('SIGTERM');
    expect(await exited(clew.process)).toBe(0);
    await load.stop();
    const rows = await storedRows(join(clew.directory, 'data'));
    expect([...ids, late, ...load.acknowledged].filter((id) => rows.get(id) !== 1)).toEqual([]);
    expect([...rows].filter(([, count]) => count !== 1)).toEqual([]);
  });

  it('says which port is taken, and by whom, and ends', async () => {
    const clew = await launch('2');
    const settings = [
      `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${clew.ports.grpc}`,
      `receivers.otlp.protocols.http.endpoint=127.0.0.1:${clew.ports.http}`,
      'extensions.clew_query.http.endpoint=127.0.0.1:0',
      'service.telemetry.metrics.level=none',
    ];
    const words = ['--data', newFolder(), '--workers', '2', ...settings.flatMap((setting) => ['--set', setting])];
    const second = await runClew(words);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `otlp/grpc cannot listen on 127.0.0.1:${clew.ports.grpc}: the address is in use, held by`,
    );
    expect(second.stderr).toContain(`(pid ${clew.pid})`);
  });
});

interface Status {
  readonly receivers: readonly { readonly protocol: string; readonly address: string }[];
  readonly ingest: { readonly acceptedSpansTotal: number };
}

describe('a worker that ends under load', () => {
  it('costs clients a retry and nothing else: whatever was acknowledged, and whatever was sent again, is stored once', async () => {
    const data = newFolder();
    const [http, query] = (await freePorts(2)) as [number, number];
    const threads: Worker[] = [];
    const program = new Program({
      config: {
        base: fromPlainValue(
          {
            receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}` } } } },
            processors: { memory_limiter: { check_interval: '250ms', limit_mib: 700, spike_limit_mib: 150 } },
            exporters: { clew_store: {} },
            extensions: {
              clew_storage: { directory: data },
              clew_query: { http: { endpoint: `127.0.0.1:${query}` } },
            },
            service: {
              extensions: ['clew_storage', 'clew_query'],
              pipelines: { traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['clew_store'] } },
              telemetry: { logs: { level: 'error', output_paths: [join(data, 'log')] }, metrics: { level: 'none' } },
            },
          },
          { source: 'test' },
        ),
        sources: [],
      },
      demo: false,
      metricsPortRequired: false,
      workers: { count: 2, asked: true },
      spawnWorker: (setup, port) => (threads[setup.index] = spawnEdgeWorker(setup, port)),
    });
    await program.start();
    cleanups.push(() => program.stop());
    const clew = { queryUrl: `http://127.0.0.1:${query}` };

    const taken: string[] = [];
    const sending = { on: true };
    let next = 0;
    let retries = 0;
    const stubborn = async (): Promise<void> => {
      while (sending.on) {
        const first = next;
        next += 10;
        const ids = Array.from({ length: 10 }, (_, at) => traceIdOf(70, first + at));
        const request = requestOf('stubborn', ids);
        while (
          !(await postJson(http, request).then(
            async (r) => (await r.arrayBuffer(), r.ok),
            () => false,
          ))
        ) {
          retries++;
          await sleep(5);
        }
        taken.push(...ids);
      }
    };
    const clients = Array.from({ length: 6 }, stubborn);
    for (let round = 0; round < 6; round++) {
      const before = taken.length;
      await until('more accepted spans', () => Promise.resolve(taken.length > before + 200 || undefined));
      const thread = threads[round % 2]!;
      await thread.terminate();
      await until('a new thread', () => Promise.resolve(threads[round % 2] !== thread || undefined));
    }
    await until('a pool that is whole', async () => (await metric(clew, 'clew_workers_running')) === 2 || undefined);
    sending.on = false;
    await Promise.all(clients);
    expect(retries).toBeGreaterThan(0);
    expect(await metric(clew, 'clew_workers_lost_total')).toBe(6);
    await settled(clew);
    await program.stop();
    const rows = await storedRows(data);
    expect(taken.filter((id) => rows.get(id) !== 1)).toEqual([]);
    expect([...rows].filter(([, count]) => count !== 1)).toEqual([]);
    expect(rows.size).toBe(taken.length);
  });
});
