import { ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import type { StringGuesser } from '../string-guesser.ts';
import { ProtobufReader, truncated } from '../protobuf/protobuf-reader.ts';
import type { DecodeContext } from './decode-context.ts';
import { SpanSink } from './span-sink.ts';

/** Fields of `KeyValue` of model.proto as a bit set for `skipUnknown`. */
const KNOWN_TAG = 0b1111_1110;

/** `ValueType` of model.proto; the same types have other numbers in jaeger.thrift. */
export const ModelTagType = Object.freeze({ STRING: 0, BOOL: 1, INT64: 2, FLOAT64: 3, BINARY: 4 } as const);

/**
 * Reads `KeyValue` messages of Jaeger's api_v2 into attribute tables. Which of a tag's values counts is said by its type; one that was
 * not sent is empty, zero or false.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class ModelTagReader extends ProtobufReader {
  protected readonly sink: SpanSink = new SpanSink();
  protected readonly context: DecodeContext = this.sink.context;
  protected readonly guesser: StringGuesser = this.context.guesser;

  /** Adds the `KeyValue` in `[start, end)` to the tags of its owner. */
  protected keyValue(owner: number, table: AttributeTable, start: number, end: number): void {
    if (table.count === table.types.length) table.reserve(1);
    if (!this.#plainTag(table, start, end)) this.#anyTag(table, start, end);
    this.sink.keep(owner, table);
  }

  /**
   * The layouts writers produce: a key shorter than 128 bytes, a type unless it is STRING, one value unless it is zero. Returns false,
   * having written nothing that matters, for any other.
   */
  #plainTag(table: AttributeTable, start: number, end: number): boolean {
    const { buf } = this;
    if (end - start < 4 || buf[start] !== 0x0a) return false;
    const keyStart = start + 2;
    const keyLength = buf[start + 1]!;
    const keyStop = keyStart + keyLength;
    if (keyLength >= 0x80 || end - keyStop < 2) return false;
    const row = table.count;
    if (buf[keyStop] === 0x1a) {
      const textAt = this.length(keyStop + 1, end);
      if (this.stop !== end) return false;
      table.types[row] = ValueType.STRING;
      table.lo[row] = this.context.heapBase + textAt;
      table.hi[row] = end - textAt;
    } else if (buf[keyStop] !== 0x10 || !this.#plainNumber(table, row, keyStop + 1, end)) return false;
    table.keys[row] = this.guesser.key(keyStart, keyStop);
    return true;
  }

  /** Reads type and value of a bool, an integer or a double in `[start, end)` into `row`; returns false for any other layout. */
  #plainNumber(table: AttributeTable, row: number, start: number, end: number): boolean {
    const { buf } = this;
    const valueAt = start + 2;
    let type: number;
    let tag: number;
    switch (buf[start]) {
      case ModelTagType.BOOL:
        type = ValueType.BOOL;
        tag = 0x20;
        break;
      case ModelTagType.INT64:
        type = ValueType.INT;
        tag = 0x28;
        break;
      case ModelTagType.FLOAT64:
        type = ValueType.DOUBLE;
        tag = 0x31;
        break;
      default:
        return false;
    }
    let lo = 0;
    let hi = 0;
    if (end > start + 1) {
      if (buf[start + 1] !== tag) return false;
      if (type === ValueType.DOUBLE) {
        if (end - valueAt !== 8) return false;
        lo = this.word(valueAt);
        hi = this.word(valueAt + 4);
      } else {
        if (this.varint(valueAt, end) !== end) return false;
        lo = this.lo;
        hi = this.hi;
      }
    }
    const isBool = type === ValueType.BOOL;
    table.types[row] = type;
    table.lo[row] = isBool && (lo | hi) !== 0 ? 1 : lo;
    table.hi[row] = isBool ? 0 : hi;
    return true;
  }

  #anyTag(table: AttributeTable, start: number, end: number): void {
    const { heapBase } = this.context;
    const row = table.count;
    let key = 0;
    let tagType: number = ModelTagType.STRING;
    let textAt = 0;
    let textLength = 0;
    let flag = 0;
    let intLo = 0;
    let intHi = 0;
    let doubleLo = 0;
    let doubleHi = 0;
    let bytesAt = 0;
    let bytesLength = 0;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      switch (tag) {
        case 0x0a:
        case 0x1a:
        case 0x3a:
          pos = this.length(pos, end);
          if (tag === 0x0a) key = this.guesser.key(pos, this.stop);
          else if (tag === 0x1a) {
            textAt = heapBase + pos;
            textLength = this.stop - pos;
          } else {
            bytesAt = heapBase + pos;
            bytesLength = this.stop - pos;
          }
          pos = this.stop;
          break;
        case 0x10:
          pos = this.varint(pos, end);
          tagType = this.lo | 0;
          break;
        case 0x20:
          pos = this.varint(pos, end);
          flag = (this.lo | this.hi) === 0 ? 0 : 1;
          break;
        case 0x28:
          pos = this.varint(pos, end);
          intLo = this.lo;
          intHi = this.hi;
          break;
        case 0x31:
          if (end - pos < 8) throw truncated(pos, 'a double', end);
          doubleLo = this.word(pos);
          doubleHi = this.word(pos + 4);
          pos += 8;
          break;
        default:
          pos = this.skipUnknown(tag, pos, end, KNOWN_TAG);
      }
    }
    table.keys[row] = key;
    switch (tagType) {
      case ModelTagType.STRING:
        return put(table, ValueType.STRING, textAt, textLength);
      case ModelTagType.BOOL:
        return put(table, ValueType.BOOL, flag, 0);
      case ModelTagType.INT64:
        return put(table, ValueType.INT, intLo, intHi);
      case ModelTagType.FLOAT64:
        return put(table, ValueType.DOUBLE, doubleLo, doubleHi);
      case ModelTagType.BINARY:
        return put(table, ValueType.BYTES, bytesAt, bytesLength);
      default:
        this.context.unknownType(tagType);
        return put(table, ValueType.STRING, this.context.unknownAt, this.context.unknownLength);
    }
  }
}

/** Writes type and value words to the row behind the last of `table`, which has room for it. */
function put(table: AttributeTable, type: number, lo: number, hi: number): void {
  const row = table.count;
  table.types[row] = type;
  table.lo[row] = lo;
  table.hi[row] = hi;
}
