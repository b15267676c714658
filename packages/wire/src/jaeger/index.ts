export * from './sampling.ts';
export { decodeSamplingStrategyJson, encodeSamplingStrategyJson } from './sampling-json.ts';
export type { SamplingJsonForm } from './sampling-json.ts';
export {
  decodeSamplingRequest,
  decodeSamplingStrategy,
  encodeSamplingRequest,
  encodeSamplingStrategy,
} from './sampling-protobuf.ts';
