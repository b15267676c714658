import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { silentTelemetry } from '@clew/base';
import type { Logger } from '@clew/base';
import { PrometheusMeter, mergeFamilies } from '@clew/base/node';
import { collectorFactories } from '@clew/collector';
import { acquireListener, parseListenEndpoint } from '@clew/net';
import { ComponentRegistry, PipelineService, Refusal, loadConfig } from '@clew/pipeline';
import type { ComponentFactory, TracesConsumer } from '@clew/pipeline';
import { RecordingConsumer, eventually } from '@clew/pipeline/contract-tests';
import { freePort } from '@clew/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EdgePool } from './edge-pool.ts';
import { spawnEdgeWorker } from './edge-thread.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** An exporter that only one thread may have, and that puts everything into `sink`. */
function sinkFactory(sink: TracesConsumer): ComponentFactory {
  const life = { start: () => Promise.resolve(), stop: () => Promise.resolve(), snapshot: () => ({}) };
  return {
    type: 'sink',
    kind: 'exporter',
    placement: 'singleton',
    stability: { traces: 'stable' },
    configSchema: z.strictObject({}).prefault({}),
    create: () => ({
      ...life,
      mutatesData: false,
      durability: () => sink.durability(),
      admit: (bytes: number) => sink.admit(bytes),
      consumeTraces: (batch, context) => sink.consumeTraces(batch, context),
    }),
  };
}

