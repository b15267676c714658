import { silentTelemetry } from '@clew/base';
import { describe, expect, it } from 'vitest';
import type { Component } from '../component.ts';
import type { TracesConsumer } from '../consumer.ts';
import { cutPlan } from './edge-cut.ts';
import { instantiateEdge } from './edge-part.ts';
import type { EdgeHost, EdgePart } from './edge-part.ts';
import { buildGraph } from './graph.ts';
import { planGraph } from './plan.ts';
import { batchOf, configOf, stage, testContext } from './test/fakes.ts';

/** Processors named `step/here…` are singletons, everything else is as `stage` makes it. */
async function planOf(text: string) {
  const { registry } = stage();
  const planned = planGraph(await configOf(text, registry));
  if (!planned.ok) throw new Error(planned.problems.map(({ message }) => message).join('\n'));
  const nodes = planned.plan.nodes.map((node) =>
    node.id.startsWith('step/here') ? { ...node, placement: 'singleton' as const } : node,
  );
  return { ...planned.plan, nodes };
}

const head = 'receivers: {in: , in/b: }\nprocessors: {step: , step/b: , step/here: }\nexporters: {out: , out/b: }\n';

describe('cutting a plan for edge workers', () => {
  it('takes receivers and stateless processors up to the first that is not', async () => {
    const plan = await planOf(
      `${head}service: {pipelines: {traces: {receivers: [in], processors: [step, step/here, step/b], exporters: [out]}}}`,
    );
    const { nodes, exits } = cutPlan(plan);
    expect([...nodes].toSorted()).toEqual(['processor/step@traces', 'receiver/in']);
    expect(exits).toEqual(['processor/step@traces']);
  });

  it('cuts each pipeline where it must, and a receiver of two may feed both sides', async () => {
    const plan = await planOf(
      `${head}service: {pipelines: {traces: {receivers: [in], processors: [step], exporters: [out]}, traces/b: {receivers: [in, in/b], processors: [step/here], exporters: [out/b]}}}`,
    );
    const { nodes, exits } = cutPlan(plan);
    expect([...nodes].toSorted()).toEqual(['processor/step@traces', 'receiver/in', 'receiver/in/b']);
    expect(exits.toSorted()).toEqual(['processor/step@traces', 'receiver/in', 'receiver/in/b']);
  });

  it('leaves what follows a connector in the main thread', async () => {
    const plan = await planOf(
      `${head}connectors: {link: }\nservice: {pipelines: {traces: {receivers: [in], exporters: [link]}, traces/b: {receivers: [link, in/b], processors: [step], exporters: [out]}}}`,
    );
    const { nodes, exits } = cutPlan(plan);
    expect([...nodes].toSorted()).toEqual(['receiver/in', 'receiver/in/b']);
    expect(exits.toSorted()).toEqual(['receiver/in', 'receiver/in/b']);
  });
});

/** Runs parts in this thread, as another thread would: from plain data alone. */
class HereHost implements EdgeHost {
  readonly parts: EdgePart[] = [];
  readonly scene = stage();

  place(part: EdgePart, entries: ReadonlyMap<string, TracesConsumer>): ReadonlyMap<string, Component> {
    const copied = structuredClone(part);
    this.parts.push(copied);
    const made = instantiateEdge(copied, { registry: this.scene.registry, telemetry: silentTelemetry, exits: entries });
    if (!made.ok) throw new Error(made.error.map(({ message }) => message).join('\n'));
    return new Map(made.value.map(({ key, instance }) => [key, instance]));
  }

  heldBytes(): number {
    return 42;
  }
}

async function placed(text: string) {
  const scene = stage();
  const edge = new HereHost();
  const built = buildGraph(await configOf(text, scene.registry), { telemetry: silentTelemetry, edge });
  if (!built.ok) throw new Error(built.error.map(({ message }) => message).join('\n'));
  return { scene, edge, graph: built.value };
}

const simple =
  'receivers: {in: }\nprocessors: {step: {mutates: true}}\nexporters: {out: {durable: true}}\n' +
  'service: {pipelines: {traces: {receivers: [in], processors: [step], exporters: [out]}}}';

describe('a graph whose beginning runs elsewhere', () => {
  it('starts and stops what runs elsewhere in its turn, and never its own copies', async () => {
    const { scene, edge, graph } = await placed(simple);
    expect(edge.scene.log).toEqual([]);
    await graph.start();
    expect(scene.log).toEqual(['start out']);
    expect(edge.scene.log).toEqual(['start step', 'start in']);
    expect(graph.snapshot().nodes.every(({ status }) => status === 'ok')).toBe(true);
    await graph.stop(AbortSignal.timeout(10_000));
    expect(scene.log).toEqual(['start out', 'stop out']);
    expect(edge.scene.log.slice(2)).toEqual(['stop in', 'stop step']);
  });

  it('gets the batches of the far side, and says what acknowledging means there', async () => {
    const { scene, edge, graph } = await placed(simple);
    expect(graph.acknowledgements()).toMatchObject([{ receiver: 'in', text: 'acknowledged = durable' }]);
    expect(edge.parts[0]!.exits).toEqual([{ from: 'processor/step@traces', durability: { kind: 'durable' } }]);
    const batch = batchOf(3);
    await edge.scene.fake('in').next!.consumeTraces(batch, testContext);
    expect(scene.fake('out').taken).toEqual([batch]);
    expect(batch.kinds[0]).toBe(99);
  });

  it('tells its components what memory is used elsewhere', async () => {
    const { scene, graph } = await placed(simple);
    await graph.start();
    expect(scene.fake('out').host?.otherThreadsBytes?.()).toBe(42);
    await graph.stop(AbortSignal.timeout(10_000));
  });
});
