import { isDigit } from './json-reader.ts';
import type { TextBuffer } from './text-buffer.ts';

/** 64-bit integers in decimal text, as two 32-bit words. Hot paths, guarded by `bench/codec`. */

const WORD = 2 ** 32;

/** A 64-bit integer read by {@link parseInteger}. */
export interface Words {
  lo: number;
  hi: number;
}

/**
 * Reads the number in `text[start, end)`, a JSON number, into `target` as two unsigned words (two's complement when
 * negative). A fraction or an exponent is accepted when the value is whole. Returns false when it is not a whole
 * number, or not within 0 … 2^64 - 1 (`signed`: within -2^63 … 2^63 - 1).
 */
export function parseInteger(text: Uint8Array, start: number, end: number, signed: boolean, target: Words): boolean {
  const negative = start < end && text[start] === 0x2d;
  let pos = negative ? start + 1 : start;
  if (pos === end) return false;
  // Fifteen digits are exact as a double; only what follows has to be carried across two words.
  let prefix = 0;
  for (const stop = Math.min(end, pos + 15); pos < stop && isDigit(text[pos]); pos++) {
    prefix = prefix * 10 + (text[pos]! - 0x30);
  }
  let hi = Math.floor(prefix / WORD);
  let lo = prefix - hi * WORD;
  for (; pos < end && isDigit(text[pos]); pos++) {
    const low = lo * 10 + (text[pos]! - 0x30);
    const carry = Math.floor(low / WORD);
    lo = low - carry * WORD;
    hi = hi * 10 + carry;
    if (hi >= WORD) return false;
  }
  if (pos < end) return parseUnusual(text, start, end, signed, target);
  if (signed && hi > 0x7fffffff && !(negative && hi === 0x80000000 && lo === 0)) return false;
  if (!negative) {
    target.lo = lo;
    target.hi = hi;
    return true;
  }
  if (!signed && (lo | hi) !== 0) return false;
  target.lo = -lo >>> 0;
  target.hi = (~hi + (lo === 0 ? 1 : 0)) >>> 0;
  return true;
}

/** Numbers with a fraction or an exponent, such as `1.50e3`: exact, and not made fast because nobody sends them. */
function parseUnusual(text: Uint8Array, start: number, end: number, signed: boolean, target: Words): boolean {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(asciiText(text, start, end));
  if (match === null) return false;
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = match;
  const digits = (integer + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  // The value is `significant` × 10^shift.
  const shift = Number(exponent) - fraction.length + (digits.length - significant.length);
  if (significant === '') {
    target.lo = 0;
    target.hi = 0;
    return true;
  }
  if (shift < 0 || significant.length + shift > 20) return false;
  const whole = new TextEncoder().encode(sign + significant + '0'.repeat(shift));
  return parseInteger(whole, 0, whole.length, signed, target);
}

/** Powers of ten that a double holds exactly, as far as {@link parseDouble} needs them. */
const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power);

/** The double the JSON number in `text[start, end)` means, correctly rounded; infinite when it is too large. */
export function parseDouble(text: Uint8Array, start: number, end: number): number {
  let pos = start;
  const negative = text[pos] === 0x2d;
  if (negative) pos++;
  // Up to 15 digits are exact as a double, and so is one division by a power of ten.
  if (end - pos <= 16) {
    let mantissa = 0;
    let fraction = -1;
    for (; pos < end; pos++) {
      const byte = text[pos]!;
      if (byte === 0x2e) fraction = pos;
      else if (isDigit(byte)) mantissa = mantissa * 10 + (byte - 0x30);
      else break;
    }
    const digits = end - start - (negative ? 1 : 0) - (fraction < 0 ? 0 : 1);
    if (pos === end && digits <= 15) {
      const value = fraction < 0 ? mantissa : mantissa / POWERS[end - fraction - 1]!;
      return negative ? -value : value;
    }
  }
  return Number(asciiText(text, start, end));
}

/** The bytes, ASCII, as text. */
function asciiText(text: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return decoder.decode(text.subarray(start, end));
  let out = '';
  for (let i = start; i < end; i++) out += String.fromCharCode(text[i]!);
  return out;
}

const decoder = new TextDecoder();

const CHUNK = 1_000_000;

/** Appends an unsigned 64-bit integer in decimal. */
export function appendUnsigned(out: TextBuffer, lo: number, hi: number): void {
  out.need(20);
  const { bytes } = out;
  let high = hi;
  let low = lo;
  let at = 20;
  // Six digits at a time: the remainder times 2^32 stays below 2^53.
  do {
    const quotientHigh = Math.floor(high / CHUNK);
    const middle = (high - quotientHigh * CHUNK) * WORD + low;
    const quotientLow = Math.floor(middle / CHUNK);
    let chunk = middle - quotientLow * CHUNK;
    high = quotientHigh;
    low = quotientLow;
    const more = (high | low) !== 0;
    for (let i = 0; more ? i < 6 : i === 0 || chunk !== 0; i++) {
      const rest = Math.floor(chunk / 10);
      digits[--at] = 0x30 + (chunk - rest * 10);
      chunk = rest;
    }
  } while ((high | low) !== 0);
  let length = out.length;
  while (at < 20) bytes[length++] = digits[at++]!;
  out.length = length;
}

const digits = new Uint8Array(20);

/** Appends a signed 64-bit integer, given as its two's complement, in decimal. */
export function appendSigned(out: TextBuffer, lo: number, hi: number): void {
  if (hi < 0x80000000) {
    appendUnsigned(out, lo, hi);
    return;
  }
  out.byte(0x2d);
  appendUnsigned(out, -lo >>> 0, (~hi + (lo === 0 ? 1 : 0)) >>> 0);
}
