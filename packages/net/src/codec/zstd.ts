import zlib from 'node:zlib';
import { NetError } from '../errors.ts';
import { inflatedTooLarge, malformedEncoding, maxInlineInflateBytes } from './limit.ts';
import type { InflateLimit } from './limit.ts';
import { isTooLarge, reasonOf } from './zlib-codec.ts';
import { splitZstdFrames } from './zstd-frames.ts';
import type { ZstdFrame } from './zstd-frames.ts';

/**
 * Inflates zstd (RFC 8878). Frames are taken one by one: node:zlib stops after the first and would lose the rest
 * without a word. Windows larger than the limit are refused before memory is spent on them.
 */
export function unzstd(bytes: Uint8Array, limit: InflateLimit): Uint8Array | Promise<Uint8Array> {
  const frames = splitZstdFrames(bytes);
  let announced = 0;
  for (const frame of frames) announced += frame.contentBytes ?? 0;
  if (announced > limit.maxBytes) throw inflatedTooLarge('zstd', announced, limit);
  const only = frames[0];
  if (only && frames.length === 1 && (only.contentBytes ?? Infinity) <= maxInlineInflateBytes) {
    return inflateInline(only, limit);
  }
  return inflatePooled(frames, limit);
}

/** Compresses with zstd; the level is 3 unless given. */
export function toZstd(bytes: Uint8Array, level: number | undefined): Promise<Uint8Array> {
  if (typeof zlib.zstdCompress !== 'function') {
    const message = `cannot compress with zstd on Node ${process.versions.node}: zstd came with 22.15; use gzip`;
    return Promise.reject(new NetError('unsupported_encoding', message));
  }
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: level ?? 3 };
  return new Promise((resolve, reject) => {
    zlib.zstdCompress(bytes, { params }, (error, out) => {
      if (error) reject(error);
      else resolve(out);
    });
  });
}

function inflateInline(frame: ZstdFrame, limit: InflateLimit): Uint8Array {
  const size = frame.contentBytes ?? 0;
  try {
    return zlib.zstdDecompressSync(frame.bytes, optionsFor(frame, Math.min(limit.maxBytes, size), size + 1));
  } catch (caught) {
    throw failure(caught, limit);
  }
}

async function inflatePooled(frames: readonly ZstdFrame[], limit: InflateLimit): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (const frame of frames) {
    if (size > limit.maxBytes) throw inflatedTooLarge('zstd', size, limit);
    const piece = await inflateFrame(frame, limit, limit.maxBytes - size);
    size += piece.length;
    if (size > limit.maxBytes) throw inflatedTooLarge('zstd', size, limit);
    pieces.push(piece);
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, size);
}

function inflateFrame(frame: ZstdFrame, limit: InflateLimit, leftBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunkBytes = Math.min(frame.contentBytes ?? 256 * 1024, 1024 * 1024) + 1;
    zlib.zstdDecompress(frame.bytes, optionsFor(frame, leftBytes, chunkBytes), (error, out) => {
      if (error) reject(failure(error, limit));
      else resolve(out);
    });
  });
}

function optionsFor(frame: ZstdFrame, maxBytes: number, chunkBytes: number): zlib.ZstdOptions {
  return {
    maxOutputLength: Math.max(1, maxBytes),
    chunkSize: Math.max(64, chunkBytes),
    params: { [zlib.constants.ZSTD_d_windowLogMax]: windowLogFor(frame) },
  };
}

/** The frame's window was checked when it was split off; node:zlib's default would refuse 128 MiB and more. */
function windowLogFor(frame: ZstdFrame): number {
  return Math.min(31, Math.max(10, Math.ceil(Math.log2(Math.max(1024, frame.windowBytes)))));
}

function failure(caught: unknown, limit: InflateLimit): NetError {
  if (isTooLarge(caught)) return inflatedTooLarge('zstd', limit.maxBytes + 1, limit);
  return malformedEncoding('zstd', reasonOf(caught), caught);
}
