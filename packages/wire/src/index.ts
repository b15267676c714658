export { WireError } from './errors.ts';
export type { WireErrorCode } from './errors.ts';
export { DEFAULT_DECODE_LIMITS, MAX_DEPTH } from './limits.ts';
export type { DecodeLimits } from './limits.ts';
