import { isZero } from '@clew/model';
import { OtState, parseOtState, writeOtState } from './ot-state.ts';
import { DEFAULT_PRECISION, NEVER, probabilityOf, randomnessOfBytes, thresholdOf } from './threshold.ts';
import { atLeast } from './uint56.ts';
import type { Uint56 } from './uint56.ts';

/** How the probabilistic sampler of the OpenTelemetry Collector decides. */
export const SamplerMode = Object.freeze({
  /** By a hash of trace id and seed; what arrives in `tracestate` is not looked at. */
  HASH_SEED: 'hash_seed',
  /** Lowers any arriving probability by the ratio. */
  PROPORTIONAL: 'proportional',
  /** Lowers the arriving probability to the ratio where it is higher. */
  EQUALIZING: 'equalizing',
} as const);
export type SamplerMode = (typeof SamplerMode)[keyof typeof SamplerMode];

export interface ProbabilisticSamplerOptions {
  readonly mode: SamplerMode;
  /** 0 to 100, taken as a 32-bit float; 100 and more keep all. */
  readonly percentage: number;
  /** Unsigned 32-bit; default 0. Only for hash_seed. */
  readonly hashSeed?: number;
  /** Hexadecimal digits of the threshold, 1 to 14; default {@link DEFAULT_PRECISION}. */
  readonly precision?: number;
  /** Whether spans without randomness, or with a `th` that contradicts it, are dropped (default) or kept. */
  readonly failClosed?: boolean;
}

/** What a decision rests on; the names are label values of the Collector's metric. */
export type SamplingPolicy = 'trace_id_hash' | 'trace_id_w3c' | 'sampling_randomness' | 'missing_randomness';

/** One decision, overwritten by the next. */
export interface SamplingResult {
  kept: boolean;
  /** What the span's `tracestate` becomes when it is kept; the very same text when nothing changes. */
  tracestate: string;
  policy: SamplingPolicy;
  /** The arriving `th` says that the span should not be here; it was erased. */
  inconsistent: boolean;
}

/** Buckets of the hash, and the bits a bucket number has. */
const BUCKETS = 0x4000;
const BUCKET_MASK = BUCKETS - 1;

/** The probabilistic sampler without its component: https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/probabilisticsamplerprocessor */
export class ProbabilisticSampler {
  readonly mode: SamplerMode;
  readonly #ratio: number;
  readonly #seed: number;
  readonly #precision: number;
  readonly #failClosed: boolean;
  readonly #threshold: Uint56 = { hi: 0, lo: 0 };
  readonly #state = new OtState();
  readonly #randomness: Uint56 = { hi: 0, lo: 0 };
  readonly #output: Uint56 = { hi: 0, lo: 0 };
  /** What a span that comes without `tracestate` leaves with, made once: most spans come so. */
  readonly #fresh: string;

  constructor(options: ProbabilisticSamplerOptions) {
    const percentage = Math.fround(options.percentage);
    this.mode = options.mode;
    this.#ratio = percentage / 100;
    this.#seed = (options.hashSeed ?? 0) >>> 0;
    this.#precision = options.precision ?? DEFAULT_PRECISION;
    this.#failClosed = options.failClosed ?? true;
    if (options.mode === SamplerMode.HASH_SEED) bucketThreshold(keptBuckets(percentage), this.#threshold);
    else thresholdOf(this.#ratio, this.#threshold, this.#precision);
    this.#state.setThreshold(this.#threshold);
    this.#fresh = writeOtState('', this.#state);
  }

  /** Decides on the span with the trace id of 16 bytes at `offset` and this valid `tracestate`. */
  decide(traceId: Uint8Array, offset: number, tracestate: string, into: SamplingResult): void {
    parseOtState(tracestate, this.#state);
    into.inconsistent = false;
    into.tracestate = tracestate;
    const hashing = this.mode === SamplerMode.HASH_SEED;
    if ((hashing || !this.#state.hasRandomness) && isZero(traceId, offset, 16)) {
      into.policy = 'missing_randomness';
      into.kept = !this.#failClosed;
    } else if (hashing) this.#decideByHash(traceId, offset, into);
    else this.#decideByRandomness(traceId, offset, into);
  }

  #decideByHash(traceId: Uint8Array, offset: number, into: SamplingResult): void {
    const state = this.#state;
    hashRandomness(seededHash(this.#seed, traceId, offset), this.#randomness);
    into.policy = 'trace_id_hash';
    into.kept = atLeast(this.#randomness, this.#threshold);
    // What other samplers wrote is about other randomness and cannot be combined with this.
    if (!into.kept || state.hasThreshold || state.hasRandomness) return;
    state.setThreshold(this.#threshold);
    state.setRandomness(this.#randomness);
    into.tracestate = writeOtState(into.tracestate, state);
  }

  #decideByRandomness(traceId: Uint8Array, offset: number, into: SamplingResult): void {
    const state = this.#state;
    const randomness = state.hasRandomness ? state.randomness : this.#randomness;
    into.policy = state.hasRandomness ? 'sampling_randomness' : 'trace_id_w3c';
    if (!state.hasRandomness) randomnessOfBytes(traceId, offset, this.#randomness);
    if (state.isInconsistent(randomness)) {
      state.hasThreshold = false;
      into.inconsistent = true;
      into.kept = !this.#failClosed;
    } else {
      this.#combine();
      into.kept = atLeast(randomness, this.#output);
      state.setThreshold(this.#output);
    }
    if (into.kept) into.tracestate = into.tracestate === '' ? this.#fresh : writeOtState(into.tracestate, state);
  }

  /** The threshold that follows from the arriving one and the configured one; never lower than the arriving one. */
  #combine(): void {
    const { hasThreshold, threshold } = this.#state;
    const output = this.#output;
    Object.assign(output, this.#threshold);
    if (!hasThreshold) return;
    if (this.mode === SamplerMode.PROPORTIONAL) {
      thresholdOf(Math.min(1, this.#ratio) * probabilityOf(threshold), output, this.#precision);
    }
    if (atLeast(threshold, output)) Object.assign(output, threshold);
  }
}

/** How many of the 16,384 buckets a percentage keeps, in 32-bit floats as the Collector reckons. */
function keptBuckets(percentage: number): number {
  return Math.max(0, Math.min(BUCKETS, Math.floor(Math.fround(percentage * Math.fround(BUCKETS / 100)))));
}

/** The threshold that keeps so many buckets: the remaining ones, as the upper 14 of 56 bits. */
function bucketThreshold(buckets: number, into: Uint56): void {
  if (buckets === 0) Object.assign(into, NEVER);
  else {
    into.hi = (BUCKETS - buckets) << 10;
    into.lo = 0;
  }
}

/**
 * A hash as randomness that makes the same decision against {@link bucketThreshold}: the bucket turned round, then the remaining
 * 18 bits mixed, then the bucket.
 */
function hashRandomness(hash: number, into: Uint56): void {
  const bucket = hash & BUCKET_MASK;
  const rest = hash >>> 14;
  const middle = rest ^ (rest << 10);
  into.hi = ((BUCKET_MASK - bucket) << 10) | (middle >>> 18);
  into.lo = (((middle & 0x3ffff) << 14) | bucket) >>> 0;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a, 32 bits, over the seed (little-endian) and the 16 bytes of a trace id. */
export function seededHash(seed: number, traceId: Uint8Array, offset: number): number {
  let hash = FNV_OFFSET;
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), FNV_PRIME);
  for (let i = offset; i < offset + 16; i++) hash = Math.imul(hash ^ traceId[i]!, FNV_PRIME);
  return hash >>> 0;
}
