/**
 * Times of day with a monotonic clock's resolution, as OTLP has them. Hot path, guarded by `bench/gateway-telemetry`.
 *
 * The monotonic clock is set against the time of day when made and again by {@link WallClock.adjust} when they have come apart, as
 * they do when the machine's clock is corrected: spans follow the time of day, and the duration of a span is never touched.
 *
 * Nanoseconds since 1970 have more bits than a number: they are counted from a base, a whole second shortly before, whose two halves are
 * kept.
 */
export class WallClock {
  readonly #unixMs: () => number;
  readonly #monotonicMs: () => number;
  #offsetMs: number;
  #baseMs = 0;
  #baseLow = 0;
  #baseHigh = 0;

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

  /** Writes a `performance.now()` time as nanoseconds since 1970: eight bytes, the lowest first. */
  write(monotonicMs: number, bytes: Uint8Array, at: number): void {
    const unixMs = this.#offsetMs + monotonicMs;
    let sinceBaseMs = unixMs - this.#baseMs;
    if (!(sinceBaseMs >= 0 && sinceBaseMs < REACH_MS)) {
      this.#rebase(unixMs);
      sinceBaseMs = unixMs - this.#baseMs;
    }
    const sum = this.#baseLow + Math.round(sinceBaseMs * 1e6);
    const carry = sum >= WORD ? 1 : 0;
    const low = (sum - carry * WORD) | 0;
    const high = this.#baseHigh + carry;
    bytes[at] = low;
    bytes[at + 1] = low >>> 8;
    bytes[at + 2] = low >>> 16;
    bytes[at + 3] = low >>> 24;
    bytes[at + 4] = high;
    bytes[at + 5] = high >>> 8;
    bytes[at + 6] = high >>> 16;
    bytes[at + 7] = high >>> 24;
  }

  /** Times somewhat earlier than this one come too: those of spans that took longer. */
  #rebase(unixMs: number): void {
    this.#baseMs = Math.max(0, Math.floor(unixMs / 1000 - 1) * 1000);
    const nanos = BigInt(this.#baseMs) * 1_000_000n;
    this.#baseLow = Number(nanos & 0xffff_ffffn);
    this.#baseHigh = Number(nanos >> 32n);
  }
}

const TOLERANCE_MS = 5;
const WORD = 0x1_0000_0000;
/** Nanoseconds within it fit into 32 bits. */
const REACH_MS = 4000;
