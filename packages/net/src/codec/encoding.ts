/** Compressions this package reads and writes. `deflate` and `zlib` are both zlib-wrapped deflate. */
export type ContentEncoding = 'identity' | 'gzip' | 'zstd' | 'zlib' | 'deflate' | 'snappy' | 'x-snappy-framed' | 'lz4';

/** Every compression, in the order in which servers list them. */
export const contentEncodings: readonly ContentEncoding[] = Object.freeze([
  'identity',
  'gzip',
  'zstd',
  'zlib',
  'snappy',
  'deflate',
  'lz4',
  'x-snappy-framed',
]);

/** The encoding a header or setting names, in any case; the empty string and absence mean identity. */
export function parseContentEncoding(name: string | undefined): ContentEncoding | undefined {
  const wanted = (name ?? '').trim().toLowerCase();
  if (wanted === '' || wanted === 'none') return 'identity';
  if (wanted === 'x-gzip') return 'gzip';
  return contentEncodings.find((encoding) => encoding === wanted);
}
