import type { StringTable } from '@clew/model';

import { ByteSink } from './byte-sink.ts';

/**
 * Columns of a block in ClickHouse's Native format, written row after row into buffers that are reused. Hot paths, guarded by
 * `bench/codec`: nothing is allocated per row. Each column gives its bytes as chunks, so that no block is ever copied into one piece.
 *
 * A column's bytes are its *prefix* (state of nested dictionaries, before everything else) and its *body*.
 */
export interface NativeColumn {
  /** ClickHouse type, as the block's header states it. */
  readonly type: string;
  clear(): void;
  /** Appends the bytes of the column for `rows` rows. */
  prefix(chunks: Uint8Array[]): void;
  body(chunks: Uint8Array[], rows: number): void;
}

/** Numbers of one byte. */
export class ByteColumn implements NativeColumn {
  readonly type: string;
  values: Uint8Array = new Uint8Array(0);

  constructor(type: string) {
    this.type = type;
  }

  clear(): void {}

  /** Room for `rows` values in total; earlier ones are kept. */
  reserve(rows: number): void {
    if (rows > this.values.length) this.values = grown(this.values, new Uint8Array(capacityFor(rows)));
  }

  prefix(): void {}

  body(chunks: Uint8Array[], rows: number): void {
    chunks.push(this.values.subarray(0, rows));
  }
}

/** Numbers of two bytes. */
export class ShortColumn implements NativeColumn {
  readonly type = 'UInt16';
  values: Uint16Array = new Uint16Array(0);

  clear(): void {}

  reserve(rows: number): void {
    if (rows > this.values.length) this.values = grown(this.values, new Uint16Array(capacityFor(rows)));
  }

  prefix(): void {}

  body(chunks: Uint8Array[], rows: number): void {
    chunks.push(new Uint8Array(this.values.buffer, 0, rows * 2));
  }
}

/** Numbers of `words` times four bytes, low word first. */
export class WordColumn implements NativeColumn {
  readonly type: string;
  readonly words: 1 | 2;
  values: Uint32Array = new Uint32Array(0);
  count = 0;

  constructor(type: string, words: 1 | 2) {
    this.type = type;
    this.words = words;
  }

  clear(): void {
    this.count = 0;
  }

  reserve(rows: number): void {
    const needed = rows * this.words;
    if (needed > this.values.length) this.values = grown(this.values, new Uint32Array(capacityFor(needed)));
  }

  /** Appends a value of two words. */
  push(lo: number, hi: number): void {
    const at = this.count * 2;
    if (at + 2 > this.values.length) this.reserve(this.count + 1);
    this.values[at] = lo;
    this.values[at + 1] = hi;
    this.count++;
  }

  prefix(): void {}

  body(chunks: Uint8Array[], rows: number): void {
    chunks.push(new Uint8Array(this.values.buffer, 0, rows * this.words * 4));
  }
}

/** Byte strings of one length. */
export class FixedColumn implements NativeColumn {
  readonly type: string;
  readonly width: number;
  values: Uint8Array = new Uint8Array(0);
  count = 0;

  constructor(width: number) {
    this.width = width;
    this.type = `FixedString(${width})`;
  }

  clear(): void {
    this.count = 0;
  }

  reserve(rows: number): void {
    const needed = rows * this.width;
    if (needed > this.values.length) this.values = grown(this.values, new Uint8Array(capacityFor(needed)));
  }

  /** Appends `source[offset, offset + width)`. */
  push(source: Uint8Array, offset: number): void {
    const { width } = this;
    const at = this.count * width;
    if (at + width > this.values.length) this.reserve(this.count + 1);
    for (let i = 0; i < width; i++) this.values[at + i] = source[offset + i]!;
    this.count++;
  }

  prefix(): void {}

  body(chunks: Uint8Array[], rows: number): void {
    chunks.push(this.values.subarray(0, rows * this.width));
  }
}

/** Byte strings of any length, each behind its length. Write through `sink.string`. */
export class StringColumn implements NativeColumn {
  readonly type = 'String';
  readonly sink = new ByteSink(1024);

  clear(): void {
    this.sink.clear();
  }

  prefix(): void {}

  body(chunks: Uint8Array[]): void {
    chunks.push(this.sink.view());
  }
}

const DICTIONARY_VERSION = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
/** Additional keys follow (bit 9), and the reader's dictionary is to be updated (bit 10). */
const DICTIONARY_FLAGS = (1 << 9) | (1 << 10);

/**
 * `LowCardinality(String)`: each row is an index into a dictionary of the block. Rows are given as entries of
 * the builder's string table; the column numbers those that occur in it.
 */
