// The lz4 frame format (lz4_Frame_format.md of lz4/lz4): magic, descriptor, blocks of at most 4 MiB, end mark and
// checksums. Several frames may follow each other; skippable ones are skipped.
import { breathe, inflatedTooLarge, malformedEncoding, maxInlineInflateBytes } from './limit.ts';
import type { InflateLimit } from './limit.ts';
import { decodeLz4Block, encodeLz4Block } from './lz4-block.ts';
import { xxhash32 } from './xxhash32.ts';

const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a5;
const uncompressedBit = 0x80000000;
const blockBytes = 64 * 1024;

/** Inflates lz4 frames. */
export function unlz4(bytes: Uint8Array, limit: InflateLimit): Uint8Array | Promise<Uint8Array> {
  const reader = new Lz4Reader(bytes, limit);
  if (reader.run(maxInlineInflateBytes)) return reader.result();
  return finish(reader);
}

async function finish(reader: Lz4Reader): Promise<Uint8Array> {
  do await breathe();
  while (!reader.run(maxInlineInflateBytes));
  return reader.result();
}

/** Compresses into one frame of independent 64 KiB blocks with a content checksum. */
export function toLz4(bytes: Uint8Array): Uint8Array {
  // Version 1, independent blocks, content checksum; then block size class 4 = 64 KiB.
  const descriptor = Uint8Array.of(0x40 | 0x20 | 0x04, 4 << 4);
  const pieces: Uint8Array[] = [word(frameMagic), descriptor, Uint8Array.of((xxhash32(descriptor) >>> 8) & 0xff)];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const chunk = bytes.subarray(at, at + blockBytes);
    const block = encodeLz4Block(chunk);
    if (block.length < chunk.length) pieces.push(word(block.length), block);
    else pieces.push(word(chunk.length + uncompressedBit), chunk);
  }
  pieces.push(word(0), word(xxhash32(bytes)));
  return Buffer.concat(pieces);
}

function word(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32LE(value, 0);
  return out;
}

interface FrameState {
  readonly independent: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly maxBlockBytes: number;
  readonly outStart: number;
}

