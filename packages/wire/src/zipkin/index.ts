export { decodeZipkinV2Json } from './json-decode.ts';
export { encodeZipkinV2Json } from './json-encode.ts';
export type { ZipkinDecodeOptions } from './span-sink.ts';
export type { ZipkinEncodeOptions } from './span-view.ts';
export { WireError } from '../errors.ts';
export type { WireErrorCode } from '../errors.ts';
export { DEFAULT_DECODE_LIMITS, MAX_DEPTH } from '../limits.ts';
export type { DecodeLimits } from '../limits.ts';
