import type { ByteSink } from './byte-sink.ts';

/**
 * Numbers byte strings: the same bytes always get the same number until `clear`. Like the model's string table, but for long contents (a resource
 * with all its attributes), so it hashes and compares four bytes at a time. A hot path, guarded by `bench/block`: allocates only when it grows.
 */
export class ContentTable {
  /** Number of distinct contents. */
  count = 0;
  #words: Uint32Array = new Uint32Array(16_384);
  /** `#ends[i]` is the word just past content i. */
  #ends: Uint32Array = new Uint32Array(256);
  #lengths: Uint32Array = new Uint32Array(256);
  #hashes: Uint32Array = new Uint32Array(256);
  #slots: Uint32Array = new Uint32Array(512);

  /** Memory the contents take, in bytes. */
  get byteLength(): number {
    return this.count === 0 ? 0 : this.#ends[this.count - 1]! * 4;
  }

  /** Forgets everything. */
  clear(): void {
    this.count = 0;
    this.#slots.fill(0);
  }

  /** The number of what the sink holds; equal to the former `count` when it is new. The sink is padded with zeros. */
  intern(content: ByteSink): number {
    const length = content.length;
    content.word(0);
    content.length = length;
    const words = new Uint32Array(content.bytes.buffer, 0, (length + 3) >>> 2);
    const hash = hashWords(words, length);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) return this.#add(words, length, hash, slot);
      if (this.#hashes[index] === hash && this.#lengths[index] === length && this.#equals(index, words)) return index;
    }
  }

  #equals(index: number, words: Uint32Array): boolean {
    let at = index === 0 ? 0 : this.#ends[index - 1]!;
    const stored = this.#words;
    for (let i = 0; i < words.length; i++) if (stored[at++] !== words[i]) return false;
    return true;
  }

  #add(words: Uint32Array, length: number, hash: number, slot: number): number {
    const index = this.count++;
    if (index === this.#ends.length) {
      this.#ends = grown(this.#ends, index * 2);
      this.#lengths = grown(this.#lengths, index * 2);
      this.#hashes = grown(this.#hashes, index * 2);
    }
    const at = index === 0 ? 0 : this.#ends[index - 1]!;
    if (at + words.length > this.#words.length) {
      this.#words = grown(this.#words, Math.max(this.#words.length * 2, at + words.length));
    }
    this.#words.set(words, at);
    this.#ends[index] = at + words.length;
    this.#lengths[index] = length;
    this.#hashes[index] = hash;
    this.#slots[slot] = index + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

/** Multiply and rotate over words, finished so that low bits can index a power-of-two table. */
function hashWords(words: Uint32Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < words.length; i++) {
    const mixed = Math.imul(words[i]!, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function grown(from: Uint32Array, length: number): Uint32Array {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}
