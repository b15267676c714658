export { decodeTraces } from './protobuf-decode.ts';
export { encodeTraces } from './protobuf-encode.ts';
export { DEFAULT_DECODE_LIMITS, WireError } from '../errors.ts';
export type { DecodeLimits, WireErrorCode } from '../errors.ts';
