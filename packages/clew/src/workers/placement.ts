import type { Component, ComponentStatus, EdgePart, Host, TracesConsumer } from '@clew/pipeline';
import { AdmissionPublisher } from './admission.ts';
import type { EdgeThread } from './edge-thread.ts';
import type { ControlRequest, Details, RefusalNotice } from './protocol.ts';

/** What a placement needs of the pool it runs in. */
export interface PlacementPool {
  /** The threads that live. */
  threads(): readonly EdgeThread[];
  /** Called when the first node starts. */
  began(placement: Placement): void;
  /** Called when the last node has stopped. */
  ended(placement: Placement): void;
  /** The merged snapshots of a node in all threads. */
  details(place: number, key: string): Details;
  /** Asks all threads what is to be known of their nodes. */
  refresh(): Promise<void>;
  announce(notice: RefusalNotice): void;
}

/**
 * The part of one graph that runs in the workers: what stands for its nodes in the graph, and which of them run. A node starts in the
 * first worker before it starts in the others, so that a taken port is noticed by the one that looks for it.
 */
export class Placement {
  readonly number: number;
  readonly admission: AdmissionPublisher;
  readonly #pool: PlacementPool;
  readonly #part: EdgePart;
  readonly #entries: readonly TracesConsumer[];
  /** Hosts of the nodes that run or are starting, in the order they started. */
  readonly #running = new Map<string, Host>();
  #began = false;

  constructor(number: number, part: EdgePart, entries: ReadonlyMap<string, TracesConsumer>, pool: PlacementPool) {
    this.number = number;
    this.#pool = pool;
    this.#part = part;
    this.#entries = part.exits.map(({ from }) => entries.get(from)!);
    this.admission = new AdmissionPublisher(number, this.#entries, (notice) => pool.announce(notice));
  }

  /** Keys of the nodes that run or are starting, in the order they started. */
  get running(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** What an entry leads to. */
  entry(number: number): TracesConsumer | undefined {
    return this.#entries[number];
  }

  /** What stands for the nodes in the graph of the main thread. */
  standIns(): ReadonlyMap<string, Component> {
    const nodes = this.#part.nodes.filter(({ kind }) => kind !== 'extension');
    return new Map(nodes.map(({ key }) => [key, this.#standIn(key)]));
  }

  /** Passes on what a node reports of its health, or what happened to the worker it runs in. */
  reportStatus(key: string, status: ComponentStatus): void {
    this.#running.get(key)?.reportStatus(status);
  }

  /** Brings a new thread to where the others are. Stops half-way when the nodes are stopped meanwhile. */
  async catchUp(thread: EdgeThread): Promise<void> {
    await thread.ask(this.#load());
    for (const key of this.#part.nodes.map((node) => node.key)) {
      if (this.#running.has(key)) await thread.ask({ kind: 'start', place: this.number, key, checkFree: false });
    }
  }

  #standIn(key: string): Component {
    return {
      start: (host) => this.#start(key, host),
      stop: (deadline) => this.#stop(key, deadline),
      snapshot: () => this.#pool.details(this.number, key),
    };
  }

  async #start(key: string, host: Host): Promise<void> {
    if (this.#running.has(key)) return;
    if (!this.#began) await this.#begin();
    this.#running.set(key, host);
    const start = (thread: EdgeThread, checkFree: boolean): Promise<void> =>
      thread.ask({ kind: 'start', place: this.number, key, checkFree });
    const [first, ...others] = this.#pool.threads();
    if (first === undefined) return;
    await start(first, true).catch((error: unknown) => {
      throw withThreadHint(error);
    });
    await Promise.all(others.map((thread) => start(thread, false)));
    // What was started can be seen at once.
    await this.#pool.refresh();
  }

  async #begin(): Promise<void> {
    this.#began = true;
    this.#pool.began(this);
    this.admission.start();
    await Promise.all(this.#pool.threads().map((thread) => thread.ask(this.#load())));
  }

  async #stop(key: string, deadline: AbortSignal): Promise<void> {
    if (!this.#running.has(key)) return;
    const request = { kind: 'stop', place: this.number, key, expired: deadline.aborted } as const;
    try {
      await this.#askAll(request, deadline);
    } finally {
      this.#running.delete(key);
      if (this.#running.size === 0) await this.#end();
    }
  }

  async #end(): Promise<void> {
    this.#began = false;
    this.admission.stop();
    this.#pool.ended(this);
    await this.#askAll({ kind: 'unload', place: this.number });
  }

  /** Asks every thread. One that went away meanwhile holds nothing any more, so that is no failure. */
  async #askAll(request: ControlRequest, deadline?: AbortSignal): Promise<void> {
    const ask = async (thread: EdgeThread): Promise<void> => {
      try {
        await thread.ask(request, deadline);
      } catch (caught) {
        if (thread.alive) throw caught;
      }
    };
    await Promise.all(this.#pool.threads().map(ask));
  }

  #load(): ControlRequest {
    const { memory, notices } = this.admission;
    return { kind: 'load', place: this.number, part: this.#part, admission: memory, refusals: notices };
  }
}

/** A port that this very program holds is one that a component of the main thread listens on: says what to do about that. */
function withThreadHint(caught: unknown): unknown {
  if (!(caught instanceof Error) || !caught.message.includes(`(pid ${process.pid})`)) return caught;
  const hint =
    'that is this program: what runs in edge workers cannot share a port with what runs in the main thread; use another port or --workers 1';
  return new Error(`${caught.message} (${hint})`, { cause: caught });
}
