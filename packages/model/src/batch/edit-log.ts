import { grownCapacity, grownU32, grownU8, noBytes, noWords } from './columns.ts';

/** The levels of a batch that carry attributes; the numbers index {@link EditLog.levels}. */
export const AttributeLevel = Object.freeze({ SPAN: 0, EVENT: 1, LINK: 2, SCOPE: 3, RESOURCE: 4 } as const);
export type AttributeLevel = (typeof AttributeLevel)[keyof typeof AttributeLevel];

/** In place of a value type: the attribute is gone. */
export const DELETED = 255;

/** In {@link AttributeEdits.positions}: the key was not among the row's attributes when it was edited. */
export const NO_POSITION = 0xffff_ffff;

/**
 * Edited attributes of one level. An edit speaks for *every* attribute of its row with its key: a value stands where the first
 * of them stood (or at the end when there was none) and hides the others; {@link DELETED} hides all.
 *
 * Layout: one entry per (row, key), values as in `AttributeTable`. The entries of one row are a chain in the order of their
 * first edit: `#heads[row]` and `#tails[row]` are entry + 1 (0 = no edits), `next[entry]` likewise.
 */
export class AttributeEdits {
  count = 0;
  rows: Uint32Array = noWords;
  keys: Uint32Array = noWords;
  types: Uint8Array = noBytes;
  lo: Uint32Array = noWords;
  hi: Uint32Array = noWords;
  /** Where in the level's attribute table the first attribute of this key stands, or {@link NO_POSITION}. */
  positions: Uint32Array = noWords;
  next: Uint32Array = noWords;
  #heads: Uint32Array = noWords;
  #tails: Uint32Array = noWords;

  /** First entry of `row` plus one, or 0. */
  head(row: number): number {
    return row < this.#heads.length ? this.#heads[row]! : 0;
  }

  /** The entry of (row, key), or -1. */
  find(row: number, key: number): number {
    for (let entry = this.head(row); entry !== 0; entry = this.next[entry - 1]!) {
      if (this.keys[entry - 1] === key) return entry - 1;
    }
    return -1;
  }

  /** Records that `key` of `row` now has this value; `position` is used when it is the first edit of (row, key). */
  set(row: number, key: number, type: number, lo: number, hi: number, position: number): void {
    let entry = this.find(row, key);
    if (entry < 0) entry = this.#add(row, key, position);
    this.types[entry] = type;
    this.lo[entry] = lo;
    this.hi[entry] = hi;
  }

  #add(row: number, key: number, position: number): number {
    const entry = this.count++;
    if (entry === this.types.length) this.#grow();
    if (row >= this.#heads.length) {
      const capacity = grownCapacity(this.#heads.length, row + 1);
      this.#heads = grownU32(this.#heads, capacity);
      this.#tails = grownU32(this.#tails, capacity);
    }
    this.rows[entry] = row;
    this.keys[entry] = key;
    this.positions[entry] = position;
    this.next[entry] = 0;
    const tail = this.#tails[row]!;
    if (tail === 0) this.#heads[row] = entry + 1;
    else this.next[tail - 1] = entry + 1;
    this.#tails[row] = entry + 1;
    return entry;
  }

  #grow(): void {
    const capacity = grownCapacity(this.types.length, this.count);
    this.rows = grownU32(this.rows, capacity);
    this.keys = grownU32(this.keys, capacity);
    this.types = grownU8(this.types, capacity);
    this.lo = grownU32(this.lo, capacity);
    this.hi = grownU32(this.hi, capacity);
    this.positions = grownU32(this.positions, capacity);
    this.next = grownU32(this.next, capacity);
  }
}

/**
 * What has been changed about a batch's attributes since it was decoded or compacted. Values that are bytes lie in the batch's heap
 * like all others. Made by `BatchEditor`, read by the cursors, worked in by `compactBatch`.
 */
export class EditLog {
  /** Indexed by {@link AttributeLevel}. */
  readonly levels: readonly AttributeEdits[] = [
    new AttributeEdits(),
    new AttributeEdits(),
    new AttributeEdits(),
    new AttributeEdits(),
    new AttributeEdits(),
  ];
}
