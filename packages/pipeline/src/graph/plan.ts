import type { ComponentKind, Placement } from '../component.ts';
import type { Configuration, ComponentConfig, PipelineConfig } from '../config/model.ts';
import type { Problem, SourcePosition } from '../config/problem.ts';
import type { Signal } from '../consumer.ts';
import { findCycles } from './cycles.ts';

/**
 * What will be created and how it is connected, before anything is: plain data, computed from a configuration and nothing
 * else. `instantiate` makes components of it; /debug draws it.
 */
export interface GraphPlan {
  /** Consumers before producers: the order in which components are created and started. */
  readonly nodes: readonly PlannedNode[];
  readonly edges: readonly PlannedEdge[];
}

/** One component instance to be. */
export interface PlannedNode {
  /** Unique in the graph, such as `processor/batch@traces`. */
  readonly key: string;
  readonly kind: ComponentKind;
  /** The id as the user wrote it. */
  readonly id: string;
  readonly component: ComponentConfig;
  readonly placement: Placement;
  /** Set on what exists once per signal: exporters and connectors, by what they take. */
  readonly signal?: Signal;
  /** Set on processors, which exist once per pipeline. */
  readonly pipeline?: string;
}

/** Data of `signal` flows from one node to another, on behalf of a pipeline. */
export interface PlannedEdge {
  readonly from: string;
  readonly to: string;
  readonly signal: Signal;
  readonly pipeline: string;
}

/** A plan, or everything that keeps the configuration from becoming one. */
export type Planned =
  { readonly ok: true; readonly plan: GraphPlan } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Plans the graph of a valid configuration. Unused components get no node. */
export function planGraph(config: Configuration): Planned {
  const planner = new Planner(config);
  for (const id of config.extensions) planner.extension(id);
  for (const pipeline of config.pipelines.values()) planner.pipeline(pipeline);
  planner.checkConnectors();
  const { problems, nodes, edges } = planner;
  if (problems.length > 0) return { ok: false, problems };
  const cycles = findCycles(nodes, edges);
  if (cycles.length > 0) return { ok: false, problems: cycles };
  return { ok: true, plan: { nodes: consumersFirst(nodes, edges), edges } };
}

class Planner {
  readonly problems: Problem[] = [];
  readonly edges: PlannedEdge[] = [];
  readonly #nodes = new Map<string, PlannedNode>();
  readonly #config: Configuration;

  constructor(config: Configuration) {
    this.#config = config;
  }

