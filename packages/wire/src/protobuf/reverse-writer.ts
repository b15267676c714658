/**
 * Writes protobuf from the end of a buffer towards its start, so that the length of a message is known when its tag is
 * written and no size has to be computed beforehand. Fields are therefore written in reverse of the order they shall
 * appear in.
 *
 * The buffer is kept from one message to the next. A hot path, guarded by `bench/codec`.
 */
export class ReverseWriter {
  buf: Uint8Array = new Uint8Array(64 * 1024);
  /** What has been written is `buf[pos, buf.length)`. */
  pos: number = this.buf.length;

  /** Forgets what was written; a buffer larger than `keepBytes` is given back. */
  reset(keepBytes: number): void {
    if (this.buf.length > keepBytes) this.buf = new Uint8Array(keepBytes);
    this.pos = this.buf.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.buf.slice(this.pos);
  }

  /** How many bytes have been written: the mark from which `close` measures a message. */
  get written(): number {
    return this.buf.length - this.pos;
  }

  /** Makes room for `bytes` more. */
  need(bytes: number): void {
    if (this.pos < bytes) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const { buf, written } = this;
    let size = buf.length * 2;
    while (size < written + bytes) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(buf.subarray(this.pos), size - written);
    this.buf = grown;
    this.pos = size - written;
  }

  /** Writes an unsigned 32-bit varint. */
  varint(value: number): void {
    if (value < 0x80) {
      this.need(1);
      this.buf[--this.pos] = value;
      return;
    }
    this.need(5);
    const length = value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    const { buf } = this;
    let at = (this.pos -= length);
    let rest = value;
    for (let i = 1; i < length; i++) {
      buf[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[at] = rest;
  }

  /** Writes a 64-bit varint given as two unsigned words. */
  varint64(lo: number, hi: number): void {
    if (hi === 0) {
      this.varint(lo);
      return;
    }
    this.need(10);
    const { buf } = this;
    // 28 bits from `lo` alone, one byte across both words, the rest from `hi`.
    const across = (lo >>> 28) | ((hi & 0x7) << 4);
    let rest = hi >>> 3;
    let bytes = 5;
    for (let more = rest; more !== 0; more >>>= 7) bytes++;
    let at = (this.pos -= bytes);
    for (let i = 0; i < 4; i++) buf[at++] = ((lo >>> (7 * i)) & 0x7f) | 0x80;
    buf[at] = rest === 0 ? across : across | 0x80;
    while (rest !== 0) {
      buf[++at] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  /** Writes an enum or other int32: negative numbers are sign-extended to 64 bits, as protobuf wants. */
  int32(value: number): void {
    if (value >= 0) this.varint(value);
    else this.varint64(value >>> 0, 0xffffffff);
  }

  /** Writes a little-endian 32-bit word. */
  word(value: number): void {
    this.need(4);
    const { buf } = this;
    const at = (this.pos -= 4);
    buf[at] = value;
    buf[at + 1] = value >>> 8;
    buf[at + 2] = value >>> 16;
    buf[at + 3] = value >>> 24;
  }

  /** Writes a little-endian 64-bit word given as two. */
  words(lo: number, hi: number): void {
    this.word(hi);
    this.word(lo);
  }

  /** Writes `source[start, end)`. Short runs are copied by a loop: creating a view costs more than they do. */
  bytes(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.need(length);
    const at = (this.pos -= length);
    const { buf } = this;
    if (length > 48) buf.set(source.subarray(start, end), at);
    else for (let i = 0; i < length; i++) buf[at + i] = source[start + i]!;
  }

  /** Ends (in reverse: begins) a length-delimited field whose body was written since `written` was `mark`. */
  close(tag: number, mark: number): void {
    this.varint(this.written - mark);
    this.varint(tag);
  }
}
