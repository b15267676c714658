import { ValueType } from '@clew/model';

import type { ByteSink } from './byte-sink.ts';

/**
 * Tagged values: one letter, then the value as text or bytes. They hold whatever has no typed column: elements of arrays, attributes
 * of events that are not strings, attributes of links, maps, bytes. SQL compares `substring(value, 2)`.
 *
 * | letter | value |
 * | --- | --- |
 * | `s` | the string's bytes |
 * | `i` | decimal digits |
 * | `d` | the double as JavaScript prints it; `D` and 16 hex digits of its bits for a NaN that is not the usual one |
 * | `b` | `true` or `false` |
 * | `y` | the bytes |
 * | `a`, `k` | the body of an OTLP `ArrayValue` or `KeyValueList` message |
 * | `e` | nothing: the empty value |
 * | `L` | a tagged value within a map or array beside it, for searching only (see `leaf-writer.ts`) |
 */
export const Tag = Object.freeze({
  STRING: 0x73,
  INT: 0x69,
  DOUBLE: 0x64,
  DOUBLE_BITS: 0x44,
  BOOL: 0x62,
  BYTES: 0x79,
  ARRAY: 0x61,
  KVLIST: 0x6b,
  EMPTY: 0x65,
  LEAF: 0x4c,
} as const);

const number = new DataView(new ArrayBuffer(8));

/** Writes the int of two words as a tagged value behind its length. */
export function writeTaggedInt(sink: ByteSink, lo: number, hi: number): void {
  const text = hi === 0 ? String(lo) : signedText(lo, hi);
  sink.varint(text.length + 1);
  sink.byte(Tag.INT);
  sink.ascii(text);
}

/** Writes the double of two words as a tagged value behind its length. */
export function writeTaggedDouble(sink: ByteSink, lo: number, hi: number): void {
  const text = doubleText(lo, hi);
  if (text === undefined) {
    sink.varint(17);
    sink.byte(Tag.DOUBLE_BITS);
    sink.ascii(hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0'));
    return;
  }
  sink.varint(text.length + 1);
  sink.byte(Tag.DOUBLE);
  sink.ascii(text);
}

/** Writes `tag` and `source[start, end)` behind their length. */
export function writeTaggedBytes(sink: ByteSink, tag: number, source: Uint8Array, start: number, end: number): void {
  sink.varint(end - start + 1);
  sink.byte(tag);
  sink.raw(source, start, end);
}

/** Writes a bool as a tagged value behind its length. */
export function writeTaggedBool(sink: ByteSink, value: number): void {
  const text = value === 0 ? 'false' : 'true';
  sink.varint(text.length + 1);
  sink.byte(Tag.BOOL);
  sink.ascii(text);
}

/** Writes the empty value behind its length. */
export function writeTaggedEmpty(sink: ByteSink): void {
  sink.varint(1);
  sink.byte(Tag.EMPTY);
}

/** Writes a value of a batch (see `ValueType` for `lo` and `hi`) as a tagged value. */
export function writeTagged(sink: ByteSink, type: number, heap: Uint8Array, lo: number, hi: number): void {
  switch (type) {
    case ValueType.STRING:
      return writeTaggedBytes(sink, Tag.STRING, heap, lo, lo + hi);
    case ValueType.INT:
      return writeTaggedInt(sink, lo, hi);
    case ValueType.DOUBLE:
      return writeTaggedDouble(sink, lo, hi);
    case ValueType.BOOL:
      return writeTaggedBool(sink, lo);
    case ValueType.BYTES:
      return writeTaggedBytes(sink, Tag.BYTES, heap, lo, lo + hi);
    case ValueType.ARRAY:
      return writeTaggedBytes(sink, Tag.ARRAY, heap, lo, lo + hi);
    case ValueType.KVLIST:
      return writeTaggedBytes(sink, Tag.KVLIST, heap, lo, lo + hi);
    default:
      return writeTaggedEmpty(sink);
  }
}

function signedText(lo: number, hi: number): string {
  return ((BigInt(hi | 0) << 32n) | BigInt(lo)).toString();
}

/** Shortest text that reads back as the same bits, or undefined for a NaN with a payload. */
function doubleText(lo: number, hi: number): string | undefined {
  number.setUint32(0, hi);
  number.setUint32(4, lo);
  const value = number.getFloat64(0);
  if (Number.isNaN(value)) return hi === 0x7ff8_0000 && lo === 0 ? 'NaN' : undefined;
  return Object.is(value, -0) ? '-0' : String(value);
}
