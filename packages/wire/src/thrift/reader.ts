import { inputError } from '../errors.ts';
import type { WireError } from '../errors.ts';
import { limitError } from '../limits.ts';
import { ThriftType, thriftTypeName } from './types.ts';

/** What {@link ThriftReader.field} returns at the end of a struct; no field has this id. */
export const NO_FIELD = -0x8001;

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/**
 * Reads Thrift values one after the other from `buf`, in whichever protocol; `BinaryReader` and `CompactReader` are the
 * two kinds. Nothing is allocated but errors: a 64-bit value is left in two words, a string as a range of the input.
 *
 * ```ts
 * reader.bind(bytes, 0, maxDepth);
 * for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
 *   switch (id) {
 *     case 1: reader.expect(ThriftType.STRING); reader.binary(); use(reader.start, reader.stop); break;
 *     case 2: reader.expect(ThriftType.I64); reader.i64(); use(reader.lo, reader.hi); break;
 *     case 3: for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) readOther(reader); break;
 *     default: reader.skip();
 *   }
 * }
 * ```
 *
 * A struct needs no begin and no end: the fields of an inner one are read by a loop of its own, which starts from 0. Each
 * field's value must be read or skipped, exactly once. Whatever the bytes, a method returns within the input or fails with
 * `WireError`: a count is checked against the bytes that remain before it is returned.
 *
 * A hot path, guarded by `bench/codec`.
 */
export abstract class ThriftReader {
  /** The input; only this class's own readers and decoders with a fast path of their own look at it. */
  buf: Uint8Array = EMPTY;
  /** The same bytes, for reading words. */
  view: DataView = EMPTY_VIEW;
  /** Where the next value begins. */
  pos = 0;
  /** End of the input. */
  end = 0;
  /** The type of the field read last, one of {@link ThriftType}. */
  type = 0;
  /** Low and high word of the i64 (two's complement) or double (IEEE 754) read last, unsigned. */
  lo = 0;
  hi = 0;
  /** The string read last: `buf[start, stop)`. */
  start = 0;
  stop = 0;
  /** The type of the elements of the list or set begun last. */
  elementType = 0;
  #maxDepth = 0;

  /** Reads `bytes` from `pos` on; structs, lists and maps that are skipped may nest `maxDepth` deep. */
  bind(bytes: Uint8Array, pos: number, maxDepth: number): void {
    this.buf = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = pos;
    this.end = bytes.length;
    this.#maxDepth = maxDepth;
  }

  /** Lets go of the input. */
  release(): void {
    this.buf = EMPTY;
    this.view = EMPTY_VIEW;
    this.pos = 0;
    this.end = 0;
  }

  /** Reads a field's header and sets `type`; returns its id, or `NO_FIELD` at the end of the struct. `previous` is the id before it, 0 at first. */
  abstract field(previous: number): number;

  abstract bool(): boolean;

  /** A signed byte. */
  abstract byte(): number;

  abstract i16(): number;

  abstract i32(): number;

  /** Reads an i64 into `lo` and `hi`. */
  abstract i64(): void;

  /** Reads a double into `lo` and `hi`. */
  abstract double(): void;

  /** Reads a string or binary: sets `start` and `stop`. */
  abstract binary(): void;

  /** Reads the header of a list or set, sets `elementType`, returns the number of elements. */
  abstract list(): number;

  /** Skips the value of a type other than struct, list, set and map; returns false for those, having read nothing. */
  protected abstract skipFlat(type: number): boolean;

  /** Reads the header of a map into `keyType` and `elementType`; returns the number of entries. */
  abstract map(): number;

  /** The type of the keys of the map begun last. */
  keyType = 0;

  /** Fails unless the field read last has this type. */
  expect(type: number): void {
    if (this.type !== type) throw this.#wrongType('the field', this.type, type);
  }

  /** Begins the list that is the value of the field read last, and whose elements must have this type; returns their number. */
  listOf(elementType: number): number {
    this.expect(ThriftType.LIST);
    const count = this.list();
    if (count > 0 && this.elementType !== elementType) {
      throw this.#wrongType('an element of the list', this.elementType, elementType);
    }
    return count;
  }

  /** Skips the value of the field read last. */
  skip(): void {
    this.#skip(this.type, 1);
  }

  #skip(type: number, depth: number): void {
    if (this.skipFlat(type)) return;
    if (depth > this.#maxDepth) throw limitError('too_deep', this.pos, 'maxDepth', this.#maxDepth);
    if (type === ThriftType.STRUCT) {
      for (let id = this.field(0); id !== NO_FIELD; id = this.field(id)) this.#skip(this.type, depth + 1);
      return;
    }
    const isMap = type === ThriftType.MAP;
    const count = isMap ? this.map() : this.list();
    const { keyType, elementType } = this;
    for (let i = 0; i < count; i++) {
      if (isMap) this.#skip(keyType, depth + 1);
      this.#skip(elementType, depth + 1);
    }
  }

  /** Fails unless `bytes` more are there. */
  protected need(bytes: number, what: string): void {
    if (this.end - this.pos < bytes) throw truncatedThrift(this.pos, what, this.end);
  }

  #wrongType(what: string, found: number, wanted: number): WireError {
    return inputError(
      'wrong_thrift_type',
      this.pos,
      `${what} before here is a ${thriftTypeName(found)}, not a ${thriftTypeName(wanted)} as its definition says`,
    );
  }
}

/** The error for a value that would end behind the input. */
export function truncatedThrift(start: number, what: string, end: number): WireError {
  return inputError('truncated', start, `${what} runs past the end of the input (byte ${end})`);
}
