import { copyBytes } from '@clew/model';

/**
 * A growing run of bytes. A hot path, guarded by `bench/block`: allocates only when it grows, and keeps its buffer when cleared.
 */
export class ByteSink {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written: a view, valid until the next write or `clear`. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for `count` further bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** An unsigned 32-bit number, seven bits a byte, lowest first. */
  varint(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** Four bytes, lowest first. */
  word(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value;
    bytes[length + 1] = value >>> 8;
    bytes[length + 2] = value >>> 16;
    bytes[length + 3] = value >>> 24;
    this.length = length + 4;
  }

  /** `source[start, end)` as it is. */
  raw(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    copyBytes(source, start, this.bytes, this.length, end - start);
    this.length += end - start;
  }

  /** `source[start, end)` behind its length: ClickHouse's binary form of a string. */
  string(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size + 5);
    if (size < 0x80) this.bytes[this.length++] = size;
    else this.varint(size);
    copyBytes(source, start, this.bytes, this.length, size);
    this.length += size;
  }

  /** Text of ASCII characters behind its length. */
  asciiString(text: string): void {
    this.varint(text.length);
    this.ascii(text);
  }

  /** Text of ASCII characters as it is. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i);
  }
}
