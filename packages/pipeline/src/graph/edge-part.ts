import { fail, ok } from '@clew/base';
import type { Result, Telemetry } from '@clew/base';
import type { Component, ComponentKind } from '../component.ts';
import { parseComponentId } from '../config/component-id.ts';
import { readComponents } from '../config/components.ts';
import type { Configuration } from '../config/model.ts';
import { mapNode, nodeAt } from '../config/node.ts';
import type { MapNode } from '../config/node.ts';
import type { Problem } from '../config/problem.ts';
import type { Durability, TracesConsumer } from '../consumer.ts';
import type { ComponentRegistry } from '../registry/registry.ts';
import type { EdgeCut } from './edge-cut.ts';
import { instantiate } from './instantiate.ts';
import type { GraphNode } from './instantiate.ts';
import type { GraphPlan, PlannedEdge, PlannedNode } from './plan.ts';

/** Kinds of components that a part can have. */
const edgeKinds = ['extension', 'receiver', 'processor'] as const satisfies readonly ComponentKind[];
type EdgeKind = (typeof edgeKinds)[number];

/** A node of a part: a planned node without what cannot leave its thread. */
export type EdgeNode = Omit<PlannedNode, 'component'>;

/** Where a part feeds the rest of the graph. */
export interface EdgeExit {
  /** The node of the part that feeds it. */
  readonly from: string;
  /** What acknowledging promises behind it. */
  readonly durability: Durability;
}

/** The stateless beginning of a graph as plain data, from which another thread makes the same components. */
export interface EdgePart {
  /** Stateless extensions, then consumers before producers. */
  readonly nodes: readonly EdgeNode[];
  readonly edges: readonly PlannedEdge[];
  readonly exits: readonly EdgeExit[];
  /** What was configured for the components, by kind; substituted already. */
  readonly settings: Readonly<Record<EdgeKind, MapNode>>;
}

/** Runs the stateless beginning of graphs elsewhere, such as in several threads. */
export interface EdgeHost {
  /**
   * Takes a part. `entries` lead on from its exits, by the key of the node that feeds them.
   *
   * @returns what stands for the part's receivers and processors in the graph, by key: starting, stopping and asking one does so
   * wherever the part runs. Nothing runs before the first is started, nothing after the last is stopped.
   */
  place(part: EdgePart, entries: ReadonlyMap<string, TracesConsumer>): ReadonlyMap<string, Component>;
  /** Bytes of memory the parts use. */
  heldBytes(): number;
}

/** Describes the part of a graph inside a cut. */
export function edgePart(
  config: Configuration,
  plan: GraphPlan,
  cut: EdgeCut,
  entries: ReadonlyMap<string, TracesConsumer>,
): EdgePart {
  const carried = plan.nodes.filter(
    ({ key, kind, placement }) => cut.nodes.has(key) || (kind === 'extension' && placement === 'stateless'),
  );
  const settingsOf = (kind: EdgeKind): MapNode => {
    const ids = new Set(carried.filter((node) => node.kind === kind).map(({ id }) => id));
    return pick(config, kind, ids);
  };
  return {
    nodes: carried.map(({ component: _component, ...node }) => node),
    edges: plan.edges.filter(({ from, to }) => cut.nodes.has(from) && cut.nodes.has(to)),
    exits: cut.exits.map((from) => ({ from, durability: entries.get(from)!.durability() })),
    settings: {
      extension: settingsOf('extension'),
      receiver: settingsOf('receiver'),
      processor: settingsOf('processor'),
    },
  };
}

function pick({ tree }: Configuration, kind: EdgeKind, ids: ReadonlySet<string>): MapNode {
  const section = nodeAt(tree, [`${kind}s`]);
  const entries = section?.kind === 'map' ? [...section.entries] : [];
  const wanted = entries.filter(([text]) => {
    const id = parseComponentId(text);
    return id.ok && ids.has(id.value.text);
  });
  return mapNode(wanted, section?.position ?? tree.position);
}

/** What making the components of a part takes. */
export interface EdgeOptions {
  readonly registry: ComponentRegistry;
  readonly telemetry: Telemetry;
  /** What the part's exits lead to, by the key of the node that feeds them. */
  readonly exits: ReadonlyMap<string, TracesConsumer>;
}

/** Makes the components of a part, in the order of its nodes. Nothing is started. */
export function instantiateEdge(
  part: EdgePart,
  options: EdgeOptions,
): Result<readonly GraphNode[], readonly Problem[]> {
  const problems: Problem[] = [];
  const sections = new Map<ComponentKind, ReturnType<typeof readComponents>>();
  for (const kind of edgeKinds) {
    const section = readComponents(kind, part.settings[kind], options.registry);
    problems.push(...section.problems.filter(({ severity }) => severity === 'error'));
    sections.set(kind, section);
  }
  const nodes = part.nodes.flatMap((node): PlannedNode[] => {
    const component = sections.get(node.kind)?.components.get(node.id);
    return component === undefined ? [] : [{ ...node, component }];
  });
  if (problems.length > 0) return fail(problems);
  const made = instantiate({ nodes, edges: part.edges }, { telemetry: options.telemetry, exits: options.exits });
  return made.ok ? ok(made.nodes) : fail(made.problems);
}
