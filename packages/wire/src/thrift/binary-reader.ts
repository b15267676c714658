import { inputError } from '../errors.ts';
import { NO_FIELD, ThriftReader, truncatedThrift } from './reader.ts';
import { ThriftType, thriftTypeName } from './types.ts';

/** By type code: the fewest bytes a value takes; 0 where there is no such type. */
const MIN_BYTES = [0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 4, 1, 6, 5, 5] as const;

/**
 * Reads Thrift's binary protocol: big-endian numbers, a type byte and an i16 id before each field.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class BinaryReader extends ThriftReader {
  override field(_previous: number): number {
    const { pos } = this;
    if (pos >= this.end) throw truncatedThrift(pos, 'a struct', this.end);
    const type = this.buf[pos]!;
    if (type === ThriftType.STOP) {
      this.pos = pos + 1;
      return NO_FIELD;
    }
    if (this.end - pos < 3) throw truncatedThrift(pos, 'the header of a field', this.end);
    if (type > ThriftType.LIST || MIN_BYTES[type] === 0) throw unknownType(pos, type);
    this.type = type;
    this.pos = pos + 3;
    return this.view.getInt16(pos + 1);
  }

  override bool(): boolean {
    return this.byte() !== 0;
  }

  override byte(): number {
    this.need(1, 'a byte');
    return this.view.getInt8(this.pos++);
  }

  override i16(): number {
    this.need(2, 'an i16');
    this.pos += 2;
    return this.view.getInt16(this.pos - 2);
  }

  override i32(): number {
    const { pos } = this;
    if (this.end - pos < 4) throw truncatedThrift(pos, 'an i32', this.end);
    this.pos = pos + 4;
    return this.view.getInt32(pos);
  }

  override i64(): void {
    const { pos } = this;
    if (this.end - pos < 8) throw truncatedThrift(pos, 'a value of 64 bits', this.end);
    this.pos = pos + 8;
    this.hi = this.view.getUint32(pos);
    this.lo = this.view.getUint32(pos + 4);
  }

  override double(): void {
    this.i64();
  }

  override binary(): void {
    const at = this.pos;
    const length = this.i32();
    const start = this.pos;
    if (length < 0) throw inputError('invalid_thrift', at, `a string has the negative length ${length}`);
    if (length > this.end - start) throw truncatedThrift(at, `a string of ${length} bytes`, this.end);
    this.start = start;
    this.stop = start + length;
    this.pos = start + length;
  }

  override list(): number {
    const at = this.pos;
    this.elementType = this.#elementType();
    return this.#count(at, 'list', minBytes(this.elementType));
  }

  override map(): number {
    const at = this.pos;
    this.keyType = this.#elementType();
    this.elementType = this.#elementType();
    return this.#count(at, 'map', minBytes(this.keyType) + minBytes(this.elementType));
  }

  #elementType(): number {
    this.need(1, 'the type of elements');
    return this.buf[this.pos++]!;
  }

  /** The number of elements that take `least` bytes each, 0 when there can be none of their type. */
  #count(at: number, what: string, least: number): number {
    const count = this.i32();
    if (count < 0) throw inputError('invalid_thrift', at, `a ${what} has the negative count ${count}`);
    if (count > 0 && least === 0) throw unknownType(at, this.elementType);
    if (count * least > this.end - this.pos) throw truncatedThrift(at, `a ${what} of ${count} elements`, this.end);
    return count;
  }

  protected override skipFlat(type: number): boolean {
    switch (type) {
      case ThriftType.STRING:
        this.binary();
        return true;
      case ThriftType.BOOL:
      case ThriftType.BYTE:
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
      case ThriftType.DOUBLE:
        this.need(MIN_BYTES[type], `a value of type ${thriftTypeName(type)}`);
        this.pos += MIN_BYTES[type];
        return true;
      default:
        return false;
    }
  }
}

function minBytes(type: number): number {
  return type < MIN_BYTES.length ? MIN_BYTES[type]! : 0;
}

function unknownType(pos: number, type: number): Error {
  return inputError('invalid_thrift', pos, `${type} is no type of Thrift's binary protocol`);
}
