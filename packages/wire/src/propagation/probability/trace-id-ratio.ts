import type { TraceId } from '@clew/model';
import { lowerHexWord } from '../hex.ts';

/**
 * The `TraceIdRatioBased` samplers of OpenTelemetry's SDKs, which decide by the trace id alone. The algorithm was never
 * specified, so each language has its own; they serve for roots only. Hot path, guarded by `bench/propagation`.
 */
export type TraceIdSampler = (traceId: TraceId) => boolean;

/** Whose algorithm: JavaScript, Go, Java or Python. */
export type RatioDialect = 'js' | 'go' | 'java' | 'python';

const WORD = 2 ** 32;

/** A sampler that keeps about `ratio` of all trace ids; 0 or less (and NaN) none, 1 or more all. */
export function traceIdRatioSampler(dialect: RatioDialect, ratio: number): TraceIdSampler {
  if (!(ratio > 0)) return () => false;
  if (ratio >= 1) return () => true;
  return samplers[dialect](ratio);
}

const samplers: Readonly<Record<RatioDialect, (ratio: number) => TraceIdSampler>> = {
  js: folded,
  go: (ratio) => shifted(Math.floor(ratio * 2 ** 63)),
  java: (ratio) => magnitude(Math.floor(ratio * 2 ** 63)),
  python: (ratio) => lowWords(roundHalfEven(ratio * 2 ** 64)),
};

/** JavaScript: the four words of the id, xor-ed, below floor(ratio × (2^32 - 1)). */
function folded(ratio: number): TraceIdSampler {
  const bound = Math.floor(ratio * 0xffffffff);
  return (id) => (word(id, 0) ^ word(id, 8) ^ word(id, 16) ^ word(id, 24)) >>> 0 < bound;
}

/** Go: the low 64 bits, shifted right by one, below ratio × 2^63. */
function shifted(bound: number): TraceIdSampler {
  const boundHi = Math.floor(bound / WORD);
  const boundLo = bound - boundHi * WORD;
  return (id) => {
    const hi = word(id, 16);
    return below(hi >>> 1, ((hi << 31) | (word(id, 24) >>> 1)) >>> 0, boundHi, boundLo);
  };
}

/** Java: the magnitude of the low 64 bits as a signed number below ratio × (2^63 - 1). */
function magnitude(bound: number): TraceIdSampler {
  const boundHi = Math.floor(bound / WORD);
  const boundLo = bound - boundHi * WORD;
  return (id) => {
    const hi = word(id, 16);
    const lo = word(id, 24);
    if (hi < 0x80000000) return below(hi, lo, boundHi, boundLo);
    // The smallest number has no positive counterpart: it stays negative, below every bound.
    if (hi === 0x80000000 && lo === 0) return true;
    return below((~hi + (lo === 0 ? 1 : 0)) >>> 0, -lo >>> 0, boundHi, boundLo);
  };
}

/** Python: the low 64 bits below round(ratio × 2^64). */
function lowWords(bound: number): TraceIdSampler {
  const boundHi = Math.floor(bound / WORD);
  const boundLo = bound - boundHi * WORD;
  return (id) => below(word(id, 16), word(id, 24), boundHi, boundLo);
}

function below(hi: number, lo: number, boundHi: number, boundLo: number): boolean {
  return hi === boundHi ? lo < boundLo : hi < boundHi;
}

function word(id: TraceId, start: number): number {
  return lowerHexWord(id, start, start + 8);
}

/** Rounds as Python does. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
