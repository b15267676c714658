/**
 * Writes Thrift values one after the other, in whichever protocol; `BinaryWriter` and `CompactWriter` are the two kinds.
 * The counterpart of `ThriftReader`: fields name the id before them (0 at first), a struct ends with `stop`, 64-bit values
 * are two words. What is written is `buf[0, length)`; the buffer is kept from one use to the next.
 *
 * A hot path, guarded by `bench/codec`.
 */
export abstract class ThriftWriter {
  buf: Uint8Array = new Uint8Array(16 * 1024);
  length = 0;

  /** Writes the header of a field of any type but bool. */
  abstract field(type: number, id: number, previous: number): void;

  /** Writes a bool field, header and value. */
  abstract boolField(value: boolean, id: number, previous: number): void;

  /** Writes a bool that is an element of a list, set or map. */
  abstract bool(value: boolean): void;

  abstract i16(value: number): void;

  abstract i32(value: number): void;

  /** Writes an i64 given as two words. */
  abstract i64(lo: number, hi: number): void;

  /** Writes a double given as the two words of its IEEE 754 form. */
  abstract double(lo: number, hi: number): void;

  /** Writes `source[start, end)` as a string or binary. */
  abstract binary(source: Uint8Array, start: number, end: number): void;

  /** Writes the header of a list or set. */
  abstract list(elementType: number, count: number): void;

  /** Writes the header of a map. */
  abstract map(keyType: number, valueType: number, count: number): void;

  /** Writes the header of a message; the struct of arguments follows. `method` is UTF-8. */
  abstract message(method: Uint8Array, type: number, sequenceId: number): void;

  /** Ends a struct. */
  stop(): void {
    this.byte(0);
  }

  /** Writes the low eight bits of `value`. */
  byte(value: number): void {
    this.need(1);
    this.buf[this.length++] = value;
  }

  /** Writes `source[start, end)` as it is. Short runs are copied by a loop: creating a view costs more than they do. */
  raw(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.need(count);
    const { buf, length } = this;
    if (count > 48) buf.set(source.subarray(start, end), length);
    else for (let i = 0; i < count; i++) buf[length + i] = source[start + i]!;
    this.length = length + count;
  }

  /** A copy of what was written from `start` on. */
  finish(start: number = 0): Uint8Array {
    return this.buf.slice(start, this.length);
  }

  /** Forgets what was written; a buffer larger than `keepBytes` is given back. */
  reset(keepBytes: number): void {
    if (this.buf.length > keepBytes) this.buf = new Uint8Array(keepBytes);
    this.length = 0;
  }

  /** Makes room for `bytes` more. */
  protected need(bytes: number): void {
    if (this.buf.length - this.length < bytes) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    let size = Math.max(this.buf.length * 2, 256);
    while (size < this.length + bytes) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.buf.subarray(0, this.length));
    this.buf = grown;
  }
}
