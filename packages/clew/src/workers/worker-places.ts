import type { Telemetry } from '@clew/base';
import { sharePorts } from '@clew/net';
import { PipelineError, formatProblem, instantiateEdge } from '@clew/pipeline';
import type { Component, ComponentRegistry, ComponentStatus, EdgePart, GraphNode, Host } from '@clew/pipeline';
import { MainConsumer } from './batch-sender.ts';
import type { BatchSender } from './batch-sender.ts';
import type { ControlRequest, WorkerReport } from './protocol.ts';

/** What the places of a worker need. */
export interface WorkerPlacesOptions {
  /** Number of the worker; the first listens where only one thread can. */
  readonly index: number;
  readonly registry: ComponentRegistry;
  readonly telemetry: Telemetry;
  readonly sender: BatchSender;
  readonly onStatus: (place: number, key: string, status: ComponentStatus) => void;
}

type Load = Extract<ControlRequest, { readonly kind: 'load' }>;

interface Place {
  readonly nodes: readonly GraphNode[];
  readonly running: Set<GraphNode>;
}

/** The parts of graphs that run in this worker. More than one exists only while one is exchanged for another. */
export class WorkerPlaces {
  readonly #options: WorkerPlacesOptions;
  readonly #places = new Map<number, Place>();

  constructor(options: WorkerPlacesOptions) {
    this.#options = options;
  }

  /** Makes the components of a part and starts its extensions; does nothing when that was done. */
  async load({ place, part, admission, refusals }: Load): Promise<void> {
    if (this.#places.has(place)) return;
    const { registry, telemetry, sender } = this.#options;
    sender.admission.add(place, admission, refusals);
    const made = instantiateEdge(part, { registry, telemetry, exits: exitsOf(place, part, sender) });
    if (!made.ok) {
      const text = made.error.map(formatProblem).join('; ');
      throw new PipelineError('graph_invalid', `cannot build the receiving part of the pipelines: ${text}`);
    }
    this.#places.set(place, { nodes: made.value, running: new Set() });
    for (const node of made.value) if (node.kind === 'extension') await this.start(place, node.key, false);
  }

  /** Starts one node, its listeners sharing their ports with other workers. */
  async start(place: number, key: string, checkFree: boolean): Promise<void> {
    const here = this.#places.get(place);
    const node = here?.nodes.find((candidate) => candidate.key === key);
    if (here === undefined || node === undefined)
      throw new PipelineError(
        'start_failed',
        `cannot start ${key}: this worker has no such component; load its part first`,
      );
    sharePorts({ checkFree, ownsUnshareable: this.#options.index === 0 });
    // It is asked to stop even when it fails to start: it may hold half of what it needs.
    here.running.add(node);
    await node.instance.start(this.#hostFor(place, here, key));
  }

  /** Stops one node; does nothing when it does not run here. */
  async stop(place: number, key: string, deadline: AbortSignal): Promise<void> {
    const here = this.#places.get(place);
    const node = here?.nodes.find((candidate) => candidate.key === key);
    if (here === undefined || node === undefined || !here.running.has(node)) return;
    await node.instance.stop(deadline);
    here.running.delete(node);
  }

  /** Stops the extensions of a part and forgets it. */
  async unload(place: number): Promise<void> {
    const here = this.#places.get(place);
    if (here === undefined) return;
    for (const node of [...here.running].toReversed()) await this.stop(place, node.key, AbortSignal.abort());
    this.#places.delete(place);
    this.#options.sender.admission.remove(place);
  }

  /** Snapshots of everything that runs. */
  details(): WorkerReport['details'] {
    return [...this.#places].flatMap(([place, { running }]) =>
      [...running].map(({ key, instance }) => ({ place, key, details: instance.snapshot() })),
    );
  }

  #hostFor(place: number, { running }: Place, key: string): Host {
    const extensions = (): GraphNode[] => [...running].filter(({ kind }) => kind === 'extension');
    return {
      extension: (id) => extensions().find((node) => node.id === id)?.instance,
      capability: <T extends Component>(guard: (component: Component) => component is T) =>
        extensions()
          .map(({ instance }) => instance)
          .find(guard),
      reportStatus: (status) => this.#options.onStatus(place, key, status),
    };
  }
}

function exitsOf(place: number, { exits }: EdgePart, sender: BatchSender): Map<string, MainConsumer> {
  return new Map(
    exits.map(({ from, durability }, entry) => [from, new MainConsumer(sender, { place, entry }, durability)]),
  );
}
