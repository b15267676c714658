/**
 * Lines of a log as bytes, written without a string for the line. Hot path, guarded by `bench/gateway`: what is written once per
 * request is copied from texts the request already has.
 */

const INITIAL_BYTES = 16 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;
const ZERO = 0x30;
const hexDigits = '0123456789abcdef';

/** Escapes with a letter of their own (RFC 8259 section 7); other control characters are `\u00xx`. */
const letters: Readonly<Record<number, number>> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 };

/** Bytes that grow by appending. */
export class LineBuffer {
  bytes: Buffer<ArrayBuffer> = Buffer.alloc(INITIAL_BYTES);
  length = 0;

  /** Takes what has been written and begins anew, with `next` as memory. */
  take(next: Buffer<ArrayBuffer> = Buffer.alloc(INITIAL_BYTES)): Buffer<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = next;
    this.length = 0;
    return taken;
  }

  /** Writes text of which is known that it is ASCII. */
  ascii(text: string): void {
    const { length } = text;
    if (this.length + length > this.bytes.length) this.#grow(length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Any text as UTF-8. */
  text(text: string): void {
    const most = text.length * 3;
    if (this.length + most > this.bytes.length) this.#grow(most);
    this.length += this.bytes.write(text, this.length);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#grow(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.#grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A non-negative integer below 2^53. */
  integer(value: number): void {
    if (value < 10) this.byte(ZERO + value);
    else this.ascii(String(value));
  }

  /** The inside of a JSON string: quotes, backslashes and every control character are escaped, so that a line stays one line. */
  json(text: string): void {
    const { length } = text;
    // An escape is at most six bytes, and so is no character longer.
    if (this.length + length * 6 > this.bytes.length) this.#grow(length * 6);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < SPACE || code >= DELETE || code === QUOTE || code === BACKSLASH) {
        this.length = at;
        i += this.#escape(text, i, code) - 1;
        at = this.length;
      } else bytes[at++] = code;
    }
    this.length = at;
  }

  /** Writes what is no plain character and returns how many units of `text` that was. Room has been made. */
  #escape(text: string, index: number, code: number): number {
    const { bytes } = this;
    if (code === QUOTE || code === BACKSLASH) {
      bytes[this.length++] = BACKSLASH;
      bytes[this.length++] = code;
      return 1;
    }
    // C1 controls and line separators end lines for some readers.
    if (code < SPACE || (code >= DELETE && code < 0xa0) || code === 0x2028 || code === 0x2029) {
      bytes[this.length++] = BACKSLASH;
      const letter = letters[code];
      if (letter !== undefined) bytes[this.length++] = letter;
      else this.#hexEscape(code);
      return 1;
    }
    const point = text.codePointAt(index)!;
    if (point >= 0xd800 && point <= 0xdfff) {
      bytes[this.length++] = BACKSLASH;
      this.#hexEscape(point);
      return 1;
    }
    this.#utf8(point);
    return point > 0xffff ? 2 : 1;
  }

  #hexEscape(code: number): void {
    const { bytes } = this;
    bytes[this.length++] = 0x75;
    for (let shift = 12; shift >= 0; shift -= 4) bytes[this.length++] = hexDigits.charCodeAt((code >> shift) & 15);
  }

  #utf8(point: number): void {
    const { bytes } = this;
    if (point < 0x800) bytes[this.length++] = 0xc0 | (point >> 6);
    else if (point < 0x1_0000) {
      bytes[this.length++] = 0xe0 | (point >> 12);
      bytes[this.length++] = 0x80 | ((point >> 6) & 0x3f);
    } else {
      bytes[this.length++] = 0xf0 | (point >> 18);
      bytes[this.length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[this.length++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[this.length++] = 0x80 | (point & 0x3f);
  }

  #grow(needed: number): void {
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.length + needed));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
