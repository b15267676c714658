import { selectSpans } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { Refusal, waitsForDurable, withoutBodyHash } from '@clew/pipeline';
import type { Component, ConsumeContext, CreateSettings, Durability, TracesConsumer } from '@clew/pipeline';
import { Batcher, rowRange } from './batcher.ts';
import type { BatchConfig } from './config.ts';
import { batchEvents } from './telemetry.ts';
import type { BatchEvents } from './telemetry.ts';

/** Batches one batcher may be sending at once. */
const maxInFlight = 4;

/** Tenants beyond this many are forgotten while they have nothing waiting. */
const maxIdleTenants = 1000;

/**
 * Gathers spans into larger batches. Where something durable follows, whatever the sender is told must be true of it: there,
 * and with a timeout of 0, batches pass through at once and the sender hears what follows says.
 */
export class BatchProcessor implements Component, TracesConsumer {
  /** Spans are copied into batches of its own. */
  readonly mutatesData = false;
  readonly #id: string;
  readonly #config: BatchConfig;
  readonly #next: TracesConsumer;
  readonly #events: BatchEvents;
  readonly #batchers = new Map<string, Batcher>();
  readonly #metadataKeys: readonly string[];
  #passThrough: boolean | undefined;
  #endObservation: (() => void) | undefined;
  #stopped = false;

  constructor({ id, config, telemetry }: CreateSettings<BatchConfig>, next: TracesConsumer) {
    this.#id = id;
    this.#config = config;
    this.#next = next;
    this.#events = batchEvents(telemetry, id);
    this.#metadataKeys = config.metadata_keys.map((key) => key.toLowerCase()).toSorted();
  }

  start(): Promise<void> {
    this.#endObservation ??= this.#events.observeCardinality(() => this.#batchers.size);
    return Promise.resolve();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#batchers.values()].map((batcher) => batcher.flush(deadline)));
    this.#endObservation?.();
    this.#endObservation = undefined;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const batchers = [...this.#batchers.values()];
    return {
      passesThrough: this.#passesThrough(),
      combinations: batchers.length,
      pendingSpans: batchers.reduce((sum, batcher) => sum + batcher.pendingSpans, 0),
      batchesInFlight: batchers.reduce((sum, batcher) => sum + batcher.inFlight, 0),
    };
  }

  durability(): Durability {
    const after = this.#next.durability();
    if (this.#passesThrough() || after.kind === 'none') return after;
    const own = `processor "${this.#id}" acknowledges before it passes spans on`;
    return { kind: 'memory', why: after.kind === 'memory' ? `${own}; ${after.why}` : own };
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.#next.admit(requestBytes);
  }

  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    if (this.#stopped) return Promise.reject(new Refusal('unavailable', `processor "${this.#id}" has stopped`));
    if (this.#passesThrough()) return this.#forward(batch, context);
    const batcher = this.#batcherFor(context);
    if (batcher instanceof Refusal) return Promise.reject(batcher);
    return batcher.add(batch, context.receivedUnixNano);
  }

  /** Decided once: what follows does not change while the pipeline runs. */
  #passesThrough(): boolean {
    return (this.#passThrough ??= this.#config.timeout === 0 || waitsForDurable(this.#next.durability()));
  }

  async #forward(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const max = this.#config.send_batch_max_size;
    if (max === 0 || batch.count <= max) return this.#next.consumeTraces(batch, context);
    const own = withoutBodyHash(context);
    for (let from = 0; from < batch.count; from += max) {
      await this.#next.consumeTraces(selectSpans(batch, rowRange(from, Math.min(from + max, batch.count))), own);
    }
  }

  #batcherFor(context: ConsumeContext): Batcher | Refusal {
    const values = this.#metadataKeys.map((key) => [key, context.metadata?.get(key) ?? []] as const);
    const key = JSON.stringify([context.tenant, values]);
    const known = this.#batchers.get(key);
    if (known !== undefined) return known;
    const { metadata_cardinality_limit: limit, timeout, send_batch_size, send_batch_max_size } = this.#config;
    if (this.#metadataKeys.length > 0 && limit > 0 && this.#batchers.size >= limit) {
      const advice = `raise metadata_cardinality_limit (${limit}) of processor "${this.#id}"`;
      return new Refusal('permanent', `too many batcher metadata-value combinations; ${advice}`);
    }
    if (this.#metadataKeys.length === 0 && this.#batchers.size >= maxIdleTenants) this.#forgetIdle();
    const carried = values.filter(([, list]) => list.length > 0);
    const batcher = new Batcher(
      {
        timeoutMs: timeout,
        sendBatchSize: Math.max(1, send_batch_size),
        sendBatchMaxSize: send_batch_max_size,
        maxInFlight,
      },
      this.#next,
      this.#events,
      {
        tenant: context.tenant,
        receivedUnixNano: context.receivedUnixNano,
        ...(carried.length === 0 ? {} : { metadata: new Map(carried) }),
      },
    );
    this.#batchers.set(key, batcher);
    return batcher;
  }

  #forgetIdle(): void {
    for (const [key, batcher] of this.#batchers) {
      if (batcher.pendingSpans === 0 && batcher.inFlight === 0) this.#batchers.delete(key);
    }
  }
}
