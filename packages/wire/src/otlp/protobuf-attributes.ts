import { SpanBatch, ValueType } from '@clew/model';
import type { AttributeTable, StringTable } from '@clew/model';
import { truncated, viewOf } from '../protobuf/protobuf-reader.ts';
import { KNOWN_ANY_VALUE, KNOWN_KEY_VALUE, NestedReader } from './protobuf-nested.ts';

/** Size of the table of guesses; a power of two. */
const GUESSES = 4096;

/** Stands where no batch is being filled, so that the decoder's field always has one shape. */
const NO_BATCH = new SpanBatch();
const NO_DICTIONARY = viewOf(NO_BATCH.strings.bytes);

/**
 * Reads `KeyValue` messages into an attribute table.
 *
 * Keys are guessed: the key that followed the same key (or span name) last time is compared with the bytes first, and
 * only a miss is hashed. Programs emit the same keys in the same order, so nearly every guess is right.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class AttributeReader extends NestedReader {
  protected batch: SpanBatch = NO_BATCH;
  /** The batch's dictionary. */
  protected strings: StringTable = NO_BATCH.strings;
  /** What to add to a position in the input to get its offset in the batch's heap. */
  protected heapBase = 0;
  /** The string read last in this message sequence; see the class comment. */
  protected previous = 0;
  /** By string read last: the key that followed it. */
  readonly #follow = new Uint32Array(GUESSES);
  /** By a hash of a few words: the recurring string that had it. */
  readonly #recurring = new Uint32Array(GUESSES);
  /** Whether an array or map of the current attribute came in parts, which protobuf wants joined. */
  #inParts = false;
  #dictionary: Uint8Array = NO_BATCH.strings.bytes;
  #dictionaryView: DataView = NO_DICTIONARY;

  /** The index of the key in `[start, stop)`, by guess or by hash. */
  #key(start: number, stop: number): number {
    const slot = this.previous & (GUESSES - 1);
    const guess = this.#follow[slot]!;
    if (this.#same(guess, start, stop)) {
      this.previous = guess;
      return guess;
    }
    const index = this.strings.intern(this.buf, start, stop);
    this.#follow[slot] = index;
    this.previous = index;
    return index;
  }

  /**
   * The index of a string that tends to come again, such as a span's name: a few of its words choose the guess.
   */
  protected recurring(start: number, stop: number): number {
    const length = stop - start;
    if (length < 4) return this.strings.intern(this.buf, start, stop);
    const { view } = this;
    const first = view.getInt32(start, true);
    const middle = view.getInt32(start + ((length - 4) >>> 1), true);
    const last = view.getInt32(stop - 4, true);
    const mixed = Math.imul(first ^ Math.imul(middle, 0x2c1b3c6d) ^ (last + length), 0x297a2d39);
    const slot = (mixed >>> 16) & (GUESSES - 1);
    const guess = this.#recurring[slot]!;
    if (this.#same(guess, start, stop)) return guess;
    return (this.#recurring[slot] = this.strings.intern(this.buf, start, stop));
  }

  /**
   * Whether the dictionary has an entry `index` and it equals `[start, stop)`; compares words, the last two
   * overlapping.
   */
  #same(index: number, start: number, stop: number): boolean {
    const { strings } = this;
    if (index >= strings.count) return false;
    const length = stop - start;
    const at = index === 0 ? 0 : strings.ends[index - 1]!;
    if (strings.ends[index]! - at !== length) return false;
    if (length < 4) return strings.equals(index, this.buf, start, stop);
    if (strings.bytes !== this.#dictionary) this.#bindDictionary(strings.bytes);
    const { view } = this;
    const dictionary = this.#dictionaryView;
    const tail = length - 4;
    for (let i = 0; i < tail; i += 4) {
      if (view.getInt32(start + i, true) !== dictionary.getInt32(at + i, true)) return false;
    }
    return view.getInt32(start + tail, true) === dictionary.getInt32(at + tail, true);
  }

  #bindDictionary(bytes: Uint8Array): void {
    this.#dictionary = bytes;
    this.#dictionaryView = viewOf(bytes);
  }

  /** Appends the `KeyValue` in `[start, end)` to `table`. */
  protected keyValue(table: AttributeTable, start: number, end: number): void {
    const row = table.count;
    if (row === table.types.length) table.reserve(1);
    if (end - start < 4 || !this.#plainKeyValue(table, row, start, end)) this.#anyKeyValue(table, row, start, end);
    if (this.#inParts) this.#joinParts(table, row, start, end);
    table.count = row + 1;
  }

  /**
   * The layout every writer produces: a key shorter than 128 bytes, then a value shorter than 128 bytes, nothing else.
   * Returns false, having written nothing that matters, for any other.
   */
  #plainKeyValue(table: AttributeTable, row: number, start: number, end: number): boolean {
    const { buf } = this;
    if (buf[start] !== 0x0a) return false;
    const keyStart = start + 2;
    const keyLength = buf[start + 1]!;
    const keyStop = keyStart + keyLength;
    if (keyLength >= 0x80 || end - keyStop < 2 || buf[keyStop] !== 0x12) return false;
    const valueStart = keyStop + 2;
    const valueLength = end - valueStart;
    if (valueLength >= 0x80 || buf[keyStop + 1] !== valueLength) return false;
    if (valueLength >= 2 && buf[valueStart] === 0x0a && buf[valueStart + 1] === valueLength - 2) {
      table.types[row] = ValueType.STRING;
      table.lo[row] = this.heapBase + valueStart + 2;
      table.hi[row] = valueLength - 2;
    } else if (valueLength === 2 && (buf[valueStart] === 0x18 || buf[valueStart] === 0x10) && buf[end - 1]! < 2) {
      // 0, 1, false or true
      table.types[row] = buf[valueStart]! >>> 3;
      table.lo[row] = buf[end - 1]!;
      table.hi[row] = 0;
    } else if (valueLength === 3 && buf[valueStart] === 0x18 && buf[valueStart + 1]! >= 0x80 && buf[end - 1]! < 0x80) {
      // an integer of two bytes, such as an HTTP status
      table.types[row] = ValueType.INT;
      table.lo[row] = (buf[valueStart + 1]! & 0x7f) | (buf[end - 1]! << 7);
      table.hi[row] = 0;
    } else {
      table.types[row] = ValueType.EMPTY;
      table.lo[row] = 0;
      table.hi[row] = 0;
      this.#anyValue(table, row, valueStart, end);
    }
    table.keys[row] = this.#key(keyStart, keyStop);
    return true;
  }

  #anyKeyValue(table: AttributeTable, row: number, start: number, end: number): void {
    let key = 0;
    table.types[row] = ValueType.EMPTY;
    table.lo[row] = 0;
    table.hi[row] = 0;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_KEY_VALUE);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x0a) key = this.#key(pos, stop);
      else this.#anyValue(table, row, pos, stop);
      pos = stop;
    }
    table.keys[row] = key;
  }

  /** Merges the `AnyValue` in `[start, end)` into attribute `row`: of several members the last one stays. */
  #anyValue(table: AttributeTable, row: number, start: number, end: number): void {
    const buf = this.buf;
    let pos = start;
    while (pos < end) {
      let tag = buf[pos]!;
      if (tag < 0x80) pos++;
      else {
        pos = this.tag(pos, end);
        tag = this.lo;
      }
      switch (tag) {
        case 0x0a:
        case 0x3a:
          pos = this.length(pos, end);
          table.types[row] = tag >>> 3;
          table.lo[row] = this.heapBase + pos;
          table.hi[row] = this.stop - pos;
          pos = this.stop;
          break;
        case 0x10:
          pos = this.varint(pos, end);
          table.types[row] = ValueType.BOOL;
          table.lo[row] = (this.lo | this.hi) === 0 ? 0 : 1;
          table.hi[row] = 0;
          break;
        case 0x18:
          table.types[row] = ValueType.INT;
          if (pos < end && buf[pos]! < 0x80) {
            table.lo[row] = buf[pos++]!;
            table.hi[row] = 0;
            break;
          }
          pos = this.varint(pos, end);
          table.lo[row] = this.lo;
          table.hi[row] = this.hi;
          break;
        case 0x21:
          if (end - pos < 8) throw truncated(pos, 'a double', end);
          table.types[row] = ValueType.DOUBLE;
          table.lo[row] = this.word(pos);
          table.hi[row] = this.word(pos + 4);
          pos += 8;
          break;
        case 0x2a:
        case 0x32: {
          pos = this.length(pos, end);
          const stop = this.stop;
          this.checkNested(pos, stop, tag === 0x32, 1);
          this.#inParts ||= table.types[row] === tag >>> 3;
          table.types[row] = tag >>> 3;
          table.lo[row] = this.heapBase + pos;
          table.hi[row] = stop - pos;
          pos = stop;
          break;
        }
        default:
          pos = this.skipUnknown(tag, pos, end, KNOWN_ANY_VALUE);
      }
    }
  }

  /**
   * Joins what {@link AttributeReader.#anyValue} found in parts: rare, so it walks the `KeyValue` in `[start, end)`
   * once more. All parts are appended at once, so that many of them cost no more than their bytes.
   */
  #joinParts(table: AttributeTable, row: number, start: number, end: number): void {
    this.#inParts = false;
    const type = table.types[row]!;
    if (type !== ValueType.ARRAY && type !== ValueType.KVLIST) return;
    const parts: number[] = [];
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const isValue = this.lo === 0x12;
      const from = pos;
      pos = this.skip(this.lo, pos, end, 1);
      if (isValue) this.#collectParts(type, this.length(from, end), pos, parts);
    }
    const { batch, buf } = this;
    const at = batch.heapLength;
    for (let i = 0; i < parts.length; i += 2) batch.appendHeap(buf, parts[i]!, parts[i + 1]!);
    table.lo[row] = at;
    table.hi[row] = batch.heapLength - at;
  }

  /**
   * Adds the ranges of the members `type` of the `AnyValue` in `[start, end)`; another member of the oneof makes them
   * void.
   */
  #collectParts(type: number, start: number, end: number, parts: number[]): void {
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const field = this.lo >>> 3;
      const from = pos;
      pos = this.skip(this.lo, pos, end, 1);
      if (field === type) parts.push(this.length(from, end), pos);
      else if (field <= ValueType.BYTES) parts.length = 0;
    }
  }

  /** Points the reader at `bytes`, whose values become values of `batch`. */
  protected bind(bytes: Uint8Array, batch: SpanBatch): void {
    this.buf = bytes;
    this.view = viewOf(bytes);
    this.batch = batch;
    this.strings = batch.strings;
    this.heapBase = batch.adoptHeap(bytes);
    this.previous = 0;
    this.#inParts = false;
  }

  protected override release(): void {
    super.release();
    this.batch = NO_BATCH;
    this.strings = NO_BATCH.strings;
    this.#dictionary = NO_BATCH.strings.bytes;
    this.#dictionaryView = NO_DICTIONARY;
  }
}
