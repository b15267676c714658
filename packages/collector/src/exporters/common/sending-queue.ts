import type { SendingQueueConfig } from './queue-config.ts';

/** Something waiting to be sent. */
export interface QueueItem {
  readonly spans: number;
  readonly bytes: number;
}

/** Merges waiting items before they are sent; absent when the queue does not batch. */
export type MergeItems<T extends QueueItem> = (items: readonly T[], maxSpans: number) => readonly T[];

interface Waiting<T> {
  readonly item: T;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The queue in front of an exporter: bounded, drained by a fixed number of consumers, optionally merging small items into larger ones.
 * Order is not kept across consumers.
 */
export class SendingQueue<T extends QueueItem> {
  readonly capacity: number;
  readonly #config: SendingQueueConfig;
  readonly #send: (item: T) => Promise<void>;
  readonly #merge: MergeItems<T>;
  readonly #waiting: Waiting<T>[] = [];
  readonly #spaceWaiters: (() => void)[] = [];
  readonly #idleWaiters: (() => void)[] = [];
  #size = 0;
  #inFlight = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushDue = false;
  #stopping = false;

  /** @param send sends one item; its failure is final */
  constructor(config: SendingQueueConfig, send: (item: T) => Promise<void>, merge: MergeItems<T>) {
    this.#config = config;
    this.capacity = config.queue_size;
    this.#send = send;
    this.#merge = merge;
  }

  /** What is held, in the queue's own unit. */
  get size(): number {
    return this.#size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Adds an item; false when it does not fit (and the queue does not wait for space). With `wait_for_result` the promise settles with
   * the send, and rejects as it does; otherwise it resolves when the item is queued.
   */
  async offer(item: T): Promise<boolean> {
    const cost = this.#costOf(item);
    while (this.#size + cost > this.capacity && this.#size > 0) {
      if (!this.#config.block_on_overflow || this.#stopping) return false;
      await new Promise<void>((resolve) => this.#spaceWaiters.push(resolve));
    }
    if (cost > this.capacity) return false;
    const done = Promise.withResolvers<void>();
    // Failures are reported where they happen; nobody may be waiting for this promise.
    done.promise.catch(() => undefined);
    this.#size += cost;
    this.#waiting.push({ item, done });
    this.#pump();
    if (this.#config.wait_for_result) await done.promise;
    return true;
  }

  /** Sends what waits and resolves when nothing is in flight, or when the deadline passes. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#flushDue = true;
    clearTimeout(this.#flushTimer);
    this.#pump();
    if (this.#waiting.length === 0 && this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #pump(): void {
    while (this.#inFlight < this.#config.num_consumers && this.#ready()) {
      const parts = this.#take();
      const items = parts.map(({ item }) => item);
      const { batch } = this.#config;
      void this.#run(batch === undefined ? items : this.#merge(items, batch.max_size), parts);
    }
  }

  /** With batching, waits for enough spans or for the flush timer. */
  #ready(): boolean {
    if (this.#waiting.length === 0) return false;
    const { batch } = this.#config;
    if (batch === undefined || this.#flushDue || this.#stopping) return true;
    const spans = this.#waiting.reduce((sum, { item }) => sum + item.spans, 0);
    if (spans >= batch.min_size) return true;
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      this.#flushDue = true;
      this.#pump();
    }, batch.flush_timeout);
    return false;
  }

  /** One item, or everything that waits when items are merged. */
  #take(): Waiting<T>[] {
    if (this.#config.batch === undefined) return this.#waiting.splice(0, 1);
    this.#flushDue = false;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    return this.#waiting.splice(0);
  }

  /** Sends `items`, into which `parts` were merged; every part fares as the worst of them. */
  async #run(items: readonly T[], parts: readonly Waiting<T>[]): Promise<void> {
    this.#inFlight++;
    const outcomes = await Promise.allSettled(items.map((item) => this.#send(item)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    for (const { done } of parts) {
      if (failed) done.reject(failed.reason);
      else done.resolve();
    }
    this.#inFlight--;
    for (const { item } of parts) this.#size -= this.#costOf(item);
    for (const wake of this.#spaceWaiters.splice(0)) wake();
    this.#pump();
    if (this.#waiting.length === 0 && this.#inFlight === 0) for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  #costOf(item: T): number {
    if (this.#config.sizer === 'items') return item.spans;
    return this.#config.sizer === 'bytes' ? item.bytes : 1;
  }
}
