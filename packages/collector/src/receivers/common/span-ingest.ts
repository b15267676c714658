import { Refusal, SINGLE_TENANT, hashBody } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { SpanBatch } from '@clew/model';
import { WireError } from '@clew/wire';
import type { TransportEvents } from './transport-events.ts';

/** Appends what a body holds to a batch, or throws a `WireError` and leaves the batch as it was. */
export type Decode = (body: Uint8Array, batch: SpanBatch) => unknown;

/** What a transport knows of the request whose body it hands over. */
export interface IngestCall {
  readonly signal: AbortSignal;
  /** Empty on a Unix socket. */
  readonly clientAddress: string;
  readonly metadata?: ReadonlyMap<string, readonly string[]>;
}

/** Idle batches kept for reuse; as many as requests are usually in flight. */
const maxIdleBatches = 32;
/** A batch that grew beyond this many spans is not kept: one huge request must not hold memory for ever. */
const maxIdleSpans = 20_000;

/**
 * The way of a request body into the pipeline, the same for every receiver and transport: decode, hand on, count, reuse the
 * batch. A hot path, guarded by `bench/ingest`: per request it allocates a context and a promise, per span nothing.
 */
export class SpanIngest {
  readonly #next: TracesConsumer;
  readonly #events: TransportEvents;
  readonly #idle: SpanBatch[] = [];

  constructor(next: TracesConsumer, events: TransportEvents) {
    this.#next = next;
    this.#events = events;
  }

  /** Why a request of so many bytes would be refused now, before its body is read. */
  admit(requestBytes: number): Refusal | undefined {
    return this.#next.admit(requestBytes);
  }

  /**
   * Decodes a body and passes it on. Resolves when the pipeline has acknowledged it; rejects with the `WireError` of a malformed
   * body or the `Refusal` of the pipeline. The body must not be changed until then.
   */
  async take(body: Uint8Array, decode: Decode, call: IngestCall): Promise<void> {
    const batch = this.borrow();
    try {
      this.#decode(body, decode, batch);
      if (batch.count > 0) await this.#pass(batch, body, call);
      else this.#events.accepted(0);
    } finally {
      this.giveBack(batch);
    }
  }

  /** An empty batch; give it back when it is no longer used. */
  borrow(): SpanBatch {
    return this.#idle.pop() ?? new SpanBatch();
  }

  giveBack(batch: SpanBatch): void {
    const small = batch.names.length <= maxIdleSpans;
    batch.reset();
    if (small && this.#idle.length < maxIdleBatches) this.#idle.push(batch);
  }

  #decode(body: Uint8Array, decode: Decode, batch: SpanBatch): void {
    try {
      decode(body, batch);
    } catch (caught) {
      if (caught instanceof WireError) this.#events.rejected('malformed_data', caught.message);
      throw caught;
    }
  }

  async #pass(batch: SpanBatch, body: Uint8Array, call: IngestCall): Promise<void> {
    const spans = batch.count;
    try {
      await this.#next.consumeTraces(batch, {
        tenant: SINGLE_TENANT,
        receivedUnixNano: nowUnixNano(),
        bodyHash: hashBody(body),
        signal: call.signal,
        transport: this.#events.transport,
        clientAddress: call.clientAddress,
        ...(call.metadata ? { metadata: call.metadata } : {}),
      });
    } catch (caught) {
      const refusal = Refusal.from(caught);
      if (refusal.retryable) this.#events.refused(spans, refusal.message);
      else this.#events.failed(spans, refusal.message);
      throw refusal;
    }
    this.#events.accepted(spans);
  }
}

/** The time of day as pipelines carry it. */
export function nowUnixNano(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
