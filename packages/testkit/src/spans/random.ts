/**
 * A small deterministic random number generator (sfc32): the same seed gives the same numbers on every machine. Not for
 * secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
    this.#c = Math.imul(seed + 0x7f4a7c15, 0xc2b2ae35);
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to `limit` - 1; `limit` at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.word() / 4_294_967_296) * limit);
  }

  /** A number from 0 (included) to 1. */
  unit(): number {
    return this.word() / 4_294_967_296;
  }

  /** A normally distributed number with mean 0 and deviation 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

/** Picks indexes so that index `i` comes up in proportion to `1 / (i + 1) ^ exponent`, as popularity usually falls. */
export class SkewedPicker {
  /** For each of 4096 equally likely draws the index it means. */
  readonly #table: Uint16Array = new Uint16Array(4096);

  constructor(count: number, exponent: number) {
    const weights = Array.from({ length: count }, (_, i) => 1 / (i + 1) ** exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let index = 0;
    let reached = weights[0]! / total;
    for (let i = 0; i < this.#table.length; i++) {
      while ((i + 0.5) / this.#table.length > reached && index < count - 1) reached += weights[++index]! / total;
      this.#table[i] = index;
    }
  }

  pick(random: Random): number {
    return this.#table[random.word() & 4095]!;
  }
}
