import { Refusal } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { refusalData, refusalOf } from './protocol.ts';
import type { RefusalNotice } from './protocol.ts';

/**
 * Whether the main thread takes data, as memory that all threads see. Workers so ask before every body without asking anybody. Two 32-bit
 * words per entry of a place:
 *
 *     0  0 while everything is taken, else the number of the reason, which is sent once as a `RefusalNotice`
 *     1  bytes from which on requests are refused: 0 when none is taken, else the size of one that was not
 */
const wordsPerEntry = 2;

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
  /** The smallest batch that an entry has refused since it last took one of that size. */
  readonly #refusedBytes = new Map<number, number>();
  #lastNumber = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(place: number, entries: readonly TracesConsumer[], announce: (notice: RefusalNotice) => void) {
    this.#place = place;
    this.#entries = entries;
    this.#announce = announce;
    this.memory = new SharedArrayBuffer(Math.max(1, entries.length) * wordsPerEntry * Int32Array.BYTES_PER_ELEMENT);
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

  /** An entry has refused a batch of so many bytes: it is asked about that size until it would take it. */
  refused(entry: number, bytes: number): void {
    this.#refusedBytes.set(entry, Math.min(bytes, this.#refusedBytes.get(entry) ?? bytes));
    this.#ask(entry);
  }

  /** Asks every entry now. */
  publish(): void {
    for (const entry of this.#entries.keys()) this.#ask(entry);
  }

  #ask(entry: number): void {
    const consumer = this.#entries[entry]!;
    const always = consumer.admit(0);
    if (always !== undefined) return this.#refuse(entry, 0, always);
    const bytes = this.#refusedBytes.get(entry);
    const tooLarge = bytes === undefined ? undefined : consumer.admit(bytes);
    if (bytes !== undefined && tooLarge !== undefined) return this.#refuse(entry, bytes, tooLarge);
    this.#refusedBytes.delete(entry);
    this.#inForce.delete(entry);
    Atomics.store(this.#words, entry * wordsPerEntry, 0);
  }

  #refuse(entry: number, fromBytes: number, refusal: Refusal): void {
    Atomics.store(this.#words, entry * wordsPerEntry + 1, Math.min(fromBytes, 0x7fff_ffff));
    const known = this.#inForce.get(entry)?.refusal;
    if (known?.message === refusal.message && known.code === refusal.code) return;
    const notice = { place: this.#place, entry, number: ++this.#lastNumber, refusal: refusalData(refusal) };
    this.#inForce.set(entry, notice);
    this.#announce(notice);
    Atomics.store(this.#words, entry * wordsPerEntry, notice.number);
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

  /** Why an entry would not take a request of so many bytes now, or undefined. */
  refusal(
    { place, entry }: { readonly place: number; readonly entry: number },
    requestBytes: number,
  ): Refusal | undefined {
    const words = this.#words.get(place);
    if (words === undefined || Atomics.load(words, entry * wordsPerEntry) === 0) return undefined;
    if (requestBytes < Atomics.load(words, entry * wordsPerEntry + 1)) return undefined;
    const notice = this.#notices.get(`${place}/${entry}`);
    // The flag may be seen before the message that explains it.
    if (notice === undefined)
      return new Refusal('unavailable', 'the pipeline takes no data now; send again in a moment');
    return refusalOf(notice.refusal);
  }
}
