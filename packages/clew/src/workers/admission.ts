import { Refusal } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { refusalData, refusalOf } from './protocol.ts';
import type { RefusalNotice } from './protocol.ts';

/**
 * Whether the main thread takes data, as memory that all threads see: one 32-bit word per entry of a place, 0 while it does, else the number
 * of the reason, which is sent once as a {@link RefusalNotice}. Workers so ask before every body without asking anybody.
 */

/** How often entries are asked. */
const publishIntervalMs = 100;

/** Main's side of one place: asks the entries and publishes what they say. */
export class AdmissionPublisher {
  readonly memory: SharedArrayBuffer;
  readonly #place: number;
  readonly #entries: readonly TracesConsumer[];
  readonly #words: Int32Array;
  readonly #announce: (notice: RefusalNotice) => void;
  readonly #inForce = new Map<number, RefusalNotice>();
  #lastNumber = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(place: number, entries: readonly TracesConsumer[], announce: (notice: RefusalNotice) => void) {
    this.#place = place;
    this.#entries = entries;
    this.#announce = announce;
    this.memory = new SharedArrayBuffer(Math.max(1, entries.length) * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.memory);
  }

  /** What is refused now, for a worker that comes later. */
  get notices(): readonly RefusalNotice[] {
    return [...this.#inForce.values()];
  }

  start(): void {
    this.publish();
    this.#timer ??= setInterval(() => this.publish(), publishIntervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Asks every entry now: by the clock, and whenever one has refused a batch. */
  publish(): void {
    for (const [entry, consumer] of this.#entries.entries()) this.#publish(entry, consumer.admit(0));
  }

  #publish(entry: number, refusal: Refusal | undefined): void {
    const known = this.#inForce.get(entry)?.refusal;
    if (refusal === undefined) {
      this.#inForce.delete(entry);
      Atomics.store(this.#words, entry, 0);
      return;
    }
    if (known?.message === refusal.message && known.code === refusal.code) return;
    const notice = { place: this.#place, entry, number: ++this.#lastNumber, refusal: refusalData(refusal) };
    this.#inForce.set(entry, notice);
    this.#announce(notice);
    Atomics.store(this.#words, entry, notice.number);
  }
}

/** A worker's side, for all places. */
export class SharedAdmission {
  readonly #words = new Map<number, Int32Array>();
  readonly #notices = new Map<string, RefusalNotice>();

  /** Learns of a place and of what it refuses. */
  add(place: number, memory: SharedArrayBuffer, notices: readonly RefusalNotice[]): void {
    this.#words.set(place, new Int32Array(memory));
    for (const notice of notices) this.note(notice);
  }

  /** Forgets a place. */
  remove(place: number): void {
    this.#words.delete(place);
    for (const [key, notice] of this.#notices) if (notice.place === place) this.#notices.delete(key);
  }

  /** Learns why an entry refuses. */
  note(notice: RefusalNotice): void {
    this.#notices.set(`${notice.place}/${notice.entry}`, notice);
  }

  /** Why an entry takes nothing now, or undefined. */
  refusal({ place, entry }: { readonly place: number; readonly entry: number }): Refusal | undefined {
    const words = this.#words.get(place);
    if (words === undefined || Atomics.load(words, entry) === 0) return undefined;
    const notice = this.#notices.get(`${place}/${entry}`);
    // The flag may be seen before the message that explains it.
    if (notice === undefined)
      return new Refusal('unavailable', 'the pipeline takes no data now; send again in a moment');
    return refusalOf(notice.refusal);
  }
}
