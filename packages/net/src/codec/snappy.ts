// Snappy as published with google/snappy: format_description.txt (the raw block: length, literals, copies) and
// framing_format.txt (chunks of at most 64 KiB, each with a masked CRC-32C).
import { crc32c } from './crc32c.ts';
import { breathe, inflatedTooLarge, malformedEncoding, maxInlineInflateBytes } from './limit.ts';
import type { InflateLimit } from './limit.ts';
import { decodeSnappyBlock, encodeSnappyBlock, snappyBlockLength } from './snappy-block.ts';

const streamIdentifier = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);
const maxChunkBytes = 65_536;

/** Inflates a raw block, or the framed format when the data begins with its magic. */
export function unsnappy(bytes: Uint8Array, limit: InflateLimit): Uint8Array | Promise<Uint8Array> {
  return isFramed(bytes) ? inflateFramed(bytes, limit) : inflateBlock(bytes, limit);
}

/** Inflates the framed format, or a raw block when the magic is missing. */
export function unsnappyFramed(bytes: Uint8Array, limit: InflateLimit): Uint8Array | Promise<Uint8Array> {
  return unsnappy(bytes, limit);
}

/** Compresses into one raw block. */
export function toSnappy(bytes: Uint8Array): Uint8Array {
  return encodeSnappyBlock(bytes);
}

/** Compresses into the framed format. */
export function toSnappyFramed(bytes: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [streamIdentifier];
  for (let at = 0; at < bytes.length; at += maxChunkBytes) {
    const chunk = bytes.subarray(at, at + maxChunkBytes);
    const block = encodeSnappyBlock(chunk);
    const shrunk = block.length < chunk.length;
    const data = shrunk ? block : chunk;
    const header = Buffer.allocUnsafe(8);
    header[0] = shrunk ? 0x00 : 0x01;
    header.writeUIntLE(data.length + 4, 1, 3);
    header.writeUInt32LE(maskedChecksum(chunk), 4);
    pieces.push(header, data);
  }
  return Buffer.concat(pieces);
}

function isFramed(bytes: Uint8Array): boolean {
  return streamIdentifier.every((byte, at) => bytes[at] === byte);
}

function inflateBlock(bytes: Uint8Array, limit: InflateLimit): Uint8Array {
  const size = checkedLength(bytes, limit, 0);
  const out = Buffer.allocUnsafe(size);
  decodeSnappyBlock(bytes, out, 0);
  return out;
}

function checkedLength(block: Uint8Array, limit: InflateLimit, already: number): number {
  const size = snappyBlockLength(block);
  if (already + size > limit.maxBytes) throw inflatedTooLarge('snappy', already + size, limit);
  // A copy of three bytes yields at most 64, so a larger claim is a lie, and memory is not spent on it.
  if (size > block.length * 22) throw malformedEncoding('snappy', `${block.length} bytes cannot hold ${size}`);
  return size;
}

function inflateFramed(bytes: Uint8Array, limit: InflateLimit): Uint8Array | Promise<Uint8Array> {
  const reader = new FrameReader(bytes, limit);
  if (reader.run(maxInlineInflateBytes)) return reader.result();
  return finish(reader);
}

async function finish(reader: FrameReader): Promise<Uint8Array> {
  do await breathe();
  while (!reader.run(maxInlineInflateBytes));
  return reader.result();
}

class FrameReader {
  readonly #bytes: Uint8Array;
  readonly #limit: InflateLimit;
  readonly #pieces: Uint8Array[] = [];
  #at = streamIdentifier.length;
  #size = 0;

  constructor(bytes: Uint8Array, limit: InflateLimit) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  /** Inflates about `stepBytes` more; true when all is done. */
  run(stepBytes: number): boolean {
    const until = this.#size + stepBytes;
    while (this.#at < this.#bytes.length) {
      if (this.#size >= until) return false;
      this.#chunk();
    }
    return true;
  }

  result(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#size);
  }

  #chunk(): void {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + 4 > bytes.length) throw malformedEncoding('snappy', 'a chunk header is cut off');
    const type = bytes[at] as number;
    const length = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8) | ((bytes[at + 3] as number) << 16);
    this.#at = at + 4 + length;
    if (this.#at > bytes.length) throw malformedEncoding('snappy', `a chunk of ${length} bytes is cut off`);
    if (type <= 0x01) this.#data(type, bytes.subarray(at + 4, this.#at));
    else if (type < 0x80) throw malformedEncoding('snappy', `chunk type ${type} is reserved and must not be skipped`);
  }

  #data(type: number, chunk: Uint8Array): void {
    if (chunk.length < 4) throw malformedEncoding('snappy', 'a chunk is too short for its checksum');
    const stored = Buffer.from(chunk.buffer, chunk.byteOffset, 4).readUInt32LE(0);
    const data = type === 0x00 ? this.#block(chunk.subarray(4)) : chunk.subarray(4);
    if (data.length > maxChunkBytes) throw malformedEncoding('snappy', `a chunk holds ${data.length} bytes`);
    if (maskedChecksum(data) !== stored) throw malformedEncoding('snappy', 'a checksum does not match');
    this.#size += data.length;
    if (this.#size > this.#limit.maxBytes) throw inflatedTooLarge('snappy', this.#size, this.#limit);
    this.#pieces.push(data);
  }

  #block(block: Uint8Array): Uint8Array {
    const size = checkedLength(block, this.#limit, this.#size);
    if (size > maxChunkBytes) throw malformedEncoding('snappy', `a chunk announces ${size} bytes`);
    const out = Buffer.allocUnsafe(size);
    decodeSnappyBlock(block, out, 0);
    return out;
  }
}

/** The framing format stores checksums rotated and offset, so that a checksum of checksums stays a good one. */
function maskedChecksum(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
