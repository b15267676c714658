/** A seeded source of chance, so that every run shows the same traces. */
export interface Random {
  /** At least 0, below 1. */
  readonly next: () => number;
  readonly int: (below: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
  readonly hex: (digits: number) => string;
  /** Around `middle`, skewed to the right as durations are. */
  readonly duration: (middle: number) => number;
}

/** Makes a source from a seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    pick: <T>(from: readonly T[]): T => from[int(from.length)] as T,
    hex(digits) {
      let text = '';
      for (let i = 0; i < digits; i++) text += int(16).toString(16);
      return /^0*$/.test(text) ? text.replace(/0$/, '1') : text;
    },
    duration: (middle) => Math.max(1, Math.round(middle * Math.exp((next() + next() + next() - 1.5) * 0.8))),
  };
}
