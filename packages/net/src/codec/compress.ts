import zlib from 'node:zlib';
import type { ContentEncoding } from './encoding.ts';
import { toLz4 } from './lz4.ts';
import { toSnappy, toSnappyFramed } from './snappy.ts';
import { toZstd } from './zstd.ts';

type Encoder = (bytes: Uint8Array, level: number | undefined) => Uint8Array | Promise<Uint8Array>;

/** Bodies below this size are compressed at once: the thread pool would cost more than the work. */
const inlineBytes = 4 * 1024;

const encoders: Readonly<Record<ContentEncoding, Encoder>> = {
  identity: (bytes) => bytes,
  gzip: (bytes, level) =>
    bytes.length <= inlineBytes ? zlib.gzipSync(bytes, leveled(level)) : pooled(zlib.gzip, bytes, level),
  zlib: toZlib,
  deflate: toZlib,
  zstd: toZstd,
  snappy: toSnappy,
  'x-snappy-framed': toSnappyFramed,
  lz4: toLz4,
};

/**
 * Compresses one whole body. `level` is the encoding's own scale: 1 to 9 for gzip and zlib (default 6), 1 to 22 for
 * zstd (default 3), ignored by the others.
 */
export async function compress(bytes: Uint8Array, encoding: ContentEncoding, level?: number): Promise<Uint8Array> {
  return encoders[encoding](bytes, level);
}

function toZlib(bytes: Uint8Array, level: number | undefined): Uint8Array | Promise<Uint8Array> {
  return bytes.length <= inlineBytes ? zlib.deflateSync(bytes, leveled(level)) : pooled(zlib.deflate, bytes, level);
}

function leveled(level: number | undefined): zlib.ZlibOptions {
  return level === undefined ? {} : { level };
}

function pooled(
  run: (bytes: Uint8Array, options: zlib.ZlibOptions, done: (error: Error | null, out: Buffer) => void) => void,
  bytes: Uint8Array,
  level: number | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    run(bytes, { ...leveled(level), chunkSize: 64 * 1024 }, (error, out) => {
      if (error) reject(error);
      else resolve(out);
    });
  });
}
