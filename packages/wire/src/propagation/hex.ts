/**
 * Hexadecimal digits and optional white space inside header texts, looked at where they lie: no regular expression and no
 * copy. Hot path, guarded by `bench/propagation`.
 */

/** What the scans return when a character is no hexadecimal digit. */
export const NOT_HEX = -1;

/**
 * All digits of `text[start, end)` or-ed together, so that 0 means "all zero"; {@link NOT_HEX} when a character is none of
 * `0-9a-f`. The range has to lie within the text.
 */
export function scanLowerHex(text: string, start: number, end: number): number {
  // Without a branch for each character: valid ids are what comes, and a bad digit shows in the sign at the end.
  let digits = 0;
  let codes = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    codes |= code;
    digits |= lowerDigits[code & 0x7f]!;
  }
  return codes >= 0x80 || digits < 0 ? NOT_HEX : digits;
}

/** The byte that the two lower-case digits at `at` mean; {@link NOT_HEX} when they are none or the text ends before. */
export function lowerHexByte(text: string, at: number): number {
  if (at + 2 > text.length) return NOT_HEX;
  const high = text.charCodeAt(at);
  const low = text.charCodeAt(at + 1);
  if ((high | low) >= 128) return NOT_HEX;
  const value = (lowerDigits[high]! << 4) | lowerDigits[low]!;
  return value < 0 ? NOT_HEX : value;
}

/** The number that the 1 to 8 lower-case digits `text[start, end)` mean; {@link NOT_HEX} when they are none. */
export function lowerHexWord(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? lowerDigits[code]! : NOT_HEX;
    if (digit < 0) return NOT_HEX;
    value = (value << 4) | digit;
  }
  return value >>> 0;
}

/** The first index from `start` on, at most `end`, that holds neither space nor tab. */
export function skipSpace(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** The end of `text[start, end)` without the spaces and tabs at its end. */
export function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

/** `text[start, end)` without the spaces and tabs around it. */
export function trimmed(text: string, start = 0, end: number = text.length): string {
  const from = skipSpace(text, start, end);
  return text.slice(from, trimEnd(text, from, end));
}

/** Whether a character is optional white space as HTTP has it: space or tab. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const lowerDigits: Int8Array = new Int8Array(128).fill(NOT_HEX);
for (let digit = 0; digit < 16; digit++) lowerDigits[digit.toString(16).charCodeAt(0)] = digit;
