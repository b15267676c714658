import { seededRandom } from './random.ts';

/** Turns real requests into ones nobody meant; the same seed gives the same ones. */
export class Mutator {
  readonly #seeds: readonly Buffer[];
  readonly #below: (limit: number) => number;

  constructor(seeds: readonly Buffer[], seed: number) {
    if (seeds.length === 0) throw new Error('there is nothing to mutate');
    this.#seeds = seeds;
    this.#below = seededRandom(seed);
  }

  /** The next body: one of the seeds after one to four changes, sometimes plain noise. */
  next(): Buffer {
    if (this.#below(12) === 0) return this.#noise(this.#below(400));
    let body: Buffer = Buffer.from(this.#pick());
    for (let changes = 1 + this.#below(4); changes > 0; changes--) body = this.#change(body);
    return body;
  }

  #change(body: Buffer): Buffer {
    if (body.length === 0) return this.#noise(8);
    const at = this.#below(body.length);
    switch (this.#below(7)) {
      case 0:
        body[at] = body[at]! ^ (1 << this.#below(8));
        return body;
      case 1:
        body[at] = [0x00, 0x7f, 0x80, 0xff][this.#below(4)]!;
        return body;
      case 2:
        return body.subarray(0, at);
      case 3:
        return body.subarray(at);
      case 4: {
        // A piece doubled, as a length that lies would have it.
        const end = Math.min(body.length, at + 1 + this.#below(64));
        return Buffer.concat([body.subarray(0, end), body.subarray(at)]);
      }
      case 5: {
        const other = this.#pick();
        return Buffer.concat([body.subarray(0, at), other.subarray(this.#below(other.length))]);
      }
      default: {
        const number = Buffer.alloc(4);
        number.writeUInt32BE([0x7fffffff, 0xffffffff, 0x80000000, 0x00100000][this.#below(4)]!);
        return Buffer.concat([body.subarray(0, at), number, body.subarray(at)]);
      }
    }
  }

  #noise(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#below(256)));
  }

  #pick(): Buffer {
    return this.#seeds[this.#below(this.#seeds.length)]!;
  }
}
