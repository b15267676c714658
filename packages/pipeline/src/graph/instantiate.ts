import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';
import type { Component, ComponentFactory, ReceiverOutputs } from '../component.ts';
import type { Problem } from '../config/problem.ts';
import type { TracesConsumer } from '../consumer.ts';
import { FeatureGates } from '../feature-gates.ts';
import { instrumentConsumer, observeExporter, observeProcessor } from '../telemetry/instrument.ts';
import type { EdgeCut } from './edge-cut.ts';
import { fanOut } from './fan-out.ts';
import type { GraphPlan, PlannedNode } from './plan.ts';

/** A planned node and the component made for it. */
export interface GraphNode extends PlannedNode {
  readonly instance: Component;
  /** What a node that produces data feeds. */
  readonly next: TracesConsumer | undefined;
}

/** How components are made. */
export interface InstantiateOptions {
  readonly telemetry: Telemetry;
  /** Which gated behaviours are on; the defaults when absent. */
  readonly gates?: FeatureGates;
  /** Running extensions to take over instead of making new ones, by node key. */
  readonly reuse?: ReadonlyMap<string, Component>;
  /** Consumers outside the plan that nodes feed besides their edges, by node key. */
  readonly exits?: ReadonlyMap<string, TracesConsumer>;
  /** Where the plan is cut: what the far side feeds is returned as entries. */
  readonly cut?: EdgeCut;
}

/** All components of a plan, or why some could not be made. */
export type Instantiated =
  | {
      readonly ok: true;
      readonly nodes: readonly GraphNode[];
      /** What each exit of the cut leads to, by the key of the node that feeds it. */
      readonly entries: ReadonlyMap<string, TracesConsumer>;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Makes every component of a plan and connects them. Nothing is started. */
export function instantiate(plan: GraphPlan, options: InstantiateOptions): Instantiated {
  const builder = new Builder(plan, options);
  for (const node of plan.nodes) builder.add(node);
  const { problems, nodes } = builder;
  return problems.length > 0 ? { ok: false, problems } : { ok: true, nodes, entries: builder.entries() };
}

/** Takes what it is given and feeds nobody: stands in for a consumer that could not be made, so that all problems are found. */
const missing: TracesConsumer = {
  mutatesData: false,
  durability: () => ({ kind: 'none', why: 'not built' }),
  admit: () => undefined,
  consumeTraces: () => Promise.resolve(),
};

type AnyCreate = (settings: unknown, next?: unknown) => Component;

class Builder {
  readonly problems: Problem[] = [];
  readonly nodes: GraphNode[] = [];
  readonly #plan: GraphPlan;
  readonly #options: InstantiateOptions;
  readonly #consumers = new Map<string, TracesConsumer>();

  constructor(plan: GraphPlan, options: InstantiateOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  add(node: PlannedNode): void {
    const { meter } = this.#options.telemetry;
    const next = this.#nextOf(node);
    switch (node.kind) {
      case 'extension':
        return void this.#create(node, undefined, undefined);
      case 'receiver':
        return void this.#create(node, next, outputs(next));
      case 'exporter': {
        const { factory } = node.component;
        const counted = factory.kind === 'exporter' && factory.countsOwnSpans !== true;
        return this.#register(node, this.#create(node, undefined, undefined), (consumer) =>
          counted ? instrumentConsumer(consumer, observeExporter(meter, node.id)) : consumer,
        );
      }
      case 'connector':
        return this.#register(node, this.#create(node, next, outputs(next)), (consumer) =>
          passingOn(consumer, consumer.mutatesData || next?.mutatesData === true),
        );
      case 'processor': {
        const { input, output } = observeProcessor(meter, node.id);
        const after = next ?? missing;
        return this.#register(node, this.#create(node, after, instrumentConsumer(after, output)), (consumer) =>
          instrumentConsumer(consumer, input, consumer.mutatesData || after.mutatesData),
        );
      }
    }
  }

  #nextOf(node: PlannedNode): TracesConsumer | undefined {
    const targets = this.#targets(node.key, () => true);
    const exit = this.#options.exits?.get(node.key);
    if (exit !== undefined) targets.push(exit);
    return targets.length === 0 ? undefined : fanOut(targets);
  }

  /** What every exit of the cut leads to. */
  entries(): ReadonlyMap<string, TracesConsumer> {
    const { cut } = this.#options;
    const exits = cut?.exits ?? [];
    return new Map(exits.map((from) => [from, fanOut(this.#targets(from, (to) => cut?.nodes.has(to) !== true))]));
  }

  #targets(key: string, wanted: (to: string) => boolean): TracesConsumer[] {
    return this.#plan.edges
      .filter(({ from, to, signal }) => from === key && signal === 'traces' && wanted(to))
      .map(({ to }) => this.#consumers.get(to) ?? missing);
  }

  #create(node: PlannedNode, next: TracesConsumer | undefined, given: unknown): Component | undefined {
    const { telemetry, reuse } = this.#options;
    const instance = reuse?.get(node.key) ?? this.#make(node, telemetry, given);
    if (instance !== undefined) this.nodes.push({ ...node, instance, next });
    return instance;
  }

  #make(node: PlannedNode, telemetry: Telemetry, given: unknown): Component | undefined {
    const { kind, id, pipeline, signal, component } = node;
    const logger = telemetry.logger.child({
      'otelcol.component.id': id,
      'otelcol.component.kind': kind,
      ...(pipeline === undefined ? {} : { 'otelcol.pipeline.id': pipeline }),
      ...(signal === undefined ? {} : { 'otelcol.signal': signal }),
    });
    const { gates = FeatureGates.defaults } = this.#options;
    const settings = { id, config: component.settings, telemetry: { ...telemetry, logger }, gates };
    try {
      // A factory's own schema made these settings: the types agree, though a list of factories forgot them.
      return createOf(component.factory)(settings, given);
    } catch (error) {
      const place = pipeline === undefined ? '' : `, in pipeline "${pipeline}"`;
      const message = `failed to create "${id}" ${kind}${place}: ${errorMessage(error)}`;
      this.problems.push({
        phase: 'build',
        severity: 'error',
        message,
        path: [`${kind}s`, id],
        position: component.position,
      });
      return undefined;
    }
  }

  #register(
    node: PlannedNode,
    instance: Component | undefined,
    wrap: (consumer: TracesConsumer) => TracesConsumer,
  ): void {
    this.#consumers.set(node.key, instance === undefined ? missing : wrap(instance as Component & TracesConsumer));
  }
}

function createOf(factory: ComponentFactory): AnyCreate {
  return (settings, given) => (factory.create as AnyCreate).call(factory, settings, given);
}

function outputs(next: TracesConsumer | undefined): ReceiverOutputs {
  return next === undefined ? {} : { traces: next };
}

/** A consumer that speaks for what follows it too. */
function passingOn(consumer: TracesConsumer, mutatesData: boolean): TracesConsumer {
  return {
    mutatesData,
    durability: () => consumer.durability(),
    admit: (requestBytes) => consumer.admit(requestBytes),
    consumeTraces: (batch, context) => consumer.consumeTraces(batch, context),
  };
}
