import { packetAt } from '@clew/net';
import type { PacketBatch } from '@clew/net';
import { Refusal, SINGLE_TENANT } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import type { SpanBatch } from '@clew/model';
import { WireError } from '@clew/wire';
import { SpanIngest, nowUnixNano } from './span-ingest.ts';
import type { Decode } from './span-ingest.ts';
import type { TransportEvents } from './transport-events.ts';

/** Pauses between attempts to hand datagrams to a pipeline that is full. */
const firstRetryMs = 20;
const lastRetryMs = 1_000;

/**
 * The way of datagrams into the pipeline. Their senders wait for no answer and send nothing twice, so datagrams that are ready together
 * become one batch, and one that the pipeline does not take now is offered again until it is taken or the receiver stops;
 * meanwhile the socket's queue fills, and what no longer fits is counted as dropped.
 */
export class UdpIngest {
  readonly #next: TracesConsumer;
  readonly #events: TransportEvents;
  readonly #decode: Decode;
  readonly #batches: SpanIngest;
  readonly #stopped = new AbortController();

  constructor(next: TracesConsumer, events: TransportEvents, decode: Decode) {
    this.#next = next;
    this.#events = events;
    this.#decode = decode;
    this.#batches = new SpanIngest(next, events);
  }

  /** Takes datagrams; resolves when the pipeline has acknowledged them or they have been given up and counted. */
  async take(packets: PacketBatch): Promise<void> {
    const batch = this.#batches.borrow();
    try {
      const decoded = this.#decodeAll(packets, batch);
      if (batch.count > 0) await this.#pass(batch, decoded);
      else if (decoded > 0) this.#events.accepted(0, decoded);
    } finally {
      this.#batches.giveBack(batch);
    }
  }

  /** Gives up on what the pipeline does not take from now on. */
  stop(): void {
    this.#stopped.abort();
  }

  /** A datagram that cannot be decoded costs its neighbours nothing. Returns how many could. */
  #decodeAll(packets: PacketBatch, batch: SpanBatch): number {
    let decoded = 0;
    for (let index = 0; index < packets.count; index++) {
      try {
        this.#decode(packetAt(packets, index), batch);
        decoded++;
      } catch (caught) {
        if (!(caught instanceof WireError)) throw caught;
        this.#events.rejected('malformed_data', caught.message);
      }
    }
    return decoded;
  }

  async #pass(batch: SpanBatch, packets: number): Promise<void> {
    const spans = batch.count;
    for (let pauseMs = firstRetryMs; ; pauseMs = Math.min(pauseMs * 2, lastRetryMs)) {
      const refusal = await this.#offer(batch);
      if (refusal === undefined) return this.#events.accepted(spans, packets);
      if (!refusal.retryable) return this.#events.failed(spans, refusal.message, packets);
      if (this.#stopped.signal.aborted) return this.#events.refused(spans, refusal.message, packets);
      await this.#pause(refusal.retryAfterMs ?? pauseMs);
    }
  }

  async #offer(batch: SpanBatch): Promise<Refusal | undefined> {
    try {
      const refusal = this.#next.admit(batch.heapLength);
      if (refusal !== undefined) return refusal;
      await this.#next.consumeTraces(batch, {
        tenant: SINGLE_TENANT,
        receivedUnixNano: nowUnixNano(),
        transport: this.#events.transport,
      });
      return undefined;
    } catch (caught) {
      return Refusal.from(caught);
    }
  }

  /** Waits, or until the receiver stops. */
  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stopped;
    const wake = (): void => resolve();
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    });
  }
}
