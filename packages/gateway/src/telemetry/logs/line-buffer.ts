/**
 * Lines of a log as bytes, written without a string for the line. Hot path, guarded by `bench/gateway-telemetry`: what is written once per
 * request is copied from texts the request already has.
 */

const INITIAL_BYTES = 16 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;
const ZERO = 0x30;
/** UTF-8 bytes for one UTF-16 unit. */
const MAX_UTF8 = 3;
/** Bytes of an escape, and so of any character. */
const MAX_ESCAPED = 6;
/** Texts up to this length are written by a loop: calling the engine's own function, which is faster, takes longer. */
const MAX_LOOP_LENGTH = 24;
/** Digits below 2^53. */
const MAX_DIGITS = 16;
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
    this.#need(length);
    this.bytes.write(text, this.length, 'latin1');
    this.length += length;
  }

  /** Any text as UTF-8. */
  text(text: string): void {
    this.#need(text.length * MAX_UTF8);
    this.length += this.bytes.write(text, this.length);
  }

  byte(value: number): void {
    this.#need(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A copy of what has been written. */
  copy(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(0, this.length));
  }

  /** A field of a JSON object whose value is text; `start` has its comma, name, colon and opening quote. */
  quoted(start: Uint8Array, text: string): void {
    this.append(start);
    this.json(text);
    this.byte(QUOTE);
  }

  /** A field of a JSON object whose value is a non-negative integer below 2^53; `start` has its comma, name and colon. */
  number(start: Uint8Array, value: number): void {
    this.append(start);
    this.#need(MAX_DIGITS);
    if (value >= 1e9) return this.ascii(String(value));
    const { bytes } = this;
    const first = this.length;
    let at = first + (value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : String(value).length);
    this.length = at;
    let rest = value;
    do {
      const tenth = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - tenth * 10;
      rest = tenth;
    } while (at > first);
  }

  /** The inside of a JSON string: quotes, backslashes and every control character are escaped, so that a line stays one line. */
  json(text: string): void {
    this.#need(text.length * MAX_ESCAPED);
    if (text.length <= MAX_LOOP_LENGTH) return this.#escaped(text);
    const start = this.length;
    const end = start + this.bytes.write(text, start);
    // Nearly all text is plain: it is looked at where it has been written already.
    if (isPlain(this.bytes, start, end)) this.length = end;
    else this.#escaped(text);
  }

  #escaped(text: string): void {
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
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

  #need(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(more);
  }

  #grow(needed: number): void {
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.length + needed));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Whether bytes are ASCII that JSON has as it is. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  let special = 0;
  for (let i = start; i < end; i++) special |= specials[bytes[i]!]!;
  return special === 0;
}

const specials = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  specials[byte] = byte < SPACE || byte >= DELETE || byte === QUOTE || byte === BACKSLASH ? 1 : 0;
}
