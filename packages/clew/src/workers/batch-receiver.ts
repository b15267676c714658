import type { MessagePort } from 'node:worker_threads';
import { unpackBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { refusalData } from './protocol.ts';
import type { BatchMessage, Outcome, PackedBatch, RefusalNotice, SettledMessage } from './protocol.ts';

/** What a receiver of batches is told and tells. */
export interface BatchReceiverOptions {
  /** The consumer of an entry, or undefined when its pipelines are gone. */
  readonly entry: (place: number, entry: number) => TracesConsumer | undefined;
  /** An entry has refused a batch of so many bytes. */
  readonly refused: (place: number, entry: number, bytes: number) => void;
}

/**
 * The main thread's end of the bridge: gives the batches of one worker to the rest of the pipelines and sends back what became of
 * them. A hot path, guarded by `bench/workers`: a batch's big columns stay views of the bytes the worker packed.
 */
export class BatchReceiver {
  readonly #port: MessagePort;
  readonly #options: BatchReceiverOptions;
  readonly #inFlight = new Map<number, AbortController>();
  #outcomes: Outcome[] = [];
  #notices: RefusalNotice[] = [];
  #scheduled = false;
  #closed = false;

  constructor(port: MessagePort, options: BatchReceiverOptions) {
    this.#port = port;
    this.#options = options;
    port.on('message', ({ batches, cancelled }: BatchMessage) => {
      for (const batch of batches) void this.#take(batch);
      for (const id of cancelled) this.#inFlight.get(id)?.abort();
    });
  }

  /** Batches that are being consumed. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Tells the worker why an entry refuses. */
  announce(notice: RefusalNotice): void {
    this.#notices.push(notice);
    this.#schedule();
  }

  /**
   * The worker is gone: nobody waits for its batches any more. What is being stored is stored all the same, and a client that sends it again
   * is recognised.
   *
   * @returns how many batches were in flight
   */
  close(): number {
    this.#closed = true;
    this.#port.close();
    const lost = this.#inFlight.size;
    for (const controller of this.#inFlight.values()) controller.abort();
    return lost;
  }

  async #take({ id, place, entry, packed, context }: PackedBatch): Promise<void> {
    const controller = new AbortController();
    this.#inFlight.set(id, controller);
    try {
      const consumer = this.#options.entry(place, entry);
      if (consumer === undefined)
        throw new Refusal('unavailable', 'the pipelines are being exchanged; send again in a moment');
      await consumer.consumeTraces(unpackBatch(packed), { ...context, signal: controller.signal });
      this.#settle({ id });
    } catch (caught) {
      this.#settle({ id, refusal: refusalData(Refusal.from(caught)) });
      this.#options.refused(place, entry, packed.byteLength);
    } finally {
      this.#inFlight.delete(id);
    }
  }

  #settle(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.#schedule();
  }

  /** Group commits acknowledge many requests at once: their outcomes travel as one message. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      const message: SettledMessage = { outcomes: this.#outcomes, notices: this.#notices };
      this.#outcomes = [];
      this.#notices = [];
      this.#port.postMessage(message);
    });
  }
}
