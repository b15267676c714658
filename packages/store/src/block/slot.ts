import { MAX_FUTURE_NANOS, MAX_PAST_NANOS, ODD_SLOT, SLOTS_PER_DAY } from '../schema/tables.ts';

const WORD = 0x1_0000_0000n;
const MAX = 0xffff_ffff_ffff_ffffn;

/**
 * Slots of spans that arrived at one time. A hot path, guarded by `bench/block`: 64-bit numbers are pairs of words, and consecutive spans of one slot
 * cost two comparisons.
 */
export class SlotClock {
  #minLo = 0;
  #minHi = 0;
  #maxLo = 0;
  #maxHi = 0;

  /** Sets the time of arrival, nanoseconds since 1970. */
  arrive(receivedUnixNano: bigint): void {
    const min = receivedUnixNano > MAX_PAST_NANOS ? receivedUnixNano - MAX_PAST_NANOS : 0n;
    const future = receivedUnixNano + MAX_FUTURE_NANOS;
    const max = future > MAX ? MAX : future;
    this.#minLo = Number(min % WORD);
    this.#minHi = Number(min / WORD);
    this.#maxLo = Number(max % WORD);
    this.#maxHi = Number(max / WORD);
  }

  /** The slot of a span that starts at the time of two words, odd when it had to be clamped. */
  slotOf(lo: number, hi: number): number {
    if (hi < this.#minHi || (hi === this.#minHi && lo < this.#minLo)) {
      return (slotOfWords(this.#minLo, this.#minHi) | ODD_SLOT) >>> 0;
    }
    if (hi > this.#maxHi || (hi === this.#maxHi && lo > this.#maxLo)) {
      return (slotOfWords(this.#maxLo, this.#maxHi) | ODD_SLOT) >>> 0;
    }
    return slotOfWords(lo, hi);
  }
}

/** Whole slots (300 s) since 1970 of a time in two words. 300e9 is 2^11 times 146484375, so both halves stay below 2^53. */
export function slotOfWords(lo: number, hi: number): number {
  // (hi * 2^32 + lo) >> 11, as hi * 2^21 + (lo >> 11): at most 2^53.
  return Math.floor((hi * 0x20_0000 + (lo >>> 11)) / 146_484_375);
}

/** Day of a slot, odd or not. */
export function dayOfSlot(slot: number): number {
  return Math.floor((slot & ~ODD_SLOT) / SLOTS_PER_DAY);
}

/** Slot of a time in nanoseconds since 1970; not odd. */
export function slotOfNanos(nanos: bigint): number {
  return Number(nanos / 300_000_000_000n);
}
