/** A small seeded generator, so that a demo can be repeated exactly. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** An integer in [low, high]. */
  integer(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  /** `middle` varied by up to ± `share`. */
  around(middle: number, share: number): number;
  /** `length` random bytes, never all zero. */
  bytes(length: number): Uint8Array;
}

/** Mulberry32: 32 bits of state, good enough for looks and repeatable. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    pick: (values) => values[integer(0, values.length - 1)]!,
    around: (middle, share) => middle * (1 - share + 2 * share * next()),
    bytes(length) {
      const bytes = Uint8Array.from({ length }, () => integer(0, 255));
      if (bytes.every((byte) => byte === 0)) bytes[0] = 1;
      return bytes;
    },
  };
}
