import { bytesOfText, losslessText } from '../text.ts';
import { keyedHash, quickHash } from './string-hash.ts';
import { copyBytes, grownCapacity, grownU32, grownU8, noBytes, noWords } from './columns.ts';

/** A table at most half full needs more probes than this for no string that was not made to collide, up to many millions of strings. */
const MAX_PROBES = 256;

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
  /** Changes when entries are forgotten, so that who remembers an index knows when to forget it. */
  generation = 0;
  /** Number of entries, the empty string included. */
  count = 1;
  bytes: Uint8Array = noBytes;
  /** `ends[i]` is the offset just past entry `i`. */
  ends: Uint32Array = onlyEmpty;
  #hashes: Uint32Array = noWords;
  #slots: Uint32Array = noWords;
  #decoded: (string | undefined)[] = [''];
  /** How many entries the hash table knows; behind `count` in a new table and after `adopt`, until something is looked up. */
  #indexed = 0;
  #bytesOwned = true;
  /** Whether the table has met strings that look made to collide, and hashes with a key since. */
  #keyed = false;

  /** Bytes used by all entries together. */
  get byteLength(): number {
    return this.ends[this.count - 1]!;
  }

  /** Forgets every entry but the empty string and keeps the buffers. */
  clear(): void {
    if (this.count === 1) return;
    this.generation++;
    this.count = 1;
    this.#indexed = Math.min(this.#indexed, 1);
    this.#keyed = false;
    this.#slots.fill(0);
    this.#decoded.length = 1;
    if (!this.#bytesOwned) {
      this.bytes = noBytes;
      this.#bytesOwned = true;
    }
  }

  /**
   * Takes `bytes` (borrowed, of exactly the entries' length) and `ends` as the whole content. `ends[0]` must be 0 and the rest ascending.
   * The hash table is built when something is first looked up, so that a batch which is only read never pays for it.
   */
  adopt(bytes: Uint8Array, ends: Uint32Array, count: number): void {
    this.clear();
    this.bytes = bytes;
    this.ends = ends;
    this.count = count;
    this.#bytesOwned = false;
  }

  /**
   * Forgets every entry from index `count` on. Entries that stay were placed while the slots of later ones were free, so
   * freeing those slots breaks no probe sequence.
   */
  truncate(count: number): void {
    if (count >= this.count) return;
    const slots = this.#slots;
    for (let slot = 0; slot < slots.length; slot++) if (slots[slot]! > count) slots[slot] = 0;
    this.generation++;
    this.count = count;
    this.#indexed = Math.min(this.#indexed, count);
    if (this.#decoded.length > count) this.#decoded.length = count;
  }

  /** The index of the string in `source[start, end)`, adding it when it is new. */
  intern(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return 0;
    if (this.#indexed !== this.count) this.#rehash();
    const hash = this.#hash(source, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let probes = 0; probes < MAX_PROBES || this.#keyed; probes++) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) return this.#add(source, start, end, hash, slot);
      if (this.#hashes[index] === hash && this.equals(index, source, start, end)) return index;
      slot = (slot + 1) & mask;
    }
    this.#hashWithKey();
    return this.intern(source, start, end);
  }

  /** The index of `text`, adding it when it is new. */
  internText(text: string): number {
    if (text === '') return 0;
    const bytes = bytesOfText(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The index of `text`, or -1 when no row can carry it. */
  find(text: string): number {
    if (text === '') return 0;
    if (this.#indexed !== this.count) this.#rehash();
    const bytes = bytesOfText(text);
    const hash = this.#hash(bytes, 0, bytes.length);
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

  /** Entry `index` as text from which the same bytes can be made again, see `text.ts`. */
  losslessText(index: number): string {
    const text = this.text(index);
    return text.includes('\ufffd') ? losslessText(this.bytes.subarray(this.start(index), this.ends[index])) : text;
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const index = this.count++;
    if (index === this.ends.length) this.ends = grownU32(this.ends, grownCapacity(index, index + 1));
    if (index >= this.#hashes.length) this.#hashes = grownU32(this.#hashes, this.ends.length);
    const at = this.ends[index - 1]!;
    const length = end - start;
    if (at + length > this.bytes.length || !this.#bytesOwned) {
      this.bytes = grownU8(this.bytes, Math.max(this.bytes.length * 2, at + length, 256));
      this.#bytesOwned = true;
    }
    copyBytes(source, start, this.bytes, at, length);
    this.ends[index] = at + length;
    this.#hashes[index] = hash;
    this.#slots[slot] = index + 1;
    this.#indexed = this.count;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  /** Hashes entries that are not indexed yet and spreads all of them over a table of fitting size. */
  #rehash(): void {
    if (this.#hashes.length < this.ends.length) this.#hashes = grownU32(this.#hashes, this.ends.length);
    for (let index = Math.max(this.#indexed, 1); index < this.count; index++) {
      this.#hashes[index] = this.#hash(this.bytes, this.ends[index - 1]!, this.ends[index]!);
    }
    this.#indexed = this.count;
    let size = Math.max(this.#slots.length, 64);
    while (size <= this.count * 2) size *= 2;
    const slots = new Uint32Array(size);
    const mask = size - 1;
    for (let index = 1; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask;
      let probes = 0;
      for (; slots[slot] !== 0; slot = (slot + 1) & mask) probes++;
      if (probes > MAX_PROBES && !this.#keyed) {
        this.#hashWithKey();
        return;
      }
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }

  #hash(source: Uint8Array, start: number, end: number): number {
    return this.#keyed ? keyedHash(source, start, end) : quickHash(source, start, end);
  }

  /** Begins to hash with a key, so that strings made to collide cannot turn every look-up into a walk over all of them. */
  #hashWithKey(): void {
    this.#keyed = true;
    this.#indexed = 1;
    this.#rehash();
  }
}

/** The ends of a table that holds the empty string alone; never written, as the first entry added grows it. */
const onlyEmpty: Uint32Array = new Uint32Array(1);

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
