import { SpanBatch, ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { KNOWN_ANY_VALUE, KNOWN_KEY_VALUE, ProtobufReader, truncated } from './protobuf-reader.ts';

/** Size of the table of guesses; a power of two. */
const GUESSES = 4096;

/** Stands where no batch is being filled, so that the decoder's field always has one shape. */
const NO_BATCH = new SpanBatch();

/**
 * Reads `KeyValue` messages into an attribute table.
 *
 * Keys are guessed: the key that followed the same key (or span name) last time is compared with the bytes first, and
 * only a miss is hashed. Programs emit the same keys in the same order, so nearly every guess is right.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class AttributeReader extends ProtobufReader {
  protected batch: SpanBatch = NO_BATCH;
  /** What to add to a position in the input to get its offset in the batch's heap. */
  protected heapBase = 0;
  /** The string read last in this message sequence; see the class comment. */
  protected previous = 0;
  readonly #follow = new Uint32Array(GUESSES);

  /** The index of the key in `[start, stop)`, by guess or by hash. */
  protected key(start: number, stop: number): number {
    const strings = this.batch.strings;
    const slot = this.previous & (GUESSES - 1);
    const guess = this.#follow[slot]!;
    if (guess < strings.count && strings.equals(guess, this.buf, start, stop)) {
      this.previous = guess;
      return guess;
    }
    const index = strings.intern(this.buf, start, stop);
    this.#follow[slot] = index;
    this.previous = index;
    return index;
  }

  /** Appends the `KeyValue` in `[start, end)` to `table`. */
  protected keyValue(table: AttributeTable, start: number, end: number): void {
    const buf = this.buf;
    const row = table.count;
    if (row === table.types.length) table.reserve(1);
    let key = 0;
    table.types[row] = ValueType.EMPTY;
    table.lo[row] = 0;
    table.hi[row] = 0;
    let pos = start;
    while (pos < end) {
      let tag = buf[pos]!;
      if (tag < 0x80) pos++;
      else {
        pos = this.tag(pos, end);
        tag = this.lo;
      }
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_KEY_VALUE);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x0a) key = this.key(pos, stop);
      else this.#anyValue(table, row, pos, stop);
      pos = stop;
    }
    table.keys[row] = key;
    table.count = row + 1;
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
          this.#nested(table, row, tag >>> 3, pos, stop);
          pos = stop;
          break;
        }
        default:
          pos = this.skipUnknown(tag, pos, end, KNOWN_ANY_VALUE);
      }
    }
  }

  /** Keeps a checked array or map; the same member twice is merged, which for encoded messages means concatenated. */
  #nested(table: AttributeTable, row: number, type: number, start: number, stop: number): void {
    const { batch, buf } = this;
    const earlier = table.hi[row]!;
    if (table.types[row] !== type || earlier === 0) {
      table.types[row] = type;
      table.lo[row] = this.heapBase + start;
      table.hi[row] = stop - start;
      return;
    }
    const from = table.lo[row]!;
    const at = batch.appendHeap(batch.heap, from, from + earlier);
    batch.appendHeap(buf, start, stop);
    table.lo[row] = at;
    table.hi[row] = earlier + stop - start;
  }

  /** Points the reader at `bytes`, whose values become values of `batch`. */
  protected bind(bytes: Uint8Array, batch: SpanBatch): void {
    this.buf = bytes;
    this.batch = batch;
    this.heapBase = batch.adoptHeap(bytes);
    this.previous = 0;
  }

  protected override release(): void {
    super.release();
    this.batch = NO_BATCH;
  }
}
