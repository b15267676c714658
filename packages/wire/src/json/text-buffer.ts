/** Buffers larger than this are given back after use. */
const KEEP_BYTES = 1024 * 1024;

/** A growing run of bytes, kept from one use to the next. A hot path, guarded by `bench/codec`. */
export class TextBuffer {
  bytes: Uint8Array = new Uint8Array(1024);
  /** Only `bytes[0, length)` is meaningful. */
  length = 0;

  /** Empties the buffer; a very large one is given back. */
  reset(): void {
    this.length = 0;
    if (this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(1024);
  }

  /** Makes room for `count` more bytes. */
  need(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.need(1);
    this.bytes[this.length++] = value;
  }

  /** Appends `source[start, end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.need(count);
    const { bytes } = this;
    let at = this.length;
    this.length = at + count;
    if (count > 48) bytes.set(source.subarray(start, end), at);
    else for (let i = start; i < end; i++) bytes[at++] = source[i]!;
  }

  /** Appends text that is known to be ASCII. */
  ascii(text: string): void {
    const count = text.length;
    this.need(count);
    const { bytes } = this;
    const at = this.length;
    for (let i = 0; i < count; i++) bytes[at + i] = text.charCodeAt(i);
    this.length = at + count;
  }

  /** Appends a code point in UTF-8; it must not be a surrogate. */
  codePoint(point: number): void {
    this.need(4);
    const { bytes } = this;
    if (point < 0x80) bytes[this.length++] = point;
    else if (point < 0x800) {
      bytes[this.length++] = 0xc0 | (point >> 6);
      bytes[this.length++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      bytes[this.length++] = 0xe0 | (point >> 12);
      bytes[this.length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[this.length++] = 0x80 | (point & 0x3f);
    } else {
      bytes[this.length++] = 0xf0 | (point >> 18);
      bytes[this.length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[this.length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[this.length++] = 0x80 | (point & 0x3f);
    }
  }

  /** Appends a varint of two unsigned words. */
  varint(lo: number, hi: number): void {
    this.need(10);
    const { bytes } = this;
    let low = lo;
    let high = hi;
    while (high !== 0 || low > 0x7f) {
      bytes[this.length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[this.length++] = low;
  }

  /** Appends a little-endian word. */
  word(value: number): void {
    this.need(4);
    const { bytes } = this;
    const at = this.length;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.length = at + 4;
  }

  /** Begins a length-delimited protobuf field; {@link TextBuffer.endField} wants what this returns. */
  beginField(tag: number): number {
    this.varint(tag, 0);
    this.byte(0);
    return this.length;
  }

  /** Ends the field begun at `start`: writes its length, moving the body when the length takes more than one byte. */
  endField(start: number): void {
    const count = this.length - start;
    if (count < 0x80) {
      this.bytes[start - 1] = count;
      return;
    }
    const width = count < 0x4000 ? 2 : count < 0x200000 ? 3 : count < 0x10000000 ? 4 : 5;
    this.need(width - 1);
    this.bytes.copyWithin(start - 1 + width, start, this.length);
    this.length = start - 1;
    this.varint(count, 0);
    this.length += count;
  }
}
