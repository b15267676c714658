import { Lifecycle, errorMessage, fail, ok } from '@clew/base';
import type { LifecycleState, Result, Telemetry } from '@clew/base';
import { isPipelineWatcher } from '../component.ts';
import type { Component, ComponentStatus, Host, PipelineWatcher } from '../component.ts';
import type { Configuration } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import type { Durability } from '../consumer.ts';
import { PipelineError } from '../errors.ts';
import type { FeatureGates } from '../feature-gates.ts';
import { durabilityText } from './durability.ts';
import { cutPlan } from './edge-cut.ts';
import { edgePart } from './edge-part.ts';
import type { EdgeHost } from './edge-part.ts';
import { instantiate } from './instantiate.ts';
import type { GraphNode } from './instantiate.ts';
import { planGraph } from './plan.ts';
import type { GraphPlan } from './plan.ts';

/** What a graph needs besides its configuration. */
export interface GraphOptions {
  readonly telemetry: Telemetry;
  /** Which gated behaviours are on; the defaults when absent. */
  readonly gates?: FeatureGates;
  /** Called when a component reports a fatal error; the owner shuts the process down. */
  readonly onFatal?: (error: Error, key: string) => void;
  /** Running extensions to take over, by node key: they are neither made, nor stopped when this graph fails to start. */
  readonly reuse?: ReadonlyMap<string, Component>;
  /** Runs receivers and stateless processors in threads of their own; everything runs in this one when absent. */
  readonly edge?: EdgeHost;
}

/** What acknowledging a request means at one receiver. */
export interface Acknowledgement {
  /** The receiver's id. */
  readonly receiver: string;
  readonly durability: Durability;
  /** `acknowledged = durable`, or what it means instead and why. */
  readonly text: string;
}

/** A graph as plain data, for /debug and the command line. */
export interface GraphSnapshot {
  readonly state: LifecycleState['kind'];
  readonly nodes: readonly {
    readonly key: string;
    readonly kind: string;
    readonly id: string;
    readonly type: string;
    readonly placement: string;
    readonly pipeline?: string;
    readonly signal?: string;
    readonly status: string;
    readonly error?: string;
    /** What the component says of itself, queue depths among it. */
    readonly details: Readonly<Record<string, unknown>>;
  }[];
  readonly edges: GraphPlan['edges'];
  readonly acknowledgements: readonly Acknowledgement[];
}

/** After the deadline, how long a component may still take to clean up before it is left behind. */
const stopGraceMs = 5_000;

/** Builds the graph of a configuration without starting it: also how a configuration is checked. */
export function buildGraph(config: Configuration, options: GraphOptions): Result<PipelineGraph, readonly Problem[]> {
  const planned = planGraph(config);
  if (!planned.ok) return fail(planned.problems);
  const { plan } = planned;
  const { edge } = options;
  const cut = edge === undefined ? undefined : cutPlan(plan);
  const built = instantiate(plan, { ...options, ...(cut === undefined ? {} : { cut }) });
  if (!built.ok) return fail(built.problems);
  if (edge === undefined || cut === undefined || cut.exits.length === 0)
    return ok(new PipelineGraph(config, plan, built.nodes, options));
  // Components made here for the edge are never started: they only know what acknowledging means there.
  const standIns = edge.place(edgePart(config, plan, cut, built.entries), built.entries);
  const nodes = built.nodes.map((node) => ({ ...node, instance: standIns.get(node.key) ?? node.instance }));
  return ok(new PipelineGraph(config, plan, nodes, options));
}

/** Components connected as configured, with one life: started consumers first, stopped producers first. */
export class PipelineGraph {
  readonly config: Configuration;
  /** In the order they start. */
  readonly nodes: readonly GraphNode[];
  readonly #plan: GraphPlan;
  readonly #options: GraphOptions;
  readonly #statuses = new Map<string, ComponentStatus>();
  readonly #lifecycle: Lifecycle;
  #started: GraphNode[] = [];
  #kept: ReadonlySet<string> = new Set();

