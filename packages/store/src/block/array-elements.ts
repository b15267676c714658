import type { ByteSink } from './byte-sink.ts';
import {
  Tag,
  writeTaggedBool,
  writeTaggedBytes,
  writeTaggedDouble,
  writeTaggedEmpty,
  writeTaggedInt,
} from './tagged-value.ts';

/**
 * Takes an OTLP `ArrayValue` body apart into tagged values (opentelemetry/proto/common/v1/common.proto), so that SQL can look at its
 * elements. Only the encoding every exporter writes is taken apart, because only that can be put together again byte for byte; for any
 * other, -1 is returned, the sink is as before, and the caller keeps the array whole.
 */
export function writeArrayElements(sink: ByteSink, bytes: Uint8Array, start: number, end: number): number {
  const before = sink.length;
  let count = 0;
  for (let at = start; at < end; count++) {
    if (bytes[at] !== 0x0a) return restore(sink, before);
    const size = shortVarint(bytes, at + 1, end);
    if (size < 0) return restore(sink, before);
    const bodyStart = at + 1 + varintLength(size);
    const bodyEnd = bodyStart + size;
    if (bodyEnd > end || !writeElement(sink, bytes, bodyStart, bodyEnd)) return restore(sink, before);
    at = bodyEnd;
  }
  return count;
}

function restore(sink: ByteSink, length: number): -1 {
  sink.length = length;
  return -1;
}

/** Writes one `AnyValue` body; false when it is not in the usual encoding. */
function writeElement(sink: ByteSink, bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) {
    writeTaggedEmpty(sink);
    return true;
  }
  switch (bytes[start]) {
    case 0x0a:
      return writeDelimited(sink, Tag.STRING, bytes, start + 1, end);
    case 0x10:
      if (end !== start + 2 || bytes[start + 1]! > 1) return false;
      writeTaggedBool(sink, bytes[start + 1]!);
      return true;
    case 0x18:
      return writeInt(sink, bytes, start + 1, end);
    case 0x21:
      if (end !== start + 9) return false;
      writeTaggedDouble(sink, littleWord(bytes, start + 1), littleWord(bytes, start + 5));
      return true;
    case 0x2a:
      return writeDelimited(sink, Tag.ARRAY, bytes, start + 1, end);
    case 0x32:
      return writeDelimited(sink, Tag.KVLIST, bytes, start + 1, end);
    case 0x3a:
      return writeDelimited(sink, Tag.BYTES, bytes, start + 1, end);
    default:
      return false;
  }
}

function writeDelimited(sink: ByteSink, tag: number, bytes: Uint8Array, at: number, end: number): boolean {
  const size = shortVarint(bytes, at, end);
  if (size < 0 || at + varintLength(size) + size !== end) return false;
  writeTaggedBytes(sink, tag, bytes, end - size, end);
  return true;
}

/** An int64 varint that ends exactly at `end` and is as short as it can be. */
function writeInt(sink: ByteSink, bytes: Uint8Array, at: number, end: number): boolean {
  const length = end - at;
  if (length < 1 || length > 10) return false;
  let value = 0n;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i]!;
    if (byte > 0x7f !== i < length - 1) return false;
    value |= BigInt(byte & 0x7f) << BigInt(i * 7);
  }
  if (value > 0xffff_ffff_ffff_ffffn || (length > 1 && bytes[end - 1] === 0)) return false;
  writeTaggedInt(sink, Number(value & 0xffff_ffffn), Number(value >> 32n));
  return true;
}

/** A minimal varint below 2^28, or -1. */
function shortVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 4 && at + i < end; i++) {
    const byte = bytes[at + i]!;
    value |= (byte & 0x7f) << (i * 7);
    if (byte <= 0x7f) return i > 0 && byte === 0 ? -1 : value;
  }
  return -1;
}

function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

function littleWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
