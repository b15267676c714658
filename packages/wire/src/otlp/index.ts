export { countDataPoints, countLogRecords, countSpans } from './count.ts';
export { decodeTracesJson, decodeTracesJsonLines } from './json-decode.ts';
export { encodeTracesJson } from './json-encode.ts';
export { decodePartialSuccess, encodePartialSuccess } from './partial-success.ts';
export type { OtlpEncoding, OtlpSignal, PartialSuccess } from './partial-success.ts';
export { decodeTraces } from './protobuf-decode.ts';
export { encodeTraces } from './protobuf-encode.ts';
export { DEFAULT_DECODE_LIMITS, WireError } from '../errors.ts';
export type { DecodeLimits, WireErrorCode } from '../errors.ts';
