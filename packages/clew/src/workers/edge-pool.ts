import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@clew/base';
import type { Logger, Telemetry } from '@clew/base';
import type { MetricFamily } from '@clew/base/node';
import type { Component, EdgeHost, EdgePart, TracesConsumer } from '@clew/pipeline';
import { EdgeThread, spawnEdgeWorker } from './edge-thread.ts';
import type { SpawnWorker } from './edge-thread.ts';
import { Placement } from './placement.ts';
import type { PlacementPool } from './placement.ts';
import { errorOf, statusOf } from './protocol.ts';
import type { Details, RefusalNotice, WorkerMessage, WorkerSetup } from './protocol.ts';
import { workerEvents } from './telemetry.ts';
import type { WorkerEvents } from './telemetry.ts';
import { WorkerFigures } from './worker-figures.ts';

/** What a pool of edge workers is made with. */
export interface EdgePoolOptions {
  /** How many threads; at least 1. */
  readonly count: number;
  readonly telemetry: Telemetry;
  /** Lines below it never leave a worker. */
  readonly logLevel: WorkerSetup['logLevel'];
  /** How threads are made. Default: of `edge-worker.ts`. */
  readonly spawn?: SpawnWorker;
  /** Pause before a lost thread is started again, in milliseconds; doubled each time up to a hundredfold. Default 100. */
  readonly firstPauseMs?: number;
}

/** A worker's place in the pool: the thread that now has it. */
interface Slot {
  readonly index: number;
  thread: EdgeThread;
  startedMs: number;
  /** Losses in a row; a thread that lived for a while ends the row. */
  losses: number;
}

/** A thread that lived this long was no failed start. */
const longLifeMs = 60_000;
/** How long a scrape waits for a worker before it takes what the worker said last. */
const reportPatienceMs = 1_000;

/**
 * The edge workers of a program, seen as one: runs the receiving parts of graphs in every thread, adds up what the threads say, and
 * replaces threads that end.
 */
export class EdgePool implements EdgeHost {
  readonly #options: EdgePoolOptions;
  readonly #events: WorkerEvents;
  readonly #logger: Logger;
  readonly #figures = new WorkerFigures();
  readonly #slots: Slot[];
  readonly #placements = new Map<number, Placement>();
  readonly #endObservation: () => void;
  readonly #closing = new AbortController();
  #lastPlace = 0;
  #asking = false;

