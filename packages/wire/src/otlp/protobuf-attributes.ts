import { SpanBatch, ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { truncated, viewOf } from '../protobuf/protobuf-reader.ts';
import { StringGuesser } from '../string-guesser.ts';
import { KNOWN_ANY_VALUE, KNOWN_KEY_VALUE, NestedReader } from './protobuf-nested.ts';

/** Stands where no batch is being filled, so that the decoder's field always has one shape. */
const NO_BATCH = new SpanBatch();

/**
 * Reads `KeyValue` messages into an attribute table.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class AttributeReader extends NestedReader {
  protected batch: SpanBatch = NO_BATCH;
  /** What to add to a position in the input to get its offset in the batch's heap. */
  protected heapBase = 0;
  /** Finds keys, names and other strings that recur. */
  protected readonly guesser: StringGuesser = new StringGuesser();
  /** Whether an array or map of the current attribute came in parts, which protobuf wants joined. */
  #inParts = false;

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
    table.keys[row] = this.guesser.key(keyStart, keyStop);
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
      if (tag === 0x0a) key = this.guesser.key(pos, stop);
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
    this.heapBase = batch.adoptHeap(bytes);
    this.guesser.bind(bytes, this.view, batch.strings);
    this.#inParts = false;
  }

  protected override release(): void {
    super.release();
    this.batch = NO_BATCH;
    this.guesser.release();
  }
}