  /** Use {@link buildGraph}. */
  constructor(config: Configuration, plan: GraphPlan, nodes: readonly GraphNode[], options: GraphOptions) {
    this.config = config;
    this.nodes = nodes;
    this.#plan = plan;
    this.#options = options;
    this.#kept = new Set(options.reuse?.keys());
    this.#lifecycle = new Lifecycle('the pipeline graph', {
      start: () => this.#startAll(),
      stop: (deadline) => this.#stopAll(deadline),
    });
  }

  /**
   * Starts everything: extensions in their order, then exporters, processors and connectors, receivers last. When one fails,
   * what was started is stopped again and a `PipelineError` names it.
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Stops everything in the opposite order; every component is attempted. Nodes in `keep` are left running for another graph
   * to take over. Rejects with `stop_failed` when components did not stop cleanly.
   */
  stop(deadline: AbortSignal, keep: ReadonlySet<string> = new Set()): Promise<void> {
    this.#kept = keep;
    return this.#lifecycle.stop(deadline);
  }

  /** What acknowledging means, per receiver. */
  acknowledgements(): Acknowledgement[] {
    return this.nodes.flatMap(({ kind, id, next }) => {
      if (kind !== 'receiver' || next === undefined) return [];
      const durability = next.durability();
      return [{ receiver: id, durability, text: durabilityText(durability) }];
    });
  }

  /** The whole graph as plain data. */
  snapshot(): GraphSnapshot {
    return {
      state: this.#lifecycle.state().kind,
      nodes: this.nodes.map(({ key, kind, id, component, placement, pipeline, signal, instance }) => {
        const status = this.#statuses.get(key);
        return {
          key,
          kind,
          id,
          type: component.factory.type,
          placement,
          ...(pipeline === undefined ? {} : { pipeline }),
          ...(signal === undefined ? {} : { signal }),
          status: status?.kind ?? 'stopped',
          ...(status !== undefined && 'error' in status ? { error: status.error.message } : {}),
          details: instance.snapshot(),
        };
      }),
      edges: this.#plan.edges,
      acknowledgements: this.acknowledgements(),
    };
  }

  /** The started component of an extension id, or undefined. */
  extension(id: string): Component | undefined {
    return this.#started.find(({ kind, id: other }) => kind === 'extension' && other === id)?.instance;
  }

  async #startAll(): Promise<void> {
    for (const node of this.nodes) {
      this.#setStatus(node.key, { kind: 'starting' });
      try {
        await node.instance.start(this.#hostFor(node));
      } catch (error) {
        this.#setStatus(node.key, {
          kind: 'permanent',
          error: error instanceof Error ? error : new Error(String(error)),
        });
        // The failing component may hold half of what it needs; it is asked to let go like the others.
        this.#started.push(node);
        const phase = node.kind === 'extension' ? 'failed to start extensions' : 'cannot start pipelines';
        throw new PipelineError(
          'start_failed',
          `${phase}: failed to start "${node.id}" ${node.kind}: ${errorMessage(error)}`,
          {
            cause: error,
          },
        );
      }
      this.#started.push(node);
      // A component may have told of its health while it started.
      if (this.#statuses.get(node.key)?.kind === 'starting') this.#setStatus(node.key, { kind: 'ok' });
    }
    for (const watcher of this.#watchers()) watcher.pipelinesReady();
  }

  async #stopAll(deadline: AbortSignal): Promise<void> {
    const errors: unknown[] = [];
    for (const watcher of this.#watchers()) watcher.pipelinesStopping();
    for (const node of this.#started.toReversed()) {
      if (this.#kept.has(node.key)) continue;
      this.#setStatus(node.key, { kind: 'stopping' });
      try {
        await withGrace(node.instance.stop(deadline), deadline, `${node.kind} "${node.id}"`);
        this.#setStatus(node.key, { kind: 'stopped' });
      } catch (error) {
        errors.push(error);
        this.#setStatus(node.key, {
          kind: 'permanent',
          error: error instanceof Error ? error : new Error(String(error)),
        });
        this.#options.telemetry.logger.error('A component did not stop cleanly.', { component: node.key, error });
      }
    }
    this.#started = [];
    if (errors.length === 0) return;
    const message = `failed to stop cleanly: ${errors.map(errorMessage).join('; ')}`;
    throw new PipelineError('stop_failed', message, {
      cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    });
  }

  #watchers(): PipelineWatcher[] {
    return this.#started.flatMap(({ kind, instance }) =>
      kind === 'extension' && isPipelineWatcher(instance) ? [instance] : [],
    );
  }

  #setStatus(key: string, status: ComponentStatus): void {
    this.#statuses.set(key, status);
    for (const watcher of this.#watchers()) watcher.statusChanged(key, status);
    if (status.kind === 'fatal') this.#options.onFatal?.(status.error, key);
  }

  #hostFor(node: GraphNode): Host {
    const extensions = () => this.#started.filter(({ kind }) => kind === 'extension').map(({ instance }) => instance);
    return {
      extension: (id) => this.extension(id),
      capability: (guard) => extensions().find(guard),
      ...(this.#options.edge === undefined ? {} : { otherThreadsBytes: () => this.#options.edge?.heldBytes() ?? 0 }),
      reportStatus: (status) => {
        if ('error' in status) {
          const { logger } = this.#options.telemetry;
          logger.warn('A component reports trouble.', {
            component: node.key,
            status: status.kind,
            error: status.error,
          });
        }
        this.#setStatus(node.key, status);
      },
    };
  }
}

/** Waits for a component to stop, and a little longer than the deadline for it to clean up, but not for ever. */
async function withGrace(stopping: Promise<void>, deadline: AbortSignal, name: string): Promise<void> {
  const { promise: abandoned, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const message = `${name} did not stop within ${stopGraceMs} ms after the deadline and is left behind`;
    timer = setTimeout(() => reject(new PipelineError('stop_failed', message)), stopGraceMs);
  };
  if (deadline.aborted) arm();
  else deadline.addEventListener('abort', arm, { once: true });
  try {
    await Promise.race([stopping, abandoned]);
  } finally {
    deadline.removeEventListener('abort', arm);
    clearTimeout(timer);
  }
}
