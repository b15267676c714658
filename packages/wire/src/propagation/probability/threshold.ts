import type { TraceId } from '@clew/model';
import { UINT56_DIGITS, complementOf, readUint56, uint56Number, uint56Text } from './uint56.ts';
import type { Uint56 } from './uint56.ts';

/**
 * Thresholds and randomness of consistent probability sampling: a trace is kept where its randomness R reaches the threshold T,
 * with T = (1 - probability) × 2^56. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */

/** Smallest probability but zero. */
export const MIN_PROBABILITY = 2 ** -56;
/** Significant digits of a threshold where nothing else is said. */
export const DEFAULT_PRECISION = 4;

const TOTAL = 2 ** 56;
const WORD = 2 ** 32;

/** The threshold that keeps everything. */
export const ALWAYS: Readonly<Uint56> = Object.freeze({ hi: 0, lo: 0 });
/** 2^56, the threshold that no randomness reaches; it has no text. */
export const NEVER: Readonly<Uint56> = Object.freeze({ hi: 2 ** 24, lo: 0 });

/**
 * The threshold of a probability, rounded to `precision` (1 to 14) hexadecimal digits that count: leading `f` of small
 * probabilities and leading `0` of those near 1 come on top. 1 and more give {@link ALWAYS}. Less than
 * {@link MIN_PROBABILITY}, and NaN, give {@link NEVER} and false.
 */
export function thresholdOf(probability: number, into: Uint56, precision: number = DEFAULT_PRECISION): boolean {
  if (!(probability >= MIN_PROBABILITY)) {
    Object.assign(into, NEVER);
    return false;
  }
  Object.assign(into, ALWAYS);
  if (probability >= 1) return true;
  // Scaling by a power of two is exact, and so is taking the two words of the product.
  const scaled = Math.round(probability * TOTAL);
  into.hi = Math.floor(scaled / WORD);
  into.lo = scaled - into.hi * WORD;
  complementOf(into, into);
  const most = Math.max(extraDigits(probability), extraDigits(1 - probability));
  roundToDigits(into, Math.min(UINT56_DIGITS, precision + most));
  return true;
}

/** The `th` text of a threshold: trailing zeros left out, `0` for {@link ALWAYS}, '' for {@link NEVER}. */
export function thresholdText(threshold: Readonly<Uint56>): string {
  if (threshold.hi >= NEVER.hi) return '';
  const digits = uint56Text(threshold);
  let end = digits.length;
  while (end > 1 && digits.endsWith('0', end)) end--;
  return digits.slice(0, end);
}

/** The probability a threshold stands for. */
export function probabilityOf(threshold: Readonly<Uint56>): number {
  return uint56Number(complement(threshold)) / TOTAL;
}

/** How many spans each span kept at this threshold stands for; 0 for {@link NEVER}. */
export function adjustedCount(threshold: Readonly<Uint56>): number {
  return threshold.hi >= NEVER.hi ? 0 : TOTAL / uint56Number(complement(threshold));
}

/** The randomness of the 16 bytes of a trace id at `offset`: its last seven. */
export function randomnessOfBytes(bytes: Uint8Array, offset: number, into: Uint56): void {
  const at = offset + 9;
  into.hi = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  into.lo = ((bytes[at + 3]! << 24) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 6]!) >>> 0;
}

/** The randomness of a trace id as text. */
export function randomnessOfTraceId(traceId: TraceId, into: Uint56): void {
  readUint56(traceId, traceId.length - UINT56_DIGITS, traceId.length, into);
}

function complement(value: Readonly<Uint56>): Readonly<Uint56> {
  complementOf(value, scratch);
  return scratch;
}

const scratch: Uint56 = { hi: 0, lo: 0 };

/** Digits that a threshold of this distance from an end begins with and that tell nothing: the exponent by fours. */
function extraDigits(share: number): number {
  return Math.max(0, Math.trunc(-binaryExponent(share) / 4));
}

/** e of share = m × 2^e with m in [0.5, 1). */
function binaryExponent(share: number): number {
  if (share === 0) return 0;
  double.setFloat64(0, share);
  return ((double.getUint32(0) >>> 20) & 0x7ff) - 1022;
}

const double = new DataView(new ArrayBuffer(8));

/** Rounds to the first `digits` hexadecimal digits, half up. */
function roundToDigits(value: Uint56, digits: number): void {
  if (digits >= UINT56_DIGITS) return;
  const loDigits = digits - 6;
  if (loDigits > 0) {
    const unit = 16 ** (8 - loDigits);
    value.lo = Math.floor((value.lo + unit / 2) / unit) * unit;
  } else {
    const unit = 16 ** -loDigits;
    // The half unit lies in the lower word only when the last digit kept is the last of the upper one.
    const half = loDigits === 0 ? (value.lo >= WORD / 2 ? 1 : 0) : unit / 2;
    value.hi = Math.floor((value.hi + half) / unit) * unit;
    value.lo = 0;
  }
  if (value.lo >= WORD) {
    value.lo -= WORD;
    value.hi++;
  }
}
