import type { ContentEncoding } from '../codec/encoding.ts';

/** What servers accept besides identity until told otherwise, in the order advertised. */
export const defaultGrpcEncodings: readonly ContentEncoding[] = Object.freeze(['gzip', 'zstd', 'snappy', 'deflate']);

/** The value of `grpc-accept-encoding`. */
export function acceptEncodingHeader(encodings: readonly ContentEncoding[]): string {
  return [...encodings.filter((encoding) => encoding !== 'identity'), 'identity'].join(',');
}

/** The codec behind a gRPC encoding's name: gRPC's `snappy` is the framed stream format. */
export function messageCodec(encoding: ContentEncoding): ContentEncoding {
  return encoding === 'snappy' ? 'x-snappy-framed' : encoding;
}
