import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';
import { SpanBatch, concatInto, packBatch, selectSpans, unpackBatch } from '@clew/model';
import { NetError } from '@clew/net';
import type { OtlpClient } from '@clew/net';
import { Refusal, observeQueue } from '@clew/pipeline';
import type { Component, ConsumeContext, Durability, TracesConsumer } from '@clew/pipeline';
import { SendingQueue } from './sending-queue.ts';
import type { QueueItem } from './sending-queue.ts';
import type { SendingQueueConfig } from './queue-config.ts';
import { exporterEvents } from './telemetry.ts';
import type { ExporterEvents } from './telemetry.ts';

/** A batch on its way out, as one small buffer. */
interface PackedSpans extends QueueItem {
  readonly packed: Uint8Array;
}

/** What distinguishes one OTLP exporter from another. */
export interface OtlpExporterParts {
  readonly id: string;
  readonly telemetry: Telemetry;
  readonly queue: SendingQueueConfig;
  readonly encode: (batch: SpanBatch) => Uint8Array;
  readonly createClient: (events: ExporterEvents) => OtlpClient;
}

/** Sends batches to another OTLP server, through a queue unless that is switched off. */
export class OtlpExporter implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #parts: OtlpExporterParts;
  readonly #events: ExporterEvents;
  readonly #queue: SendingQueue<PackedSpans> | undefined;
  #client: OtlpClient | undefined;
  #unobserve: (() => void) | undefined;

  constructor(parts: OtlpExporterParts) {
    this.#parts = parts;
    this.#events = exporterEvents(parts.telemetry, parts.id);
    if (!parts.queue.enabled) return;
    this.#queue = new SendingQueue(parts.queue, (item) => this.#send(unpackBatch(item.packed)), mergePacked);
  }

  start(): Promise<void> {
    if (this.#client !== undefined) return Promise.resolve();
    this.#client = this.#parts.createClient(this.#events);
    const queue = this.#queue;
    if (queue !== undefined) {
      this.#unobserve = observeQueue(this.#parts.telemetry.meter, this.#parts.id, () => ({
        size: queue.size,
        capacity: queue.capacity,
        inFlightRequests: queue.inFlight,
      }));
    }
    return Promise.resolve();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    await this.#queue?.drain(deadline);
    await client.close();
    this.#unobserve?.();
    this.#client = undefined;
  }

  /** Without a queue the answer comes from the other server; with one the data is in memory when the sender is told. */
  durability(): Durability {
    const { queue } = this.#parts;
    if (!queue.enabled || queue.wait_for_result) return { kind: 'durable' };
    return { kind: 'memory', why: `the sending queue of exporter ${this.#parts.id} is in memory` };
  }

  admit(): Refusal | undefined {
    const queue = this.#queue;
    if (queue === undefined || this.#parts.queue.block_on_overflow || queue.size < queue.capacity) return undefined;
    return new Refusal('unavailable', 'sending queue is full');
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    // What a stopped exporter put into its queue, nobody would send.
    if (this.#client === undefined) throw new Refusal('unavailable', `exporter ${this.#parts.id} is not running`);
    if (this.#queue === undefined) return this.#sendNow(batch, context);
    const packed = packBatch(batch);
    const queued = await this.#queue.offer({ packed, spans: batch.count, bytes: packed.length });
    if (queued) return;
    this.#events.rejected(batch.count);
    throw new Refusal('unavailable', 'sending queue is full');
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const queue = this.#queue;
    return queue === undefined
      ? { queue: 'disabled' }
      : { queueSize: queue.size, queueCapacity: queue.capacity, inFlight: queue.inFlight };
  }

  async #sendNow(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    try {
      await this.#send(batch, context.signal);
    } catch (caught) {
      const permanent = caught instanceof NetError && caught.code === 'not_retryable';
      throw new Refusal(permanent ? 'permanent' : 'unavailable', errorMessage(caught), { cause: caught });
    }
  }

  async #send(batch: SpanBatch, signal?: AbortSignal): Promise<void> {
    const client = this.#client;
    if (client === undefined) throw new Refusal('unavailable', `exporter ${this.#parts.id} is not running`);
    try {
      const { partialSuccess } = await client.send('traces', this.#parts.encode(batch), signal ? { signal } : {});
      if (partialSuccess) this.#events.partialSuccess(partialSuccess.rejected, partialSuccess.message);
      this.#events.sent(batch.count - Number(partialSuccess?.rejected ?? 0n));
    } catch (caught) {
      this.#events.dropped(batch.count, errorMessage(caught));
      throw caught;
    }
  }
}

/** Waiting items as few larger ones of at most `maxSpans` spans (0 = one item, however large). */
function mergePacked(items: readonly PackedSpans[], maxSpans: number): readonly PackedSpans[] {
  const merged = new SpanBatch();
  for (const { packed } of items) concatInto(merged, unpackBatch(packed));
  const pieceSpans = maxSpans === 0 ? merged.count : maxSpans;
  const pieces: PackedSpans[] = [];
  for (let from = 0; from < merged.count; from += pieceSpans) {
    const length = Math.min(pieceSpans, merged.count - from);
    const rows = Uint32Array.from({ length }, (_, i) => from + i);
    const packed = packBatch(length === merged.count ? merged : selectSpans(merged, rows));
    pieces.push({ packed, spans: length, bytes: packed.length });
  }
  return pieces;
}
