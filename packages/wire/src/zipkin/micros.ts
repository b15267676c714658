/** Microseconds since 1970, or a number of them, as two unsigned words: 64-bit values never pass through `number`. */
export interface Micros {
  lo: number;
  hi: number;
}

const WORD = 2 ** 32;

/** Whether there is no time, which Zipkin writes as 0. */
export function isAbsent(time: Micros): boolean {
  return (time.lo | time.hi) === 0;
}

/** Less than 0 when `a` is before `b`. */
export function compareMicros(a: Micros, b: Micros): number {
  return a.hi - b.hi || a.lo - b.lo;
}

/** Sets `target` to `end` less `start`, 0 when that is negative. */
export function setDifference(target: Micros, end: Micros, start: Micros): void {
  if (compareMicros(end, start) < 0) {
    target.lo = target.hi = 0;
    return;
  }
  const low = end.lo - start.lo;
  target.hi = end.hi - start.hi - (low < 0 ? 1 : 0);
  target.lo = low < 0 ? low + WORD : low;
}

/** Sets `target` to `a` and `b` together; beyond 64 bits it is the largest number there is. */
export function setSum(target: Micros, a: Micros, b: Micros): void {
  const low = a.lo + b.lo;
  const high = a.hi + b.hi + (low >= WORD ? 1 : 0);
  target.lo = high >= WORD ? WORD - 1 : low >= WORD ? low - WORD : low;
  target.hi = high >= WORD ? WORD - 1 : high;
}

/**
 * Sets `target` to the nanoseconds, low and high word, of microseconds; what lies behind the year 2554 becomes the last moment
 * there is.
 */
export function setNanos(target: Uint32Array, lo: number, hi: number): void {
  const low = lo * 1000;
  const high = hi * 1000 + Math.floor(low / WORD);
  const isBeyond = high >= WORD;
  target[0] = isBeyond ? WORD - 1 : low;
  target[1] = isBeyond ? WORD - 1 : high;
}

/** Sets `target` to nanoseconds, as two words, to the nearest microsecond. */
export function setMicros(target: Micros, lo: number, hi: number): void {
  const rounded = lo + 500;
  const high = hi + (rounded >= WORD ? 1 : 0);
  const low = rounded >= WORD ? rounded - WORD : rounded;
  const quotient = Math.floor(high / 1000);
  target.hi = quotient;
  target.lo = Math.floor(((high - quotient * 1000) * WORD + low) / 1000);
}
