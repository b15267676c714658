import type { MessagePort } from 'node:worker_threads';
import { packBatch } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { ConsumeContext, Durability, TracesConsumer } from '@clew/pipeline';
import type { SharedAdmission } from './admission.ts';
import { refusalOf } from './protocol.ts';
import type { BatchMessage, PackedBatch, SettledMessage } from './protocol.ts';

/** Where a batch goes in the main thread. */
export interface Destination {
  readonly place: number;
  readonly entry: number;
}

/**
 * The worker's end of the bridge: hands batches over to the main thread and tells their senders what became of them.
 *
 * A hot path, guarded by `bench/workers`: a batch costs its packing and one buffer, which changes hands without being copied; what gathers in a
 * turn of the event loop travels as one message.
 */
export class BatchSender {
  readonly admission: SharedAdmission;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #batches: PackedBatch[] = [];
  #cancelled: number[] = [];
  #lastId = 0;
  #scheduled = false;

  constructor(port: MessagePort, admission: SharedAdmission) {
    this.admission = admission;
    this.#port = port;
    port.on('message', ({ outcomes, notices }: SettledMessage) => {
      for (const notice of notices) admission.note(notice);
      for (const { id, refusal } of outcomes) {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (refusal === undefined) waiting?.resolve();
        else waiting?.reject(refusalOf(refusal));
      }
    });
  }

  /** Batches whose fate is not yet known. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** Settles as the consumer in the main thread does. The batch is free again as soon as this returns. */
  async send(batch: SpanBatch, context: ConsumeContext, { place, entry }: Destination): Promise<void> {
    const { signal, ...carried } = context;
    if (signal?.aborted === true)
      throw new Refusal('cancelled', 'the sender gave up before its spans were handed over');
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(id, waiting);
    this.#batches.push({ id, place, entry, packed: packBatch(batch), context: carried });
    this.#schedule();
    if (signal === undefined) return waiting.promise;
    const onAbort = (): void => {
      this.#cancelled.push(id);
      this.#schedule();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await waiting.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const message: BatchMessage = { batches: this.#batches, cancelled: this.#cancelled };
    this.#batches = [];
    this.#cancelled = [];
    this.#port.postMessage(
      message,
      message.batches.map(({ packed }) => packed.buffer),
    );
  }
}

/** An exit of the worker's part of the graph: a consumer that is in truth in the main thread. */
export class MainConsumer implements TracesConsumer {
  /** What is handed over is packed, so the batch itself stays as it is. */
  readonly mutatesData = false;
  readonly #sender: BatchSender;
  readonly #destination: Destination;
  readonly #durability: Durability;

  constructor(sender: BatchSender, destination: Destination, durability: Durability) {
    this.#sender = sender;
    this.#destination = destination;
    this.#durability = durability;
  }

  durability(): Durability {
    return this.#durability;
  }

  /** Asks what the main thread has published: no message is sent. */
  admit(requestBytes: number): Refusal | undefined {
    return this.#sender.admission.refusal(this.#destination, requestBytes);
  }

  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    return this.#sender.send(batch, context, this.#destination);
  }
}