export class DictionaryColumn implements NativeColumn {
  readonly type = 'LowCardinality(String)';
  readonly #strings: StringTable;
  /** Number in this dictionary plus one, by entry of the string table. */
  #numbers: Uint32Array = new Uint32Array(0);
  #entries: Uint32Array = new Uint32Array(0);
  #size = 0;
  #rows: Uint32Array = new Uint32Array(0);
  /** By number: the run in which the entry was pushed last. */
  #lastRuns: Uint32Array = new Uint32Array(0);
  count = 0;
  readonly #keys = new ByteSink(1024);
  readonly #header = new ByteSink(32);
  #narrow: Uint8Array = new Uint8Array(0);

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  /** Distinct entries of the string table that were pushed, in the order they came. */
  get entries(): Uint32Array {
    return this.#entries.subarray(0, this.#size);
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) this.#numbers[this.#entries[i]!] = 0;
    this.#lastRuns.fill(0);
    this.#size = 0;
    this.count = 0;
  }

  /** Appends a row: entry `index` of the string table. */
  push(index: number): void {
    let number = index < this.#numbers.length ? this.#numbers[index]! : 0;
    if (number === 0) number = this.#add(index);
    if (this.count === this.#rows.length) this.#rows = grown(this.#rows, new Uint32Array(capacityFor(this.count + 1)));
    this.#rows[this.count++] = number - 1;
  }

  /** Appends a row and says whether the same entry was pushed in the same run (counted from 1) before. */
  pushOnce(index: number, run: number): boolean {
    this.push(index);
    const number = this.#rows[this.count - 1]!;
    if (number >= this.#lastRuns.length)
      this.#lastRuns = grown(this.#lastRuns, new Uint32Array(capacityFor(number + 1)));
    if (this.#lastRuns[number] === run) return true;
    this.#lastRuns[number] = run;
    return false;
  }

  #add(index: number): number {
    if (index >= this.#numbers.length) this.#numbers = grown(this.#numbers, new Uint32Array(capacityFor(index + 1)));
    if (this.#size === this.#entries.length) {
      this.#entries = grown(this.#entries, new Uint32Array(capacityFor(this.#size + 1)));
    }
    this.#entries[this.#size++] = index;
    this.#numbers[index] = this.#size;
    return this.#size;
  }

  prefix(chunks: Uint8Array[]): void {
    chunks.push(DICTIONARY_VERSION);
  }

  body(chunks: Uint8Array[]): void {
    if (this.count === 0) return;
    const width = this.#size <= 0x100 ? 0 : this.#size <= 0x1_0000 ? 1 : 2;
    this.#header.clear();
    this.#header.word(DICTIONARY_FLAGS | width);
    this.#header.word(0);
    this.#header.word(this.#size);
    this.#header.word(0);
    this.#writeKeys();
    chunks.push(this.#header.view(), this.#keys.view(), lengthWords(this.count), this.#rowBytes(width));
  }

  #writeKeys(): void {
    this.#keys.clear();
    const { bytes, ends } = this.#strings;
    for (let i = 0; i < this.#size; i++) {
      const entry = this.#entries[i]!;
      this.#keys.string(bytes, this.#strings.start(entry), ends[entry]!);
    }
  }

  #rowBytes(width: number): Uint8Array {
    const rows = this.#rows;
    if (width === 2) return new Uint8Array(rows.buffer, 0, this.count * 4);
    const needed = this.count << width;
    if (this.#narrow.length < needed) this.#narrow = new Uint8Array(capacityFor(needed));
    if (width === 0) {
      for (let i = 0; i < this.count; i++) this.#narrow[i] = rows[i]!;
    } else {
      const shorts = new Uint16Array(this.#narrow.buffer, 0, this.count);
      for (let i = 0; i < this.count; i++) shorts[i] = rows[i]!;
    }
    return this.#narrow.subarray(0, needed);
  }
}

/** A `LowCardinality` column that is the same in every row. */
export class ConstantColumn implements NativeColumn {
  readonly type: string;
  /** The value, as its type is written in a block. */
  value: Uint8Array = new Uint8Array(0);

  constructor(type: string) {
    this.type = type;
  }

  clear(): void {}

  prefix(chunks: Uint8Array[]): void {
    chunks.push(DICTIONARY_VERSION);
  }

  body(chunks: Uint8Array[], rows: number): void {
    if (rows === 0) return;
    const header = new ByteSink(32);
    for (const word of [DICTIONARY_FLAGS, 0, 1, 0]) header.word(word);
    chunks.push(header.view(), this.value, lengthWords(rows), new Uint8Array(rows));
  }
}

/** `Array(T)` or `Map(K, V)`: ends of the rows' runs, then the columns of the elements. Close each row with `endRow`. */
export class RunColumn implements NativeColumn {
  readonly type: string;
  readonly inner: readonly NativeColumn[];
  readonly #ends = new WordColumn('UInt64', 2);
  /** Elements so far. */
  elements = 0;

  constructor(type: string, inner: readonly NativeColumn[]) {
    this.type = type;
    this.inner = inner;
  }

  /** Rows closed so far. */
  get count(): number {
    return this.#ends.count;
  }

  clear(): void {
    this.#ends.clear();
    this.elements = 0;
    for (const column of this.inner) column.clear();
  }

  /** Ends a row whose elements have been appended to the inner columns and counted in `elements`. */
  endRow(): void {
    this.#ends.push(this.elements, 0);
  }

  prefix(chunks: Uint8Array[]): void {
    for (const column of this.inner) column.prefix(chunks);
  }

  body(chunks: Uint8Array[], rows: number): void {
    this.#ends.body(chunks, rows);
    for (const column of this.inner) column.body(chunks, this.elements);
  }
}

/** `rows` as ClickHouse's eight-byte length. */
function lengthWords(rows: number): Uint8Array {
  return Uint8Array.of(rows, rows >>> 8, rows >>> 16, rows >>> 24, 0, 0, 0, 0);
}

function capacityFor(needed: number): number {
  let capacity = 1024;
  while (capacity < needed) capacity *= 2;
  return capacity;
}

function grown<Column extends Uint8Array | Uint16Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
