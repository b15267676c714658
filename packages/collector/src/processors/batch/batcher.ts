import { SpanBatch, concatInto, selectSpans } from '@clew/model';
import type { ConsumeContext, TracesConsumer } from '@clew/pipeline';
import type { BatchEvents, Trigger } from './telemetry.ts';

/** When batches are sent. */
export interface BatcherOptions {
  readonly timeoutMs: number;
  readonly sendBatchSize: number;
  /** 0 is unlimited. */
  readonly sendBatchMaxSize: number;
  /** Batches being sent at once; whoever fills another one waits. */
  readonly maxInFlight: number;
}

/** Gathers spans of one tenant and one combination of metadata, and sends them on when enough have come or waited enough. */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #next: TracesConsumer;
  readonly #events: BatchEvents;
  readonly #sending = new Set<Promise<void>>();
  #pending = new SpanBatch();
  /** Of the oldest pending spans. */
  #context: ConsumeContext;
  #timer: NodeJS.Timeout | undefined;

  /** `context` is what sent batches travel with, apart from the time of receipt. */
  constructor(options: BatcherOptions, next: TracesConsumer, events: BatchEvents, context: ConsumeContext) {
    this.#options = options;
    this.#next = next;
    this.#events = events;
    this.#context = context;
  }

  /** Spans that wait to be sent. */
  get pendingSpans(): number {
    return this.#pending.count;
  }

  /** Batches being sent. */
  get inFlight(): number {
    return this.#sending.size;
  }

  /** Copies spans in. Resolves at once unless it filled a batch while too many others are being sent. */
  async add(batch: SpanBatch, receivedUnixNano: bigint): Promise<void> {
    if (this.#pending.count === 0) this.#context = { ...this.#context, receivedUnixNano };
    concatInto(this.#pending, batch);
    if (this.#pending.count < this.#options.sendBatchSize) return this.#armTimer();
    this.#sendFull();
    while (this.#sending.size > this.#options.maxInFlight) await Promise.race(this.#sending);
  }

  /** Sends what is pending and waits until everything is out, or the deadline passes. */
  async flush(deadline: AbortSignal): Promise<void> {
    this.#sendRest('stop');
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    deadline.addEventListener('abort', onAbort, { once: true });
    if (deadline.aborted) resolve();
    await Promise.race([Promise.all(this.#sending), expired]);
    deadline.removeEventListener('abort', onAbort);
  }

  /** Sends as long as there is enough, and lets what is left wait anew. */
  #sendFull(): void {
    const { sendBatchSize, sendBatchMaxSize: max } = this.#options;
    this.#disarmTimer();
    const pending = this.#take();
    if (max === 0) return this.#send(pending, 'size');
    let from = 0;
    for (; pending.count - from >= sendBatchSize; from += max) {
      this.#send(selectSpans(pending, rowRange(from, Math.min(from + max, pending.count))), 'size');
    }
    if (from >= pending.count) return;
    concatInto(this.#pending, pending, rowRange(from, pending.count));
    this.#armTimer();
  }

  /** Sends everything, in pieces when there is a largest size. */
  #sendRest(trigger: Trigger): void {
    this.#disarmTimer();
    if (this.#pending.count === 0) return;
    const pending = this.#take();
    const max = this.#options.sendBatchMaxSize;
    if (max === 0 || pending.count <= max) return this.#send(pending, trigger);
    for (let from = 0; from < pending.count; from += max) {
      this.#send(selectSpans(pending, rowRange(from, Math.min(from + max, pending.count))), trigger);
    }
  }

  #take(): SpanBatch {
    const pending = this.#pending;
    this.#pending = new SpanBatch();
    return pending;
  }

  #send(batch: SpanBatch, trigger: Trigger): void {
    const spans = batch.count;
    this.#events.sent(trigger, spans);
    const sent = this.#next
      .consumeTraces(batch, this.#context)
      .catch((error: unknown) => this.#events.lost(spans, error));
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }

  #armTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#sendRest('timeout');
    }, this.#options.timeoutMs);
  }

  #disarmTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** The rows `[from, to)`. */
export function rowRange(from: number, to: number): Uint32Array {
  const rows = new Uint32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return rows;
}
