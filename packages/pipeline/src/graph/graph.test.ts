import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { describe, expect, it } from 'vitest';
import type { PipelineWatcher } from '../component.ts';
import { formatProblem } from '../config/problem.ts';
import { Refusal } from '../consumer.ts';
import { buildGraph } from './graph.ts';
import type { GraphOptions, PipelineGraph } from './graph.ts';
import { batchOf, configOf, stage, testContext } from './test/fakes.ts';
import type { Stage } from './test/fakes.ts';

const deadline = AbortSignal.timeout(60_000);

const simple = `
receivers: {in: }
processors: {step/a: , step/b: }
exporters: {out: , out/durable: {durable: true}}
extensions: {ext/one: , ext/two: }
service:
  extensions: [ext/two, ext/one]
  pipelines:
    traces: {receivers: [in], processors: [step/a, step/b], exporters: [out]}
`;

async function built(
  text: string,
  scene: Stage = stage(),
  options: Partial<GraphOptions> = {},
): Promise<{ graph: PipelineGraph; scene: Stage }> {
  const graph = buildGraph(await configOf(text, scene.registry), { telemetry: silentTelemetry, ...options });
  if (!graph.ok) throw new Error(graph.error.map(formatProblem).join('\n'));
  return { graph: graph.value, scene };
}

async function buildProblems(text: string): Promise<string[]> {
  const graph = buildGraph(await configOf(text, stage().registry), { telemetry: silentTelemetry });
  if (graph.ok) throw new Error('the graph was built');
  return graph.error.map(formatProblem);
}

describe('buildGraph, on what is wrong', () => {
  it('tells which component lacks the signal of its pipeline', async () => {
    expect(
      await buildProblems(simple.replace('{out: ,', '{metricsonly: , out: ,').replace('[out]', '[metricsonly]')),
    ).toEqual([
      'test.yaml:4:13: failed to create "metricsonly" exporter for data type "traces": telemetry type is not supported',
    ]);
  });

  it('tells of connectors that are used at one end only', async () => {
    const asExporter = simple
      .replace('extensions: {', 'connectors: {link: }\nextensions: {')
      .replace('[out]', '[out, link]');
    expect(await buildProblems(asExporter)).toEqual([
      expect.stringContaining(
        'connector "link" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
      ),
    ]);
    const asReceiver = asExporter.replace('[out, link]', '[out]').replace('[in]', '[in, link]');
    expect(await buildProblems(asReceiver)).toEqual([
      expect.stringContaining(
        'connector "link" used as receiver in [traces] pipeline but not used in any supported exporter pipeline',
      ),
    ]);
  });

  it('tells the way round of a cycle', async () => {
    const text = `
receivers: {in: }
processors: {step: }
exporters: {out: }
connectors: {link/a: , link/b: }
service:
  pipelines:
    traces/1: {receivers: [in, link/b], processors: [step], exporters: [link/a]}
    traces/2: {receivers: [link/a], exporters: [link/b, out]}
`;
    expect(await buildProblems(text)).toEqual([
      expect.stringContaining(
        'cycle detected: connector "link/a" (traces to traces) -> connector "link/b" (traces to traces) -> processor "step" in pipeline "traces/1" -> connector "link/a" (traces to traces)',
      ),
    ]);
  });

  it('reports every component that cannot be made, with its place', async () => {
    const text = simple
      .replace('step/a: ', 'step/a: {fail_create: true}')
      .replace('out: ,', 'out: {fail_create: true},');
    expect(await buildProblems(text)).toEqual([
      'test.yaml:4:13: failed to create "out" exporter: cannot be made',
      'test.yaml:3:14: failed to create "step/a" processor, in pipeline "traces": cannot be made',
    ]);
  });
});

