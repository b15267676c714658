export * from './sampling.ts';
export { decodeSamplingStrategyJson, encodeSamplingStrategyJson } from './sampling-json.ts';
export type { SamplingJsonForm } from './sampling-json.ts';
export {
  decodeSamplingRequest,
  decodeSamplingStrategy,
  encodeSamplingRequest,
  encodeSamplingStrategy,
} from './sampling-protobuf.ts';
export { DEFAULT_MAX_DATAGRAM_BYTES, encodeAgentMessages, encodeThriftBatches } from './thrift-batches.ts';
export type { AgentEncodeOptions, AgentMessages, ThriftEncodeOptions } from './thrift-batches.ts';
export { decodeAgentMessage, decodeThriftBatch } from './thrift.ts';
export type { AgentMessageResult } from './thrift.ts';
export type { ClientStats, ThriftBatchResult } from './thrift-decode.ts';
export type { WrittenProtocol } from './thrift-encode.ts';
export { decodeModelBatch, decodePostSpans } from './model-decode.ts';
export { encodeModelBatches, encodePostSpans } from './model-encode.ts';
export { WireError } from '../errors.ts';
export type { WireErrorCode } from '../errors.ts';
export { DEFAULT_DECODE_LIMITS, MAX_DEPTH } from '../limits.ts';
export type { DecodeLimits } from '../limits.ts';
export type { ThriftProtocol } from '../thrift/types.ts';
