import { inputError } from '../errors.ts';
import type { WireError } from '../errors.ts';
import { hexDigit } from '../json/json-reader.ts';

/** Which id of a span a text is. */
export type IdName = 'traceId' | 'parentId' | 'id';
/** Which format an error speaks of: each has the words of its own reference implementation. */
export type IdFormat = 'v1' | 'v2';

/**
 * Reads the hexadecimal id in `text[start, end)` into `target`, padding it on the left; returns whether it is other
 * than zero. As Zipkin does: white space around it is ignored, a trace id has 1 to 32 digits, others 1 to 16. `offset`
 * is where errors say the input stands.
 *
 * A hot path, guarded by `bench/codec`.
 */
export function readHexId(
  text: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  name: IdName,
  format: IdFormat,
  offset: number,
): boolean {
  const width = name === 'traceId' ? 16 : 8;
  if (end - start === width * 2 || (end - start === 16 && width === 16)) {
    const any = readPairs(text, start, end, target, at + width - ((end - start) >> 1));
    if (any >= 0) {
      if (end - start < width * 2) target.fill(0, at, at + 8);
      return any !== 0;
    }
  }
  let from = start;
  let to = end;
  while (from < to && text[from] === 0x20) from++;
  while (to > from && text[to - 1] === 0x20) to--;
  const digits = to - from;
  if (digits === 0 || digits > width * 2) throw wrongLength(name, format, digits, offset);
  let any = 0;
  let byte = at + width;
  for (let i = to; i > from;) {
    const low = hexDigit(text[--i]!);
    const high = i > from ? hexDigit(text[--i]!) : 0;
    if ((low | high) < 0) throw inputError('invalid_id', offset, `${name} should be lower-hex encoded with no prefix`);
    const value = (high << 4) | low;
    any |= value;
    target[--byte] = value;
  }
  target.fill(0, at, byte);
  return any !== 0;
}

/** Value of a hexadecimal digit of either case, above 15 for anything else. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => hexDigit(byte) & 0xff);

/** Reads pairs of digits; returns their bits, all together, or -1 when something is no digit. */
function readPairs(text: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let any = 0;
  let to = at;
  for (let i = start; i < end; i += 2) {
    const high = DIGITS[text[i]!]!;
    const low = DIGITS[text[i + 1]!]!;
    if ((high | low) > 15) return -1;
    const value = (high << 4) | low;
    any |= value;
    target[to++] = value;
  }
  return any;
}

function wrongLength(name: IdName, format: IdFormat, digits: number, offset: number): WireError {
  const most = name === 'traceId' ? 32 : 16;
  let rule = digits === 0 ? `${name} is empty` : `${name}.length > ${most}`;
  if (format === 'v1') {
    rule =
      name === 'traceId'
        ? 'hex traceId span has wrong length (expected 16 or 32)'
        : `hex ${name === 'id' ? 'Id' : 'parentId'} has wrong length (expected 16)`;
  }
  return inputError('invalid_id', offset, `${rule}: it has ${digits} digits`);
}

/** The error for a trace or span id of zeros. */
export function zeroId(name: IdName, format: IdFormat, offset: number): WireError {
  const subject = format === 'v2' || name === 'traceId' ? name : 'ID';
  return inputError('invalid_id', offset, `${subject} is ${format === 'v2' ? 'all zeros' : 'zero'}`);
}

/** The error for a span without an id it must have. */
export function missingId(name: IdName, offset: number): WireError {
  return inputError('invalid_id', offset, `a span lacks its ${name}`);
}