describe('PipelineGraph, starting and stopping', () => {
  it('starts extensions as listed, then consumers before producers, and stops in the opposite order', async () => {
    const { graph, scene } = await built(simple);
    await graph.start();
    const started = ['ext/two', 'ext/one', 'out', 'step/b', 'step/a', 'in'];
    expect(scene.log).toEqual(started.map((id) => `start ${id}`));
    scene.log.length = 0;
    await Promise.all([graph.stop(deadline), graph.stop(deadline)]);
    expect(scene.log).toEqual(started.toReversed().map((id) => `stop ${id}`));
    expect(graph.snapshot().state).toBe('stopped');
  });

  it('stops what it started when a component fails to start, and names it', async () => {
    const { graph, scene } = await built(simple.replace('step/a: ', 'step/a: {fail_start: true}'));
    await expect(graph.start()).rejects.toMatchObject({
      code: 'start_failed',
      message: 'cannot start pipelines: failed to start "step/a" processor: will not start',
    });
    expect(scene.log.slice(-5)).toEqual(['stop step/a', 'stop step/b', 'stop out', 'stop ext/one', 'stop ext/two']);
    expect(scene.log).not.toContain('start in');
  });

  it('goes on stopping when a component fails to stop, and reports it', async () => {
    const { graph, scene } = await built(simple.replace('step/a: ', 'step/a: {fail_stop: true}'));
    await graph.start();
    await expect(graph.stop(deadline)).rejects.toMatchObject({
      code: 'stop_failed',
      message: 'failed to stop cleanly: will not stop',
    });
    expect(scene.log.at(-1)).toBe('stop ext/two');
  });

  it('passes a fatal status to its owner and every status to extensions that watch', async () => {
    const fatal: string[] = [];
    const { graph, scene } = await built(simple, stage(), {
      onFatal: (error, key) => fatal.push(`${key}: ${error.message}`),
    });
    const seen: string[] = [];
    const watcher: Pick<PipelineWatcher, 'pipelinesReady' | 'pipelinesStopping' | 'statusChanged'> = {
      pipelinesReady: () => seen.push('ready'),
      pipelinesStopping: () => seen.push('stopping'),
      statusChanged: (key, status) => seen.push(`${key} ${status.kind}`),
    };
    Object.assign(scene.fake('ext/one'), watcher);
    await graph.start();
    expect(seen.at(-1)).toBe('ready');
    scene.fake('in').host?.reportStatus({ kind: 'fatal', error: new Error('port lost') });
    expect(fatal).toEqual(['receiver/in: port lost']);
    expect(seen.at(-1)).toBe('receiver/in fatal');
    expect(graph.snapshot().nodes.find(({ id }) => id === 'in')).toMatchObject({ status: 'fatal', error: 'port lost' });
    await graph.stop(deadline);
    expect(seen).toContain('stopping');
  });

  it('lets components find started extensions by id and by capability', async () => {
    const { graph, scene } = await built(simple);
    await graph.start();
    const host = scene.fake('in').host!;
    expect(host.extension('ext/one')).toBe(scene.fake('ext/one'));
    expect(host.extension('ext/none')).toBeUndefined();
    expect(host.capability((component): component is never => component === scene.fake('ext/two'))).toBe(
      scene.fake('ext/two'),
    );
    await graph.stop(deadline);
  });
});

const fanned = `
receivers: {in: }
processors: {step/edit: {mutates: true}, step/read: }
exporters: {out/a: , out/b: , out/c: {mutates: true}}
service:
  pipelines:
    traces/edit: {receivers: [in], processors: [step/edit], exporters: [out/a]}
    traces/read: {receivers: [in], processors: [step/read], exporters: [out/b]}
    traces/late: {receivers: [in], processors: [step/read], exporters: [out/c]}
`;

