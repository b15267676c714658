import { ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import type { StringGuesser } from '../string-guesser.ts';
import { NO_FIELD } from '../thrift/reader.ts';
import type { ThriftReader } from '../thrift/reader.ts';
import { ThriftType } from '../thrift/types.ts';
import type { DecodeContext } from './decode-context.ts';
import { TagType } from './thrift-tag-type.ts';

/**
 * Reads tags of jaeger.thrift into attribute tables, one at a time. Which of a tag's values counts is said by its type; one that was not sent is
 * empty, zero or false.
 *
 * Nearly every tag has the layout that generated code writes: key, type and one value, in this order. Each protocol has a way of its
 * own to read that without a call for each field; whatever looks different is read field by field.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class TagReader {
  readonly #context: DecodeContext;
  readonly #guesser: StringGuesser;

  constructor(context: DecodeContext, guesser: StringGuesser) {
    this.#context = context;
    this.#guesser = guesser;
  }

  /** Reads the tag `reader` stands before into the row behind the last of `table`; `isCompact` tells the protocol. */
  read(reader: ThriftReader, isCompact: boolean, table: AttributeTable): void {
    if (table.count === table.types.length) table.reserve(1);
    if (isCompact ? this.#plainCompact(reader, table) : this.#plainBinary(reader, table)) return;
    this.#anyTag(reader, table);
  }

  /**
   * `0b 0001` length key, `08 0002` type, then header and value of one field, and the end. Returns false, having moved nothing, for any
   * other layout and for what does not fit into the input.
   */
  #plainBinary(reader: ThriftReader, table: AttributeTable): boolean {
    const row = table.count;
    const { view, pos, end } = reader;
    if (end - pos < 15 || view.getUint32(pos) !== 0x0b00_0100) return false;
    const keyStart = pos + 7;
    const keyStop = keyStart + view.getUint32(pos + 3);
    // Behind the key: 7 bytes of the type, at least 4 of the value, 1 for the end.
    if (end - keyStop < 12 || view.getUint32(keyStop) !== 0x0800_0200) return false;
    const valueAt = keyStop + 10;
    const header = view.getUint32(keyStop + 7);
    let stop = valueAt;
    switch (view.getUint32(keyStop + 3)) {
      case TagType.STRING:
      case TagType.BINARY: {
        const isString = view.getUint32(keyStop + 3) === TagType.STRING;
        if (header !== (isString ? 0x0b00_0300 : 0x0b00_0700) || end - valueAt < 5) return false;
        const length = view.getUint32(valueAt);
        stop = valueAt + 4 + length;
        if (stop >= end) return false;
        table.types[row] = isString ? ValueType.STRING : ValueType.BYTES;
        table.lo[row] = this.#context.heapBase + valueAt + 4;
        table.hi[row] = length;
        break;
      }
      case TagType.BOOL:
        if (header >>> 8 !== 0x02_0005) return false;
        stop = valueAt + 1;
        table.types[row] = ValueType.BOOL;
        table.lo[row] = (header & 0xff) === 0 ? 0 : 1;
        table.hi[row] = 0;
        break;
      case TagType.LONG:
      case TagType.DOUBLE: {
        const isLong = view.getUint32(keyStop + 3) === TagType.LONG;
        if (header >>> 8 !== (isLong ? 0x0a_0006 : 0x04_0004) || end - valueAt < 9) return false;
        stop = valueAt + 8;
        table.types[row] = isLong ? ValueType.INT : ValueType.DOUBLE;
        table.hi[row] = view.getUint32(valueAt);
        table.lo[row] = view.getUint32(valueAt + 4);
        break;
      }
      default:
        return false;
    }
    if (view.getUint8(stop) !== 0) return false;
    table.keys[row] = this.#guesser.key(keyStart, keyStop);
    reader.pos = stop + 1;
    return true;
  }

  /**
   * `18` length key, `15` type, then header and value of one field, and the end; lengths below 128. Returns false, having moved
   * nothing that matters, for any other layout and for what does not fit into the input.
   */
  #plainCompact(reader: ThriftReader, table: AttributeTable): boolean {
    const row = table.count;
    const { buf, pos, end } = reader;
    if (end - pos < 6 || buf[pos] !== 0x18) return false;
    const keyStart = pos + 2;
    const keyLength = buf[pos + 1]!;
    const keyStop = keyStart + keyLength;
    if (keyLength >= 0x80 || end - keyStop < 4 || buf[keyStop] !== 0x15) return false;
    const header = buf[keyStop + 2]!;
    const valueAt = keyStop + 3;
    let stop = valueAt;
    // The type is zig-zag: its double.
    switch (buf[keyStop + 1]) {
      case TagType.STRING * 2: {
        const length = buf[valueAt]!;
        stop = valueAt + 1 + length;
        if (header !== 0x18 || length >= 0x80 || stop >= end) return false;
        table.types[row] = ValueType.STRING;
        table.lo[row] = this.#context.heapBase + valueAt + 1;
        table.hi[row] = length;
        break;
      }
      case TagType.BOOL * 2:
        if (header !== 0x31 && header !== 0x32) return false;
        table.types[row] = ValueType.BOOL;
        table.lo[row] = header === 0x31 ? 1 : 0;
        table.hi[row] = 0;
        break;
      case TagType.LONG * 2:
        if (header !== 0x46) return false;
        reader.pos = valueAt;
        reader.i64();
        stop = reader.pos;
        reader.pos = pos;
        if (stop >= end) return false;
        table.types[row] = ValueType.INT;
        table.lo[row] = reader.lo;
        table.hi[row] = reader.hi;
        break;
      case TagType.DOUBLE * 2:
        stop = valueAt + 8;
        if (header !== 0x27 || stop >= end) return false;
        table.types[row] = ValueType.DOUBLE;
        table.lo[row] = reader.view.getUint32(valueAt, true);
        table.hi[row] = reader.view.getUint32(valueAt + 4, true);
        break;
      default:
        return false;
    }
    if (buf[stop] !== 0) return false;
    table.keys[row] = this.#guesser.key(keyStart, keyStop);
    reader.pos = stop + 1;
    return true;
  }

  #anyTag(reader: ThriftReader, table: AttributeTable): void {
    const { heapBase } = this.#context;
    let key = 0;
    let tagType: number = TagType.STRING;
    let textAt = 0;
    let textLength = 0;
    let doubleLo = 0;
    let doubleHi = 0;
    let flag = 0;
    let longLo = 0;
    let longHi = 0;
    let bytesAt = 0;
    let bytesLength = 0;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          reader.expect(ThriftType.STRING);
          reader.binary();
          key = this.#guesser.key(reader.start, reader.stop);
          break;
        case 2:
          reader.expect(ThriftType.I32);
          tagType = reader.i32();
          break;
        case 3:
          reader.expect(ThriftType.STRING);
          reader.binary();
          textAt = heapBase + reader.start;
          textLength = reader.stop - reader.start;
          break;
        case 4:
          reader.expect(ThriftType.DOUBLE);
          reader.double();
          doubleLo = reader.lo;
          doubleHi = reader.hi;
          break;
        case 5:
          reader.expect(ThriftType.BOOL);
          flag = reader.bool() ? 1 : 0;
          break;
        case 6:
          reader.expect(ThriftType.I64);
          reader.i64();
          longLo = reader.lo;
          longHi = reader.hi;
          break;
        case 7:
          reader.expect(ThriftType.STRING);
          reader.binary();
          bytesAt = heapBase + reader.start;
          bytesLength = reader.stop - reader.start;
          break;
        default:
          reader.skip();
      }
    }
    switch (tagType) {
      case TagType.STRING:
        return put(table, key, ValueType.STRING, textAt, textLength);
      case TagType.DOUBLE:
        return put(table, key, ValueType.DOUBLE, doubleLo, doubleHi);
      case TagType.BOOL:
        return put(table, key, ValueType.BOOL, flag, 0);
      case TagType.LONG:
        return put(table, key, ValueType.INT, longLo, longHi);
      case TagType.BINARY:
        return put(table, key, ValueType.BYTES, bytesAt, bytesLength);
      default:
        this.#context.unknownType(tagType);
        return put(table, key, ValueType.STRING, this.#context.unknownAt, this.#context.unknownLength);
    }
  }
}

/** Writes the row behind the last of `table`, which has room for it. */
export function put(table: AttributeTable, key: number, type: number, lo: number, hi: number): void {
  const row = table.count;
  table.keys[row] = key;
  table.types[row] = type;
  table.lo[row] = lo;
  table.hi[row] = hi;
}