class Lz4Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #limit: InflateLimit;
  #out: Buffer;
  #size = 0;
  #at = 0;
  #frame: FrameState | undefined;
  #frames = 0;

  constructor(bytes: Uint8Array, limit: InflateLimit) {
    this.#bytes = bytes;
    this.#limit = limit;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#out = Buffer.allocUnsafe(Math.min(limit.maxBytes, Math.max(1024, bytes.length * 4)));
  }

  /** Inflates about `stepBytes` more; true when all is done. */
  run(stepBytes: number): boolean {
    const until = this.#size + stepBytes;
    for (;;) {
      if (this.#frame) this.#block(this.#frame);
      else if (this.#at < this.#bytes.length) this.#header();
      else if (this.#frames > 0) return true;
      else throw malformedEncoding('lz4', 'it holds no frame');
      if (this.#size >= until) return false;
    }
  }

  result(): Uint8Array {
    return this.#out.subarray(0, this.#size);
  }

  #word(): number {
    if (this.#at + 4 > this.#bytes.length) throw cutOff(this.#at);
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  #header(): void {
    const magic = this.#word();
    if (magic >>> 4 === skippableMagic) {
      this.#at += this.#word();
      if (this.#at > this.#bytes.length) throw cutOff(this.#at);
      this.#frames++;
      return;
    }
    if (magic !== frameMagic) throw malformedEncoding('lz4', `no frame begins at byte ${this.#at - 4}`);
    const start = this.#at;
    const flags = this.#bytes[start];
    const sizeClass = ((this.#bytes[start + 1] ?? 0) >> 4) & 7;
    if (flags === undefined) throw cutOff(start);
    if (flags >> 6 !== 1) throw malformedEncoding('lz4', `frame version ${flags >> 6} is not 1`);
    if (sizeClass < 4) throw malformedEncoding('lz4', `block size class ${sizeClass} is not 4 to 7`);
    if ((flags & 1) !== 0) throw malformedEncoding('lz4', 'it needs a dictionary');
    const checkAt = start + 2 + ((flags & 0x08) === 0 ? 0 : 8);
    if (checkAt >= this.#bytes.length) throw cutOff(checkAt);
    if ((flags & 0x08) !== 0) this.#announced(this.#view.getBigUint64(start + 2, true));
    const check = (xxhash32(this.#bytes.subarray(start, checkAt)) >>> 8) & 0xff;
    if (this.#bytes[checkAt] !== check) throw malformedEncoding('lz4', 'the header checksum does not match');
    this.#at = checkAt + 1;
    this.#frames++;
    this.#frame = {
      independent: (flags & 0x20) !== 0,
      blockChecksums: (flags & 0x10) !== 0,
      contentChecksum: (flags & 0x04) !== 0,
      maxBlockBytes: 1 << (8 + 2 * sizeClass),
      outStart: this.#size,
    };
  }

  #announced(contentBytes: bigint): void {
    const total = BigInt(this.#size) + contentBytes;
    if (total > BigInt(this.#limit.maxBytes)) throw inflatedTooLarge('lz4', Number(total), this.#limit);
  }

  #block(frame: FrameState): void {
    const header = this.#word();
    if (header === 0) return this.#end(frame);
    const stored = header >= uncompressedBit;
    const length = stored ? header - uncompressedBit : header;
    const start = this.#at;
    if (length > frame.maxBlockBytes) throw malformedEncoding('lz4', `a block of ${length} bytes is too large`);
    if (start + length > this.#bytes.length) throw cutOff(start);
    const block = this.#bytes.subarray(start, start + length);
    this.#at = start + length;
    if (frame.blockChecksums && this.#word() !== xxhash32(block)) {
      throw malformedEncoding('lz4', 'a block checksum does not match');
    }
    const room = Math.min(frame.maxBlockBytes, stored ? length : length * 255 + 16);
    this.#reserve(room);
    const windowStart = frame.independent ? this.#size : frame.outStart;
    // One byte beyond the limit is allowed for, so that reaching it tells "too large" from "malformed".
    const outEnd = Math.min(this.#size + frame.maxBlockBytes, this.#limit.maxBytes + 1, this.#out.length);
    if (stored) this.#size = this.#store(block);
    else this.#size = decodeLz4Block(block, this.#out, windowStart, this.#size, outEnd, this.#overflow(outEnd));
    if (this.#size > this.#limit.maxBytes) throw inflatedTooLarge('lz4', this.#size, this.#limit);
  }

  #store(block: Uint8Array): number {
    const end = this.#size + block.length;
    if (end > this.#limit.maxBytes) throw inflatedTooLarge('lz4', end, this.#limit);
    this.#out.set(block, this.#size);
    return end;
  }

  #overflow(outEnd: number): () => Error {
    return () =>
      outEnd > this.#limit.maxBytes
        ? inflatedTooLarge('lz4', outEnd, this.#limit)
        : malformedEncoding('lz4', 'a block holds more bytes than its frame allows');
  }

  #reserve(bytes: number): void {
    const wanted = Math.min(this.#size + bytes, this.#limit.maxBytes + 1);
    if (wanted <= this.#out.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#limit.maxBytes + 1, Math.max(wanted, this.#out.length * 2)));
    grown.set(this.#out.subarray(0, this.#size));
    this.#out = grown;
  }

  #end(frame: FrameState): void {
    this.#frame = undefined;
    if (!frame.contentChecksum) return;
    if (this.#word() !== xxhash32(this.#out.subarray(frame.outStart, this.#size))) {
      throw malformedEncoding('lz4', 'the content checksum does not match');
    }
  }
}

function cutOff(at: number): Error {
  return malformedEncoding('lz4', `it is cut off at byte ${at}`);
}
