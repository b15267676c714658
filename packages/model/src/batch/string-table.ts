import { copyBytes, grownU32, grownU8 } from './columns.ts';

/**
 * The dictionary of a batch: names, attribute keys, trace states, schema URLs. Strings are kept as the bytes
 * that arrived (invalid UTF-8 included) and decoded at most once each.
 *
 * Layout: entry `i` is `bytes[ends[i - 1] .. ends[i])`; entry 0 is always the empty string. `slots` is an open
 * addressing hash table of `index + 1` (0 = free), its size a power of two at least twice the entry count.
 *
 * A hot path, guarded by `bench/codec`: `intern` allocates only when the table grows.
 */
export class StringTable {
  /** Number of entries, the empty string included. */
  count = 1;
  bytes: Uint8Array = new Uint8Array(256);
  /** `ends[i]` is the offset just past entry `i`. */
  ends: Uint32Array = new Uint32Array(32);
  #hashes: Uint32Array = new Uint32Array(32);
  #slots: Uint32Array = new Uint32Array(64);
  #decoded: (string | undefined)[] = [''];

  /** Bytes used by all entries together. */
  get byteLength(): number {
    return this.ends[this.count - 1]!;
  }

  /** Forgets every entry but the empty string and keeps the buffers. */
  clear(): void {
    if (this.count === 1) return;
    this.count = 1;
    this.#slots.fill(0);
    this.#decoded.length = 1;
  }

  /**
   * Forgets every entry from index `count` on. Entries that stay were placed while the slots of later ones were free, so
   * freeing those slots breaks no probe sequence.
   */
  truncate(count: number): void {
    if (count >= this.count) return;
    const slots = this.#slots;
    for (let slot = 0; slot < slots.length; slot++) if (slots[slot]! > count) slots[slot] = 0;
    this.count = count;
    if (this.#decoded.length > count) this.#decoded.length = count;
  }

  /** The index of the string in `source[start, end)`, adding it when it is new. */
  intern(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return 0;
    const hash = hashBytes(source, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) return this.#add(source, start, end, hash, slot);
      if (this.#hashes[index] === hash && this.equals(index, source, start, end)) return index;
      slot = (slot + 1) & mask;
    }
  }

  /** The index of `text`, adding it when it is new. */
  internText(text: string): number {
    if (text === '') return 0;
    const bytes = encoder.encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The index of `text`, or -1 when no row can carry it. */
  find(text: string): number {
    if (text === '') return 0;
    const bytes = encoder.encode(text);
    const hash = hashBytes(bytes, 0, bytes.length);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) return -1;
      if (this.#hashes[index] === hash && this.equals(index, bytes, 0, bytes.length)) return index;
    }
  }

  /** Where entry `index` begins in `bytes`. */
  start(index: number): number {
    return index === 0 ? 0 : this.ends[index - 1]!;
  }

  /** Whether entry `index` is the same bytes as `source[start, end)`. */
  equals(index: number, source: Uint8Array, start: number, end: number): boolean {
    let at = index === 0 ? 0 : this.ends[index - 1]!;
    if (this.ends[index]! - at !== end - start) return false;
    const bytes = this.bytes;
    for (let i = start; i < end; i++) if (bytes[at++] !== source[i]) return false;
    return true;
  }

  /** Entry `index` as text; invalid UTF-8 shows as U+FFFD, the bytes stay as they were. */
  text(index: number): string {
    return (this.#decoded[index] ??= decoder.decode(this.bytes.subarray(this.start(index), this.ends[index])));
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const index = this.count++;
    if (index === this.ends.length) {
      this.ends = grownU32(this.ends, index * 2);
      this.#hashes = grownU32(this.#hashes, index * 2);
    }
    const at = this.ends[index - 1]!;
    const length = end - start;
    if (at + length > this.bytes.length) {
      this.bytes = grownU8(this.bytes, Math.max(this.bytes.length * 2, at + length));
    }
    copyBytes(source, start, this.bytes, at, length);
    this.ends[index] = at + length;
    this.#hashes[index] = hash;
    this.#slots[slot] = index + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 1; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** FNV-1a over the bytes, finished with an avalanche so that low bits can index a power-of-two table. */
function hashBytes(source: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