/** Two workers in front of a sink, on a port of their own. */
async function running(settings: { readonly port?: number; readonly action?: string } = {}) {
  const sink = new RecordingConsumer();
  const registry = new ComponentRegistry([...collectorFactories, sinkFactory(sink)]);
  const state = { port: settings.port ?? (await freePort()), hop: 'first' };
  const lines: string[] = [];
  const write = (message: string, fields?: object) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  const meter = new PrometheusMeter();
  const telemetry = { logger, meter };
  const threads: Worker[] = [];
  const pool = new EdgePool({
    count: 2,
    telemetry,
    logLevel: 'info',
    firstPauseMs: 1,
    spawn: (setup, port) => (threads[setup.index] = spawnEdgeWorker(setup, port)),
  });
  const config = () =>
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${state.port}` } } } },
      processors: { attributes: { actions: [{ key: 'hop', value: state.hop, action: 'insert' }] } },
      exporters: { sink: {} },
      service: { pipelines: { traces: { receivers: ['otlp'], processors: ['attributes'], exporters: ['sink'] } } },
    });
  const fatal: Error[] = [];
  const service = new PipelineService({
    load: () => loadConfig({ sources: ['c.yaml'], registry, readFile: () => Promise.resolve(config()) }),
    telemetry,
    onFatal: (error) => void fatal.push(error),
    edge: pool,
  });
  ends.push(async () => {
    await service.stop();
    await pool.close();
  });
  const total = async (name: string): Promise<number> => {
    const families = mergeFamilies([await meter.collect(), ...(await pool.families())]);
    const family = families.find((candidate) => candidate.name === name);
    return family?.samples.reduce((sum, { value }) => sum + value, 0) ?? 0;
  };
  return { sink, state, lines, threads, pool, service, fatal, total };
}

/** Posts one span on a connection of its own; rejects when the connection breaks. */
function post(port: number, id: number): Promise<{ readonly status: number; readonly text: string }> {
  const span = {
    traceId: id.toString(16).padStart(32, '0'),
    spanId: id.toString(16).padStart(16, '0'),
    name: `span ${id}`,
    startTimeUnixNano: '1700000000000000000',
    endTimeUnixNano: '1700000000000000005',
  };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers, agent: new Agent() };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends until it is taken, as clients do; counts how often it had to be sent again. */
async function postUntilTaken(port: number, id: number): Promise<number> {
  for (let retries = 0; ; retries++) {
    const outcome = await post(port, id).catch((error: unknown) => error);
    if (!(outcome instanceof Error) && (outcome as { status: number }).status === 200) return retries;
    if (retries === 1000) throw new Error(`span ${id} was never taken`, { cause: outcome });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const idsIn = (sink: RecordingConsumer): number[] => sink.spans.map(({ spanId }) => Number.parseInt(spanId, 16));
const countersOf = (service: PipelineService) => {
  const receiver = service.snapshot()?.nodes.find(({ kind }) => kind === 'receiver');
  const { listeners } = receiver!.details as { listeners: { address: string; counters: { acceptedSpans: number } }[] };
  return { address: listeners[0]?.address, accepted: listeners[0]?.counters.acceptedSpans };
};

describe('edge workers', () => {
  it('do not start on a port that somebody has, and say who', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => holder.close(() => resolve())));
    const { port } = holder.address() as AddressInfo;
    const { service } = await running({ port });
    await expect(service.start()).rejects.toThrow(
      /cannot start pipelines: failed to start "otlp" receiver: otlp\/http cannot listen on .*the address is in use, held by /,
    );
  });

  it('cannot share a port with what runs in the main thread, and say what to do', async () => {
    const lease = await acquireListener({ endpoint: parseListenEndpoint('127.0.0.1:0'), owner: 'clew_query' });
    ends.push(() => lease.release());
    const { port } = lease.address as { readonly port: number };
    const { service } = await running({ port });
    await expect(service.start()).rejects.toThrow('use another port or --workers 1');
  });

  it('do not join a stranger who would share the port', async () => {
    const holder = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => void holder.listen({ port, host: '127.0.0.1', reusePort: true }, resolve));
    ends.push(() => new Promise((resolve) => holder.close(() => resolve())));
    const { service } = await running({ port });
    await expect(service.start()).rejects.toThrow('the address is in use');
  });

  it('look like one program: every span comes once, counted once, whichever worker took it', async () => {
    const { service, sink, state, total, threads, pool } = await running();
    await service.start();
    expect(countersOf(service)).toEqual({ address: `127.0.0.1:${state.port}`, accepted: 0 });
    const answers = await Promise.all(Array.from({ length: 64 }, (_, id) => post(state.port, id + 1)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(idsIn(sink).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, id) => id + 1));
    expect(await total('otelcol_receiver_accepted_spans')).toBe(64);
    expect(await total('otelcol_processor_accepted_spans')).toBe(64);
    expect(await total('clew_workers_running')).toBe(2);
    await eventually('the receiver’s own count', () => countersOf(service).accepted === 64);
    expect(service.acknowledgements()).toMatchObject([{ receiver: 'otlp', text: 'acknowledged = durable' }]);
    expect(pool.heldBytes()).toBeGreaterThan(1_000_000);
    // 64 connections that all reach the same one of two sockets are as good as impossible.
    const shares = (await pool.families()).slice(0, threads.length).map((families) => {
      const accepted = families.find(({ name }) => name === 'otelcol_receiver_accepted_spans');
      return accepted?.samples[0]?.value ?? 0;
    });
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  it('tell a client what the rest of the pipelines says, before its body and after', async () => {
    const { service, sink, state } = await running();
    await service.start();
    sink.refuse = () => new Refusal('permanent', 'never');
    expect(await post(state.port, 1)).toMatchObject({ status: 500 });
    sink.refuse = () => new Refusal('resource_exhausted', 'too much', { retryAfterMs: 2000 });
    expect(await post(state.port, 1)).toMatchObject({ status: 429 });
    const full = new Refusal('unavailable', 'the journal is full');
    sink.refuse = () => full;
    sink.admission = full;
    // Workers hear of it within a moment, and then no longer ask main with a batch.
    for (let before = -1; before !== sink.calls;) {
      before = sink.calls;
      const refused = await post(state.port, 1);
      expect(refused.status).toBe(503);
      expect(refused.text).toMatch(/the journal is full|takes no data now/);
    }
    sink.refuse = () => undefined;
    sink.admission = undefined;
    await postUntilTaken(state.port, 2);
    expect(idsIn(sink)).toEqual([2]);
  });

  it('exchange their part of the pipelines on reload, and keep the old one when the new does not start', async () => {
    const { service, sink, state, fatal } = await running();
    await service.start();
    await postUntilTaken(state.port, 1);
    state.hop = 'second';
    expect(await service.reload()).toEqual({ kind: 'reloaded' });
    await postUntilTaken(state.port, 2);
    const hops = sink.spans.map(({ attributes }) => JSON.stringify(attributes));
    expect(hops).toEqual([expect.stringContaining('first'), expect.stringContaining('second')]);

    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => holder.close(() => resolve())));
    const working = state.port;
    state.port = (holder.address() as AddressInfo).port;
    expect(await service.reload()).toMatchObject({ kind: 'rolled_back' });
    await postUntilTaken(working, 3);
    expect(fatal).toEqual([]);
  });

  it('finish what is in flight when the program stops, and take nothing after', async () => {
    const { service, sink, state } = await running();
    await service.start();
    const release = sink.hold();
    const pending = Array.from({ length: 8 }, (_, id) => post(state.port, id + 1));
    await eventually('all requests in main', () => sink.calls === 8);
    const stopped = service.stop();
    release();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    await stopped;
    expect(sink.spans).toHaveLength(8);
    await expect(post(state.port, 9)).rejects.toThrow('ECONNREFUSED');
  });

  it('are replaced when they end: clients send again, totals go on, health recovers', async () => {
    const { service, sink, state, threads, total, lines } = await running();
    await service.start();
    for (let id = 1; id <= 20; id++) await postUntilTaken(state.port, id);
    const counted = () => countersOf(service).accepted ?? 0;
    await eventually('the count of all', () => counted() === 20);
    const release = sink.hold();
    const pending = Array.from({ length: 16 }, (_, at) => post(state.port, 21 + at).catch((error: Error) => error));
    await eventually('all requests in main', () => sink.calls === 36);
    await threads[0]!.terminate();
    await threads[1]!.terminate();
    for (const outcome of await Promise.all(pending)) expect(outcome).toBeInstanceOf(Error);
    release();
    expect(await total('clew_workers_lost_requests_total')).toBe(16);
    expect(await total('clew_workers_lost_total')).toBe(2);
    const health = () => service.snapshot()!.nodes.map(({ status }) => status);
    for (let id = 21; id <= 40; id++) await postUntilTaken(state.port, id);
    await eventually('good health', () => health().every((status) => status === 'ok'));
    expect(new Set(idsIn(sink))).toEqual(new Set(Array.from({ length: 40 }, (_, id) => id + 1)));
    await eventually('a count that went on', () => counted() === 40);
    expect(await total('otelcol_receiver_accepted_spans')).toBe(40);
    expect(lines.filter((line) => line.startsWith('An edge worker was started again.'))).toHaveLength(2);
  });

  it('leave the others to work while one is away', async () => {
    const { service, sink, state, threads } = await running();
    await service.start();
    let id = 0;
    const sending = { on: true };
    const clients = Array.from({ length: 4 }, async () => {
      while (sending.on) await postUntilTaken(state.port, ++id);
    });
    for (const index of [0, 1, 0]) {
      const before = sink.calls;
      const thread = threads[index]!;
      await thread.terminate();
      await eventually('another in its place', () => threads[index] !== thread);
      await eventually('more spans', () => sink.calls > before + 20);
    }
    sending.on = false;
    await Promise.all(clients);
    expect(new Set(idsIn(sink)).size).toBe(id);
  });
});

describe('a program without edge workers', () => {
  it('runs the same configuration in one thread', async () => {
    const sink = new RecordingConsumer();
    const registry = new ComponentRegistry([...collectorFactories, sinkFactory(sink)]);
    const port = await freePort();
    const text = JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: { sink: {} },
      service: { pipelines: { traces: { receivers: ['otlp'], exporters: ['sink'] } } },
    });
    const service = new PipelineService({
      load: () => loadConfig({ sources: ['c.yaml'], registry, readFile: () => Promise.resolve(text) }),
      telemetry: silentTelemetry,
      onFatal: () => undefined,
    });
    await service.start();
    expect(await post(port, 1)).toMatchObject({ status: 200 });
    await service.stop();
    expect(idsIn(sink)).toEqual([1]);
  });
});
