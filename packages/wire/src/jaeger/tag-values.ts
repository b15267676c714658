import { SpanKind, ValueType, bytesOfText, doubleOfWords } from '@clew/model';

/** By OTLP's `SpanKind`: the value of the tag `span.kind`; empty for a kind without one. */
export const kindNames: readonly Uint8Array[] = ['', 'internal', 'server', 'client', 'producer', 'consumer'].map(
  bytesOfText,
);

/** The kind `heap[at, at + length)` names, in letters of either case; unspecified when it names none. */
export function kindOf(heap: Uint8Array, at: number, length: number): number {
  for (let kind = SpanKind.INTERNAL as number; kind < kindNames.length; kind++) {
    const name = kindNames[kind]!;
    // The second letter tells all apart.
    if (name.length !== length || (heap[at + 1]! | 0x20) !== name[1]) continue;
    return equalsText(heap, at, length, name, true) ? kind : SpanKind.UNSPECIFIED;
  }
  return SpanKind.UNSPECIFIED;
}

/** Whether `heap[at, at + length)` is `text`, which consists of letters when `ignoreCase` is asked for. */
export function equalsText(
  heap: Uint8Array,
  at: number,
  length: number,
  text: Uint8Array,
  ignoreCase: boolean,
): boolean {
  if (length !== text.length) return false;
  const mask = ignoreCase ? 0xdf : 0xff;
  for (let i = 0; i < length; i++) if (((heap[at + i]! ^ text[i]!) & mask) !== 0) return false;
  return true;
}

/**
 * The HTTP status in an attribute: an integer (-1 stands for those that need 64 bits), a double without a
 * fraction (clients of JavaScript send all numbers so) or decimal text. NaN when there is none.
 */
export function httpStatusOf(heap: Uint8Array, type: number, lo: number, hi: number): number {
  switch (type) {
    case ValueType.INT:
      return hi === 0 ? lo : -1;
    case ValueType.DOUBLE: {
      const value = doubleOfWords(lo, hi);
      return Number.isInteger(value) ? value : Number.NaN;
    }
    case ValueType.STRING:
      return decimalOf(heap, lo, lo + hi);
    default:
      return Number.NaN;
  }
}

/** The number in a text of an optional sign and one to nine digits. */
function decimalOf(heap: Uint8Array, start: number, end: number): number {
  const sign = heap[start];
  const first = start < end && (sign === 0x2b || sign === 0x2d) ? start + 1 : start;
  if (end - first < 1 || end - first > 9) return Number.NaN;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = heap[at]! - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return first !== start && sign === 0x2d ? -value : value;
}
