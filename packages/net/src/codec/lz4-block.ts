// The lz4 block format (lz4_Block_format.md of lz4/lz4): sequences of a token (literal length, match length), the
// literals, and a 16-bit offset back. The last sequence has literals only.
import { malformedEncoding } from './limit.ts';

/**
 * Inflates a block into `out` at `outStart`, not beyond `outEnd`; matches may reach back to `windowStart`. Returns
 * where the output ends. Fails with `malformed_encoding`, or with what `overflow` makes when `outEnd` is too near.
 */
export function decodeLz4Block(
  block: Uint8Array,
  out: Uint8Array,
  windowStart: number,
  outStart: number,
  outEnd: number,
  overflow: () => Error,
): number {
  const end = block.length;
  let from = 0;
  let to = outStart;
  while (from < end) {
    const token = block[from++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        if (from >= end) throw cutOff();
        more = block[from++] as number;
      }
    }
    if (literals > end - from) throw cutOff();
    if (literals > outEnd - to) throw overflow();
    if (literals <= 16) for (let at = 0; at < literals; at++) out[to + at] = block[from + at] as number;
    else out.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === end) return to;
    if (from + 2 > end) throw cutOff();
    const offset = (block[from] as number) | ((block[from + 1] as number) << 8);
    from += 2;
    if (offset === 0 || offset > to - windowStart)
      throw malformedEncoding('lz4', `a match reaches back ${offset} bytes`);
    let length = (token & 15) + 4;
    if ((token & 15) === 15) {
      for (let more = 255; more === 255; length += more) {
        if (from >= end) throw cutOff();
        more = block[from++] as number;
      }
    }
    if (length > outEnd - to) throw overflow();
    for (let at = to - offset, stop = to + length; to < stop;) out[to++] = out[at++] as number;
  }
  throw cutOff();
}

const minMatchBytes = 4;
/** The format wants the last five bytes as literals, and no match to begin within the last twelve. */
const lastLiteralBytes = 5;
const matchGuardBytes = 12;
const hashBits = 14;
const maxOffset = 65_535;

/** Compresses into one block; the output may be slightly larger than the input. */
export function encodeLz4Block(bytes: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(bytes.length + Math.ceil(bytes.length / 255) + 16);
  const table = new Int32Array(1 << hashBits).fill(-1);
  let to = 0;
  let literalFrom = 0;
  let misses = 64;
  for (let at = 0; at < bytes.length - matchGuardBytes;) {
    const word = readWord(bytes, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits);
    const candidate = table[slot] as number;
    table[slot] = at;
    if (candidate < 0 || at - candidate > maxOffset || readWord(bytes, candidate) !== word) {
      at += misses++ >> 6;
      continue;
    }
    let length = minMatchBytes;
    const matchEnd = bytes.length - lastLiteralBytes;
    while (at + length < matchEnd && bytes[candidate + length] === bytes[at + length]) length++;
    to = writeSequence(bytes, literalFrom, at, length - minMatchBytes, out, to);
    out[to++] = (at - candidate) & 0xff;
    out[to++] = (at - candidate) >> 8;
    if (length - minMatchBytes >= 15) to = writeLength(length - minMatchBytes - 15, out, to);
    at += length;
    literalFrom = at;
    misses = 64;
  }
  to = writeSequence(bytes, literalFrom, bytes.length, 0, out, to);
  return out.subarray(0, to);
}

function writeSequence(
  bytes: Uint8Array,
  from: number,
  until: number,
  matchCode: number,
  out: Uint8Array,
  start: number,
): number {
  const literals = until - from;
  let to = start;
  out[to++] = (Math.min(literals, 15) << 4) | Math.min(matchCode, 15);
  if (literals >= 15) to = writeLength(literals - 15, out, to);
  out.set(bytes.subarray(from, until), to);
  return to + literals;
}

function writeLength(rest: number, out: Uint8Array, start: number): number {
  let to = start;
  let left = rest;
  for (; left >= 255; left -= 255) out[to++] = 255;
  out[to++] = left;
  return to;
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function cutOff(): Error {
  return malformedEncoding('lz4', 'a block is cut off');
}