  get nodes(): PlannedNode[] {
    return [...this.#nodes.values()];
  }

  extension(id: string): void {
    const component = this.#config.components.extension.get(id);
    if (component !== undefined) this.#node(`extension/${id}`, component, {});
  }

  pipeline(pipeline: PipelineConfig): void {
    const { signal, text } = pipeline.id;
    const heads = pipeline.receivers.flatMap((id) => this.#source(id, pipeline));
    const chain = pipeline.processors.flatMap((id) => {
      const component = this.#config.components.processor.get(id);
      return component === undefined
        ? []
        : this.#supporting(component, signal, `processor/${id}@${text}`, { pipeline: text });
    });
    const ends = pipeline.exporters.flatMap((id) => this.#sink(id, pipeline));
    const stages = [heads, ...chain.map((key) => [key]), ends];
    for (const [index, stage] of stages.entries()) {
      for (const from of stage) {
        for (const to of stages[index + 1] ?? []) this.edges.push({ from, to, signal, pipeline: text });
      }
    }
  }

  /** A connector must stand between pipelines: used at one end only, it would swallow data or have none. */
  checkConnectors(): void {
    for (const [id, component] of this.#config.components.connector) {
      const asExporter = this.#pipelinesWith((pipeline) => pipeline.exporters.includes(id));
      const asReceiver = this.#pipelinesWith((pipeline) => pipeline.receivers.includes(id));
      const taken = asExporter.filter((signal) => component.factory.stability[signal] !== undefined);
      const emitted = asReceiver.filter((signal) => this.#outputsOf(component).includes(signal));
      if (asExporter.length > 0 && emitted.length === 0) {
        this.#problem(
          `connector "${id}" used as exporter in [${asExporter.join(' ')}] pipeline but not used in any supported receiver pipeline`,
          component.position,
        );
      }
      if (asReceiver.length > 0 && taken.length === 0) {
        this.#problem(
          `connector "${id}" used as receiver in [${asReceiver.join(' ')}] pipeline but not used in any supported exporter pipeline`,
          component.position,
        );
      }
    }
  }

  #pipelinesWith(test: (pipeline: PipelineConfig) => boolean): Signal[] {
    return [...new Set([...this.#config.pipelines.values()].filter(test).map(({ id }) => id.signal))];
  }

  /** Nodes that bring data into a pipeline: one per receiver, one per signal that a connector takes. */
  #source(id: string, { id: { signal } }: PipelineConfig): string[] {
    const { receiver, connector } = this.#config.components;
    const asReceiver = receiver.get(id);
    if (asReceiver !== undefined) return this.#supporting(asReceiver, signal, `receiver/${id}`, {});
    const asConnector = connector.get(id);
    if (asConnector === undefined || !this.#outputsOf(asConnector).includes(signal)) return [];
    return this.#pipelinesWith((pipeline) => pipeline.exporters.includes(id))
      .filter((taken) => asConnector.factory.stability[taken] !== undefined)
      .map((taken) => this.#node(`connector/${id}@${taken}`, asConnector, { signal: taken }));
  }

  #sink(id: string, { id: { signal } }: PipelineConfig): string[] {
    const { exporter, connector } = this.#config.components;
    const asExporter = exporter.get(id);
    if (asExporter !== undefined) return this.#supporting(asExporter, signal, `exporter/${id}@${signal}`, { signal });
    const asConnector = connector.get(id);
    if (asConnector === undefined || asConnector.factory.stability[signal] === undefined) return [];
    return [this.#node(`connector/${id}@${signal}`, asConnector, { signal })];
  }

  #outputsOf({ factory }: ComponentConfig): readonly Signal[] {
    const own = factory.kind === 'connector' ? factory.outputs : undefined;
    return own ?? (Object.keys(factory.stability) as Signal[]);
  }

  #supporting(component: ComponentConfig, signal: Signal, key: string, extra: Partial<PlannedNode>): string[] {
    if (component.factory.stability[signal] !== undefined) return [this.#node(key, component, extra)];
    const { kind, id, position } = component;
    this.#problem(
      `failed to create "${id.text}" ${kind} for data type "${signal}": telemetry type is not supported`,
      position,
    );
    return [];
  }

  #node(key: string, component: ComponentConfig, extra: Partial<PlannedNode>): string {
    const { kind, id, factory } = component;
    if (!this.#nodes.has(key))
      this.#nodes.set(key, { key, kind, id: id.text, component, placement: factory.placement, ...extra });
    return key;
  }

  #problem(message: string, position: SourcePosition): void {
    this.problems.push({ phase: 'build', severity: 'error', message, path: [], position });
  }
}

/** Extensions in their configured order, then exporters, then what feeds what exists already, receivers last. */
function consumersFirst(nodes: readonly PlannedNode[], edges: readonly PlannedEdge[]): PlannedNode[] {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const ordered = new Set<PlannedNode>(nodes.filter(({ kind }) => kind === 'extension'));
  for (const node of nodes) if (node.kind === 'exporter') ordered.add(node);
  const visit = (node: PlannedNode): void => {
    if (ordered.has(node)) return;
    for (const { from, to } of edges) if (from === node.key) visit(byKey.get(to)!);
    ordered.add(node);
  };
  for (const node of nodes) if (node.kind !== 'receiver') visit(node);
  for (const node of nodes) visit(node);
  return [...ordered];
}