  /** Starts the threads; they do nothing before something is placed and started. */
  constructor(options: EdgePoolOptions) {
    this.#options = options;
    this.#logger = options.telemetry.logger;
    this.#events = workerEvents(options.telemetry);
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      thread: this.#newThread(index),
      startedMs: performance.now(),
      losses: 0,
    }));
    this.#endObservation = this.#events.observe(() => this.#threads().length);
  }

  place(part: EdgePart, entries: ReadonlyMap<string, TracesConsumer>): ReadonlyMap<string, Component> {
    return new Placement(++this.#lastPlace, part, entries, this.#poolFor()).standIns();
  }

  heldBytes(): number {
    return this.#figures.heldBytes;
  }

  /** The metrics of each worker. One that is too busy to answer is represented by what it said last. */
  async families(): Promise<readonly (readonly MetricFamily[])[]> {
    const patience = AbortSignal.timeout(reportPatienceMs);
    const expired = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#askForReports(), expired]);
    return this.#figures.families;
  }

  /** Ends all threads; what they run must have been stopped. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#endObservation();
    await Promise.all(this.#slots.map(({ thread }) => thread.close()));
  }

  #newThread(index: number): EdgeThread {
    return new EdgeThread({ index, logLevel: this.#options.logLevel }, this.#options.spawn ?? spawnEdgeWorker, {
      entry: (place, entry) => this.#placements.get(place)?.entry(entry),
      refused: (place, entry, bytes) => this.#placements.get(place)?.admission.refused(entry, bytes),
      message: (message) => this.#onMessage(index, message),
      lost: (reason, batchesInFlight) => this.#onLost(this.#slots[index]!, reason, batchesInFlight),
    });
  }

  #poolFor(): PlacementPool {
    return {
      threads: () => this.#threads(),
      began: (placement) => void this.#placements.set(placement.number, placement),
      ended: (placement) => {
        this.#placements.delete(placement.number);
        this.#figures.forget(placement.number);
      },
      details: (place, key) => this.#details(place, key),
      refresh: () => this.#askForReports(),
      announce: (notice: RefusalNotice) => {
        for (const thread of this.#threads()) thread.batches.announce(notice);
      },
    };
  }

  #threads(): EdgeThread[] {
    return this.#slots.map(({ thread }) => thread).filter(({ alive }) => alive);
  }

  /** Snapshots are asked for without waiting: what is known is shown, and what is asked now is shown next time. */
  #details(place: number, key: string): Details {
    if (!this.#asking) {
      this.#asking = true;
      void this.#askForReports().finally(() => (this.#asking = false));
    }
    return this.#figures.details(place, key);
  }

  async #askForReports(): Promise<void> {
    // A thread that ends meanwhile has nothing to report; its end is reported by itself.
    await Promise.allSettled(this.#threads().map((thread) => thread.ask({ kind: 'report' })));
  }

  #onMessage(index: number, message: Exclude<WorkerMessage, { readonly kind: 'answer' }>): void {
    switch (message.kind) {
      case 'report':
        return this.#figures.set(index, message.report);
      case 'status':
        return this.#placements.get(message.place)?.reportStatus(message.key, statusOf(message.status));
      case 'log':
        return this.#logger[message.level](message.message, revived(message.fields));
    }
  }

  #onLost(slot: Slot, reason: string, batchesInFlight: number): void {
    this.#figures.retire(slot.index);
    if (performance.now() - slot.startedMs > longLifeMs) slot.losses = 0;
    const firstPauseMs = this.#options.firstPauseMs ?? 100;
    const pauseMs = Math.min(firstPauseMs * 2 ** slot.losses++, firstPauseMs * 100);
    this.#events.lost(slot.index, reason, batchesInFlight, pauseMs);
    this.#reportStatus({ kind: 'recoverable', error: new Error(`edge worker ${slot.index} ended: ${reason}`) });
    void this.#recover(slot, pauseMs);
  }

  async #recover(slot: Slot, pauseMs: number): Promise<void> {
    const { signal } = this.#closing;
    try {
      await sleep(pauseMs, undefined, { signal });
    } catch {
      return; // The pool was closed meanwhile.
    }
    const thread = this.#newThread(slot.index);
    slot.thread = thread;
    slot.startedMs = performance.now();
    try {
      for (const placement of this.#placements.values()) await placement.catchUp(thread);
    } catch (caught) {
      if (signal.aborted || !thread.alive) return; // Its own end is reported by itself.
      this.#events.recoveryFailed(slot.index, errorMessage(caught));
      await thread.close();
      this.#figures.retire(slot.index);
      slot.losses++;
      return this.#recover(slot, Math.min(pauseMs * 2, (this.#options.firstPauseMs ?? 100) * 100));
    }
    this.#events.recovered(slot.index);
    if (this.#threads().length === this.#slots.length) this.#reportStatus({ kind: 'ok' });
  }

  #reportStatus(status: Parameters<Placement['reportStatus']>[1]): void {
    for (const placement of this.#placements.values())
      for (const key of placement.running) placement.reportStatus(key, status);
  }
}

/** Log fields as they were before they left the worker. */
function revived(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [name, isFailure(value) ? errorOf(value) : value]),
  );
}

function isFailure(value: unknown): value is { readonly message: string } {
  return value !== null && typeof value === 'object' && 'message' in value && typeof value.message === 'string';
}