describe('PipelineGraph, the flow of data', () => {
  it('makes one processor per pipeline and one exporter for all', async () => {
    const { scene } = await built(fanned.replaceAll('out/b]', 'out/a]'));
    expect(scene.fakes.map(({ id }) => id).toSorted()).toEqual([
      'in',
      'out/a',
      'out/c',
      'step/edit',
      'step/read',
      'step/read',
    ]);
  });

  it('gives branches that mutate, anywhere in their chain, copies of their own', async () => {
    const { scene } = await built(fanned);
    const batch = batchOf(2);
    await scene.fake('in').next!.consumeTraces(batch, testContext);
    expect(scene.fake('out/b').taken[0]).toBe(batch);
    expect(batch.kinds[0]).toBe(0);
    for (const id of ['out/a', 'out/c']) {
      const copy = scene.fake(id).taken[0]!;
      expect(copy).not.toBe(batch);
      expect([copy.count, copy.kinds[0], copy.kinds[1]]).toEqual([2, 99, 1]);
    }
  });

  it('gives the original away when nobody only reads', async () => {
    const { scene } = await built(fanned.replace('step/read: ', 'step/read: {mutates: true}'));
    const batch = batchOf(1);
    await scene.fake('in').next!.consumeTraces(batch, testContext);
    const taken = ['out/a', 'out/b', 'out/c'].map((id) => scene.fake(id).taken[0]);
    expect(taken.filter((one) => one === batch)).toHaveLength(1);
    expect(new Set(taken).size).toBe(3);
  });

  it('attempts every branch and is permanent as soon as one is', async () => {
    const { scene } = await built(fanned);
    scene.fake('out/a').refusal = new Refusal('unavailable', 'a is busy', { retryAfterMs: 10 });
    scene.fake('out/c').refusal = new Refusal('permanent', 'c never');
    const delivery = scene.fake('in').next!.consumeTraces(batchOf(1), testContext);
    await expect(delivery).rejects.toMatchObject({ code: 'permanent', retryable: false });
    expect(scene.fake('out/b').taken).toHaveLength(1);
  });

  it('asks for the longest wait when all refusals are retryable', async () => {
    const { scene } = await built(fanned);
    scene.fake('out/a').refusal = new Refusal('unavailable', 'a is busy', { retryAfterMs: 10 });
    scene.fake('out/c').refusal = new Refusal('resource_exhausted', 'c is full', { retryAfterMs: 500 });
    const delivery = scene.fake('in').next!.consumeTraces(batchOf(1), testContext);
    await expect(delivery).rejects.toMatchObject({
      retryable: true,
      retryAfterMs: 500,
      message: 'a is busy; c is full',
    });
  });

  it('asks every branch before a body is read', async () => {
    const { scene } = await built(fanned);
    expect(scene.fake('in').next!.admit(100)).toBeUndefined();
    scene.fake('out/c').refusal = new Refusal('unavailable', 'full');
    expect(scene.fake('in').next!.admit(100)?.message).toBe('full');
  });

  it('carries data over connectors from one pipeline to another', async () => {
    const text = `
receivers: {in: }
exporters: {out: }
connectors: {link: }
service:
  pipelines:
    traces/1: {receivers: [in], exporters: [link]}
    traces/2: {receivers: [link], exporters: [out]}
`;
    const { graph, scene } = await built(text);
    await graph.start();
    expect(scene.log).toEqual(['start out', 'start link', 'start in']);
    await scene.fake('in').next!.consumeTraces(batchOf(3), testContext);
    expect(scene.fake('out').taken[0]?.count).toBe(3);
    await graph.stop(deadline);
  });
});

describe('PipelineGraph, what can be seen', () => {
  it('says for each receiver what acknowledging means', async () => {
    const { graph } = await built(simple.replace('[out]', '[out/durable]'));
    expect(graph.acknowledgements()).toEqual([
      { receiver: 'in', durability: { kind: 'durable' }, text: 'acknowledged = durable' },
    ]);
    const both = await built(simple.replace('[out]', '[out, out/durable]'));
    expect(both.graph.acknowledgements()[0]?.text).toBe(
      'acknowledged = durable in part, else in memory (exporter "out" has a queue)',
    );
  });

  it('gives a snapshot that is plain JSON, with placements, edges and what components say', async () => {
    const { graph, scene } = await built(simple);
    await graph.start();
    await scene.fake('in').next!.consumeTraces(batchOf(1), testContext);
    const snapshot = graph.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot.nodes.find(({ key }) => key === 'processor/step/a@traces')).toEqual({
      key: 'processor/step/a@traces',
      kind: 'processor',
      id: 'step/a',
      type: 'step',
      placement: 'stateless',
      pipeline: 'traces',
      status: 'ok',
      details: { taken: 1 },
    });
    expect(snapshot.edges).toContainEqual({
      from: 'receiver/in',
      to: 'processor/step/a@traces',
      signal: 'traces',
      pipeline: 'traces',
    });
    await graph.stop(deadline);
  });

  it('counts what processors take and pass on and what exporters send, by the names dashboards know', async () => {
    const meter = new PrometheusMeter();
    const { scene } = await built(simple, stage(), { telemetry: { ...silentTelemetry, meter } });
    const entry = scene.fake('in').next!;
    await entry.consumeTraces(batchOf(3), testContext);
    scene.fake('out').refusal = new Refusal('unavailable', 'full');
    await expect(entry.consumeTraces(batchOf(2), testContext)).rejects.toThrow('full');
    const text = await meter.expose({ withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true });
    for (const line of [
      'otelcol_processor_incoming_items{processor="step/a",otel_signal="traces"} 5',
      'otelcol_processor_outgoing_items{processor="step/a",otel_signal="traces"} 5',
      'otelcol_processor_accepted_spans{processor="step/a"} 3',
      'otelcol_processor_refused_spans{processor="step/a"} 2',
      'otelcol_exporter_sent_spans{exporter="out"} 3',
      'otelcol_exporter_send_failed_spans{exporter="out"} 2',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });
});
