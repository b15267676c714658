import type { ContentEncoding } from './encoding.ts';
import { inflatedTooLarge } from './limit.ts';
import type { InflateLimit } from './limit.ts';
import { gunzip, inflateZlib } from './zlib-codec.ts';
import { unsnappy, unsnappyFramed } from './snappy.ts';
import { unlz4 } from './lz4.ts';
import { unzstd } from './zstd.ts';

/** Decompresses one whole body: at once when small, else in pieces or in the thread pool. */
export type Decoder = (bytes: Uint8Array, limit: InflateLimit) => Uint8Array | Promise<Uint8Array>;

const decoders: Readonly<Record<ContentEncoding, Decoder>> = {
  identity: (bytes, limit) => {
    if (bytes.length > limit.maxBytes) throw inflatedTooLarge('identity', bytes.length, limit);
    return bytes;
  },
  gzip: gunzip,
  zstd: unzstd,
  zlib: inflateZlib,
  deflate: inflateZlib,
  snappy: unsnappy,
  'x-snappy-framed': unsnappyFramed,
  lz4: unlz4,
};

/**
 * Undoes a compression. The inflated size is limited whatever the size on the wire, so a bomb stops at the limit.
 *
 * Fails with `NetError`: `inflated_too_large`, `malformed_encoding`.
 */
export async function decompress(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  limit: InflateLimit,
): Promise<Uint8Array> {
  return decoders[encoding](bytes, limit);
}
