import { COMPACT_ID } from './message.ts';
import { COMPACT_FALSE, COMPACT_TRUE, compactTypes } from './types.ts';
import { ThriftWriter } from './writer.ts';

const VERSION = 1;

/** By `ThriftType`: the compact protocol's code; a bool is written as true where only its type is said. */
const CODES: readonly number[] = codes();

/** Writes Thrift's compact protocol. A hot path, guarded by `bench/codec`. */
export class CompactWriter extends ThriftWriter {
  override field(type: number, id: number, previous: number): void {
    this.#header(CODES[type]!, id, previous);
  }

  override boolField(value: boolean, id: number, previous: number): void {
    this.#header(value ? COMPACT_TRUE : COMPACT_FALSE, id, previous);
  }

  #header(code: number, id: number, previous: number): void {
    const distance = id - previous;
    if (distance > 0 && distance < 16) this.byte((distance << 4) | code);
    else {
      this.byte(code);
      this.i16(id);
    }
  }

  override bool(value: boolean): void {
    this.byte(value ? COMPACT_TRUE : COMPACT_FALSE);
  }

  override i16(value: number): void {
    this.i32(value);
  }

  override i32(value: number): void {
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  override i64(lo: number, hi: number): void {
    const sign = hi >> 31;
    let rest = ((lo << 1) ^ sign) >>> 0;
    let high = (((hi << 1) | (lo >>> 31)) ^ sign) >>> 0;
    while (high !== 0) {
      this.byte((rest & 0x7f) | 0x80);
      rest = ((rest >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#varint(rest);
  }

  override double(lo: number, hi: number): void {
    this.#word(lo);
    this.#word(hi);
  }

  #word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte(value >>> shift);
  }

  override binary(source: Uint8Array, start: number, end: number): void {
    this.#varint(end - start);
    this.raw(source, start, end);
  }

  override list(elementType: number, count: number): void {
    const code = CODES[elementType]!;
    if (count < 15) this.byte((count << 4) | code);
    else {
      this.byte(0xf0 | code);
      this.#varint(count);
    }
  }

  override map(keyType: number, valueType: number, count: number): void {
    this.#varint(count);
    if (count > 0) this.byte((CODES[keyType]! << 4) | CODES[valueType]!);
  }

  override message(method: Uint8Array, type: number, sequenceId: number): void {
    this.byte(COMPACT_ID);
    this.byte((type << 5) | VERSION);
    this.#varint(sequenceId);
    this.binary(method, 0, method.length);
  }

  /** Writes an unsigned 32-bit varint. */
  #varint(value: number): void {
    this.need(5);
    const { buf } = this;
    let { length } = this;
    let rest = value;
    while (rest > 0x7f) {
      buf[length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[length++] = rest;
    this.length = length;
  }
}

function codes(): number[] {
  const table: number[] = [];
  for (const [code, type] of compactTypes.entries()) table[type] ??= code;
  return table;
}
