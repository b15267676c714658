/**
 * Times of day with a monotonic clock's resolution, as batches hold them. Hot path, guarded by `bench/gateway`.
 *
 * The monotonic clock is set against the time of day when made and again by {@link WallClock.adjust} when they have come apart, as
 * they do when the machine's clock is corrected: spans follow the time of day, and the duration of a span is never touched.
 */
export class WallClock {
  readonly #unixMs: () => number;
  readonly #monotonicMs: () => number;
  #offsetMs: number;

  constructor(unixMs: () => number = Date.now, monotonicMs: () => number = () => performance.now()) {
    this.#unixMs = unixMs;
    this.#monotonicMs = monotonicMs;
    this.#offsetMs = unixMs() - monotonicMs();
  }

  /** Follows the time of day if it has moved by more than a few milliseconds. */
  adjust(): void {
    const offsetMs = this.#unixMs() - this.#monotonicMs();
    if (Math.abs(offsetMs - this.#offsetMs) > TOLERANCE_MS) this.#offsetMs = offsetMs;
  }

  /** Writes a `performance.now()` time as nanoseconds since 1970, low word first. */
  write(monotonicMs: number, words: Uint32Array, at: number): void {
    const unixMs = this.#offsetMs + monotonicMs;
    const seconds = Math.floor(unixMs / 1000);
    const nanos = Math.round((unixMs - seconds * 1000) * 1e6);
    // seconds * 1e9 + nanos in two halves, since it has more bits than a number.
    const high = Math.floor(seconds / 0x10000) * 1e9;
    const low = (seconds % 0x10000) * 1e9 + nanos + (high % 0x10000) * 0x10000;
    words[at] = low % WORD;
    words[at + 1] = Math.floor(high / 0x10000) + Math.floor(low / WORD);
  }
}

const TOLERANCE_MS = 5;
const WORD = 0x1_0000_0000;
