/**
 * Text that may not be valid UTF-8. Spans are stored as sent, so a name or value can hold any bytes. Two views of them:
 * *shown* text has U+FFFD where bytes are invalid; *lossless* text has, for each invalid byte `0xNN`, the lone surrogate `U+DCNN`,
 * which valid UTF-8 can never produce, so that bytes → text → bytes is the identity.
 */

const encoder = new TextEncoder();
const shown = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes as text with U+FFFD for what is not valid UTF-8. A leading byte order mark is kept. */
export function shownText(bytes: Uint8Array): string {
  return shown.decode(bytes);
}

/** Bytes as text from which {@link bytesOfText} gives the same bytes back. */
export function losslessText(bytes: Uint8Array): string {
  const text = shown.decode(bytes);
  return text.includes('\ufffd') ? escapedText(bytes) : text;
}

/** UTF-8 bytes of `text`; lone surrogates U+DC80 to U+DCFF become the single byte they stand for, other lone ones U+FFFD. */
export function bytesOfText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code & 0xff);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Decodes runs of valid sequences and escapes every other byte; reached only when something was replaced. */
function escapedText(bytes: Uint8Array): string {
  let text = '';
  let runStart = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = validLength(bytes, at);
    if (length === 0) {
      text += shown.decode(bytes.subarray(runStart, at)) + String.fromCharCode(0xdc00 | bytes[at]!);
      runStart = at + 1;
    }
    at += Math.max(length, 1);
  }
  return text + shown.decode(bytes.subarray(runStart));
}

/** Length of the well-formed UTF-8 sequence at `at`, 0 when there is none (Unicode 15, table 3-7). */
function validLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}
