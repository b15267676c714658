import { inputError } from '../errors.ts';
import { NO_FIELD, ThriftReader, truncatedThrift } from './reader.ts';
import { COMPACT_FALSE, COMPACT_TRUE, ThriftType, compactTypes } from './types.ts';

/** {@link CompactReader}'s note that the bool to be read is no field's. */
const IN_LIST = 0;

/**
 * Reads Thrift's compact protocol: zig-zag varints, field ids as distances, a bool within its field's header.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class CompactReader extends ThriftReader {
  /** The code of the bool field whose header was read last, until its value is asked for. */
  #bool = IN_LIST;
  /** High word of the varint read last; the low one is returned. */
  #high = 0;

  override bind(bytes: Uint8Array, pos: number, maxDepth: number): void {
    super.bind(bytes, pos, maxDepth);
    this.#bool = IN_LIST;
  }

  override field(previous: number): number {
    const { pos } = this;
    if (pos >= this.end) throw truncatedThrift(pos, 'a struct', this.end);
    const header = this.buf[pos]!;
    this.pos = pos + 1;
    if (header === 0) return NO_FIELD;
    const code = header & 0x0f;
    const type = compactTypes[code]!;
    if (type === ThriftType.STOP) throw unknownType(pos, code);
    this.type = type;
    if (code <= COMPACT_FALSE) this.#bool = code;
    return header >= 0x10 ? previous + (header >>> 4) : this.i16();
  }

  override bool(): boolean {
    const code = this.#bool;
    this.#bool = IN_LIST;
    return (code === IN_LIST ? this.byte() : code) === COMPACT_TRUE;
  }

  override byte(): number {
    this.need(1, 'a byte');
    return this.view.getInt8(this.pos++);
  }

  override i16(): number {
    return (this.i32() << 16) >> 16;
  }

  override i32(): number {
    const { pos } = this;
    if (pos < this.end) {
      const byte = this.buf[pos]!;
      if (byte < 0x80) {
        this.pos = pos + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    const low = this.varint();
    return (low >>> 1) ^ -(low & 1);
  }

  override i64(): void {
    const low = this.varint();
    const high = this.#high;
    const sign = -(low & 1);
    this.lo = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
    this.hi = ((high >>> 1) ^ sign) >>> 0;
  }

  override double(): void {
    const { pos } = this;
    if (this.end - pos < 8) throw truncatedThrift(pos, 'a double', this.end);
    this.pos = pos + 8;
    this.lo = this.view.getUint32(pos, true);
    this.hi = this.view.getUint32(pos + 4, true);
  }

  override binary(): void {
    const at = this.pos;
    const length = this.varint();
    const start = this.pos;
    if (this.#high !== 0 || length > this.end - start) {
      throw truncatedThrift(at, `a string of ${this.#high === 0 ? length : '2^32 or more'} bytes`, this.end);
    }
    this.start = start;
    this.stop = start + length;
    this.pos = start + length;
  }

  override list(): number {
    const at = this.pos;
    this.need(1, 'the header of a list');
    const header = this.buf[this.pos++]!;
    const short = header >>> 4;
    const count = short < 15 ? short : this.varint();
    if (short === 15 && this.#high !== 0) throw truncatedThrift(at, 'a list of 2^32 or more elements', this.end);
    this.elementType = this.#elementType(at, header & 0x0f, count);
    const least = this.elementType === ThriftType.DOUBLE ? 8 : 1;
    if (count * least > this.end - this.pos) throw truncatedThrift(at, `a list of ${count} elements`, this.end);
    return count;
  }

  override map(): number {
    const at = this.pos;
    const count = this.varint();
    if (count === 0 && this.#high === 0) return 0;
    if (this.#high !== 0 || count * 2 > this.end - this.pos) {
      throw truncatedThrift(at, `a map of ${this.#high === 0 ? count : '2^32 or more'} entries`, this.end);
    }
    const types = this.buf[this.pos++]!;
    this.keyType = this.#elementType(at, types >>> 4, count);
    this.elementType = this.#elementType(at, types & 0x0f, count);
    return count;
  }

  #elementType(at: number, code: number, count: number): number {
    const type = compactTypes[code]!;
    if (type === ThriftType.STOP && count > 0) throw unknownType(at, code);
    return type;
  }

  protected override skipFlat(type: number): boolean {
    switch (type) {
      case ThriftType.BOOL:
        this.bool();
        return true;
      case ThriftType.BYTE:
        this.byte();
        return true;
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
        this.varint();
        return true;
      case ThriftType.DOUBLE:
        this.double();
        return true;
      case ThriftType.STRING:
        this.binary();
        return true;
      default:
        return false;
    }
  }

  /** Reads a varint: returns its low word, unsigned, and leaves the high one in `#high`. Bits above the 64th are dropped. */
  varint(): number {
    const { buf, end } = this;
    const start = this.pos;
    let { pos } = this;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw truncatedThrift(start, 'a varint', end);
      const byte = buf[pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 0x80) {
        this.pos = pos;
        this.#high = hi >>> 0;
        return lo >>> 0;
      }
    }
    throw inputError('invalid_varint', start, 'a varint is longer than 10 bytes');
  }
}

function unknownType(pos: number, code: number): Error {
  return inputError('invalid_thrift', pos, `${code} is no type of Thrift's compact protocol`);
}
