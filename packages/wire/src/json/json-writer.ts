import { TextBuffer } from './text-buffer.ts';

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const BASE64 = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (letter) =>
  letter.charCodeAt(0),
);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a byte below 0x60 is escaped as, if at all. */
const ESCAPES: readonly (string | undefined)[] = Array.from({ length: 0x60 }, (_, byte) => {
  if (byte === QUOTE) return '\\"';
  if (byte === BACKSLASH) return '\\\\';
  return byte < 0x20 ? `\\u00${byte.toString(16).padStart(2, '0')}` : undefined;
});

/** Appends JSON tokens as UTF-8. A hot path, guarded by `bench/codec`. */
export class JsonWriter extends TextBuffer {
  /** Appends a string literal of the text in `source[start, end)`; what is no valid UTF-8 becomes U+FFFD. */
  string(source: Uint8Array, start: number, end: number): void {
    this.byte(QUOTE);
    let run = start;
    let pos = start;
    while (pos < end) {
      const byte = source[pos]!;
      if (byte >= 0x80) {
        const width = sequenceLength(source, pos, end);
        if (width > 0) {
          pos += width;
          continue;
        }
        this.append(source, run, pos);
        this.codePoint(0xfffd);
      } else {
        const escape = byte < 0x60 ? ESCAPES[byte] : undefined;
        if (escape === undefined) {
          pos++;
          continue;
        }
        this.append(source, run, pos);
        this.ascii(escape);
      }
      run = ++pos;
    }
    this.append(source, run, end);
    this.byte(QUOTE);
  }

  /** Appends a string literal of lower-case hexadecimal digits. */
  hex(source: Uint8Array, start: number, end: number): void {
    this.need((end - start) * 2 + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      bytes[at++] = HEX[byte >> 4]!;
      bytes[at++] = HEX[byte & 15]!;
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** Appends a string literal of padded base64. */
  base64(source: Uint8Array, start: number, end: number): void {
    this.byte(QUOTE);
    for (let i = start; i < end; i += 3) {
      const left = end - i;
      const bits = (source[i]! << 16) | (left > 1 ? source[i + 1]! << 8 : 0) | (left > 2 ? source[i + 2]! : 0);
      this.byte(BASE64[bits >> 18]!);
      this.byte(BASE64[(bits >> 12) & 63]!);
      this.byte(left > 1 ? BASE64[(bits >> 6) & 63]! : 0x3d);
      this.byte(left > 2 ? BASE64[bits & 63]! : 0x3d);
    }
    this.byte(QUOTE);
  }

  /** Appends a double: a number, or a string where JSON has no number for it. */
  double(value: number): void {
    if (Number.isFinite(value)) this.ascii(Object.is(value, -0) ? '-0' : String(value));
    else this.ascii(`"${value}"`);
  }
}

/** Length of the valid UTF-8 sequence of two to four bytes at `pos` (RFC 3629), or 0 when there is none. */
function sequenceLength(bytes: Uint8Array, pos: number, end: number): number {
  const lead = bytes[pos]!;
  const width = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (width === 0 || pos + width > end) return 0;
  const second = bytes[pos + 1]!;
  // The second byte excludes overlong forms, surrogates and what lies behind U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < width; i++) if ((bytes[pos + i]! & 0xc0) !== 0x80) return 0;
  return width;
}
