// Hot path: the raw block format of snappy (google/snappy format_description.txt), guarded by bench/net. A block is
// a varint of the inflated length, then elements whose tag's low two bits say: 0 literal, 1 copy with an 11-bit
// offset, 2 copy with a 16-bit offset, 3 copy with a 32-bit offset.
import { malformedEncoding } from './limit.ts';

/** The inflated length a block announces. Fails with `malformed_encoding`. */
export function snappyBlockLength(block: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) throw malformedEncoding('snappy', 'its length is cut off');
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) {
      if (length > 0xffffffff) break;
      return length;
    }
  }
  throw malformedEncoding('snappy', 'its length does not fit into 32 bits');
}

/** Inflates a block into `out`, which must be exactly as long as announced. Fails with `malformed_encoding`. */
export function decodeSnappyBlock(block: Uint8Array, out: Uint8Array, outStart: number): void {
  const end = block.length;
  let from = 0;
  while ((block[from] as number) >= 0x80) from++;
  from++;
  let to = outStart;
  while (from < end) {
    const tag = block[from++] as number;
    let length: number;
    if ((tag & 3) === 0) {
      length = tag >> 2;
      if (length >= 60) {
        const extra = length - 59;
        if (from + extra > end) throw cutOff(from);
        length = 0;
        for (let at = 0; at < extra; at++) length += (block[from + at] as number) * 2 ** (8 * at);
        from += extra;
      }
      length++;
      if (length > end - from) throw cutOff(from);
      if (length > out.length - to) throw overflow(from);
      // Measured: below some 16 bytes a loop beats the call into native code.
      if (length <= 16) for (let at = 0; at < length; at++) out[to + at] = block[from + at] as number;
      else out.set(block.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let offset: number;
    if ((tag & 3) === 1) {
      if (from + 1 > end) throw cutOff(from);
      length = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | (block[from] as number);
      from += 1;
    } else if ((tag & 3) === 2) {
      if (from + 2 > end) throw cutOff(from);
      length = (tag >> 2) + 1;
      offset = (block[from] as number) | ((block[from + 1] as number) << 8);
      from += 2;
    } else {
      if (from + 4 > end) throw cutOff(from);
      length = (tag >> 2) + 1;
      offset = (block[from] as number) + ((block[from + 1] as number) << 8) + ((block[from + 2] as number) << 16);
      offset += (block[from + 3] as number) * 2 ** 24;
      from += 4;
    }
    if (offset === 0 || offset > to - outStart)
      throw malformedEncoding('snappy', `a copy reaches back ${offset} bytes`);
    if (length > out.length - to) throw overflow(from);
    // Source and target may overlap, which repeats a pattern; so bytes are copied in order.
    for (let at = to - offset, stop = to + length; to < stop;) out[to++] = out[at++] as number;
  }
  if (to !== out.length)
    throw malformedEncoding('snappy', `it holds ${to - outStart} bytes, not ${out.length - outStart}`);
}

const minMatchBytes = 4;
const hashBits = 14;
/** Positions within one fragment fit 16 bits, so that every copy takes the two-byte form. */
const fragmentBytes = 65_536;

/** Compresses into one block. Output is at most input + input/6 + 32 bytes. */
export function encodeSnappyBlock(bytes: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(32 + bytes.length + Math.floor(bytes.length / 6));
  let to = writeLength(bytes.length, out);
  const table = new Uint16Array(1 << hashBits);
  for (let start = 0; start < bytes.length; start += fragmentBytes) {
    if (start > 0) table.fill(0);
    to = encodeFragment(bytes, start, Math.min(start + fragmentBytes, bytes.length), out, to, table);
  }
  return out.subarray(0, to);
}

function encodeFragment(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outStart: number,
  table: Uint16Array,
): number {
  let to = outStart;
  let literalFrom = start;
  let misses = 32;
  // The first position is entered by the table's zeroes, so searching starts at the second.
  for (let at = start + 1; at + minMatchBytes <= end;) {
    const word = readWord(bytes, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);
    const candidate = start + (table[slot] as number);
    table[slot] = at - start;
    if (readWord(bytes, candidate) !== word || candidate >= at) {
      at += misses++ >> 5; // the longer nothing matches, the larger the steps: incompressible data stays cheap
      continue;
    }
    let length = minMatchBytes;
    while (at + length < end && bytes[candidate + length] === bytes[at + length]) length++;
    to = writeLiteral(bytes, literalFrom, at, out, to);
    to = writeCopy(at - candidate, length, out, to);
    at += length;
    literalFrom = at;
    misses = 32;
  }
  return writeLiteral(bytes, literalFrom, end, out, to);
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function writeLength(length: number, out: Uint8Array): number {
  let to = 0;
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out[to++] = (rest % 128) | 0x80;
  out[to++] = rest;
  return to;
}

function writeLiteral(bytes: Uint8Array, from: number, until: number, out: Uint8Array, start: number): number {
  const length = until - from;
  if (length === 0) return start;
  let to = start;
  const less = length - 1;
  if (less < 60) {
    out[to++] = less << 2;
  } else if (less < 256) {
    out[to++] = 60 << 2;
    out[to++] = less;
  } else {
    out[to++] = 61 << 2;
    out[to++] = less & 0xff;
    out[to++] = less >> 8;
  }
  out.set(bytes.subarray(from, until), to);
  return to + length;
}

function writeCopy(offset: number, length: number, out: Uint8Array, start: number): number {
  let to = start;
  for (let rest = length; rest > 0;) {
    const part = Math.min(rest, 64);
    out[to++] = ((part - 1) << 2) | 2;
    out[to++] = offset & 0xff;
    out[to++] = offset >> 8;
    rest -= part;
  }
  return to;
}

function cutOff(at: number): Error {
  return malformedEncoding('snappy', `it is cut off at byte ${at}`);
}

function overflow(at: number): Error {
  return malformedEncoding('snappy', `it holds more bytes than it announces, at byte ${at}`);
}
