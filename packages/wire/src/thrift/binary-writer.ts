import { ThriftType } from './types.ts';
import { ThriftWriter } from './writer.ts';

/** Version 1 of the binary protocol, with the sign bit that tells it from the length of a name. */
const VERSION_1 = 0x8001_0000;

/** Writes Thrift's binary protocol, messages with their version. A hot path, guarded by `bench/codec`. */
export class BinaryWriter extends ThriftWriter {
  override field(type: number, id: number, _previous: number): void {
    this.need(3);
    const { buf, length } = this;
    buf[length] = type;
    buf[length + 1] = id >>> 8;
    buf[length + 2] = id;
    this.length = length + 3;
  }

  override boolField(value: boolean, id: number, previous: number): void {
    this.field(ThriftType.BOOL, id, previous);
    this.bool(value);
  }

  override bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  override i16(value: number): void {
    this.byte(value >>> 8);
    this.byte(value);
  }

  override i32(value: number): void {
    this.need(4);
    const { buf, length } = this;
    buf[length] = value >>> 24;
    buf[length + 1] = value >>> 16;
    buf[length + 2] = value >>> 8;
    buf[length + 3] = value;
    this.length = length + 4;
  }

  override i64(lo: number, hi: number): void {
    this.i32(hi);
    this.i32(lo);
  }

  override double(lo: number, hi: number): void {
    this.i64(lo, hi);
  }

  override binary(source: Uint8Array, start: number, end: number): void {
    this.i32(end - start);
    this.raw(source, start, end);
  }

  override list(elementType: number, count: number): void {
    this.byte(elementType);
    this.i32(count);
  }

  override map(keyType: number, valueType: number, count: number): void {
    this.byte(keyType);
    this.byte(valueType);
    this.i32(count);
  }

  override message(method: Uint8Array, type: number, sequenceId: number): void {
    this.i32(VERSION_1 | type);
    this.binary(method, 0, method.length);
    this.i32(sequenceId);
  }
}
