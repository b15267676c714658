import { ModelError } from './errors.ts';

/**
 * Times are unsigned 64-bit nanoseconds since 1970-01-01T00:00:00Z. At edges they are a branded `bigint`; in columns
 * they are two 32-bit words, low then high, and the `…Words` functions here do arithmetic on those without making a bigint.
 */

declare const unixNanoBrand: unique symbol;

/** Nanoseconds since 1970, 0 to 2^64 - 1. */
export type UnixNano = bigint & { readonly [unixNanoBrand]: true };

/** The largest time a column can hold. */
export const MAX_UNIX_NANO = 0xffff_ffff_ffff_ffffn as UnixNano;

/** `nanos` as a time; throws `invalid_time` outside the unsigned 64-bit range. */
export function unixNano(nanos: bigint): UnixNano {
  if (nanos < 0n || nanos > MAX_UNIX_NANO) {
    throw new ModelError(
      'invalid_time',
      `cannot use ${nanos} as a time: nanoseconds since 1970 must be 0 to ${MAX_UNIX_NANO}`,
    );
  }
  return nanos as UnixNano;
}

/** The time of a `Date`'s clock, whose unit is milliseconds (fractions of them are kept to the nanosecond). */
export function unixNanoFromMillis(millis: number): UnixNano {
  const whole = Math.floor(millis);
  return unixNano(BigInt(whole) * 1_000_000n + BigInt(Math.round((millis - whole) * 1e6)));
}

/** Two words as one unsigned bigint. */
export function nanosOfWords(lo: number, hi: number): UnixNano {
  return ((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)) as UnixNano;
}

/** Two words as one signed bigint (two's complement), as attribute integers are kept. */
export function signedOfWords(lo: number, hi: number): bigint {
  return (BigInt(hi | 0) << 32n) | BigInt(lo >>> 0);
}

/** The low word of a 64-bit integer; negative ones are taken as two's complement. */
export function lowWord(value: bigint): number {
  return Number(value & 0xffff_ffffn);
}

/** The high word of a 64-bit integer; negative ones are taken as two's complement. */
export function highWord(value: bigint): number {
  return Number((value >> 32n) & 0xffff_ffffn);
}

/** -1, 0 or 1 as time a is before, equal to or after time b (unsigned). */
export function compareWords(aLo: number, aHi: number, bLo: number, bHi: number): -1 | 0 | 1 {
  if (aHi !== bHi) return aHi < bHi ? -1 : 1;
  if (aLo !== bLo) return aLo < bLo ? -1 : 1;
  return 0;
}

/** Low word of a - b (modulo 2^64); the high word is {@link subtractHigh}. */
export function subtractLow(aLo: number, bLo: number): number {
  return (aLo - bLo) >>> 0;
}

/** High word of a - b (modulo 2^64). */
export function subtractHigh(aLo: number, aHi: number, bLo: number, bHi: number): number {
  return (aHi - bHi - (aLo < bLo ? 1 : 0)) >>> 0;
}

/** Low word of a + b (modulo 2^64); the high word is {@link addHigh}. */
export function addLow(aLo: number, bLo: number): number {
  return (aLo + bLo) >>> 0;
}

/** High word of a + b (modulo 2^64). */
export function addHigh(aLo: number, aHi: number, bLo: number, bHi: number): number {
  return (aHi + bHi + (aLo + bLo > 0xffff_ffff ? 1 : 0)) >>> 0;
}

/** Writes the time at `source[at]` (low, high), clamped to [min, max], to `target[targetAt]`. */
export function clampWords(
  source: Uint32Array,
  at: number,
  limits: { readonly minLo: number; readonly minHi: number; readonly maxLo: number; readonly maxHi: number },
  target: Uint32Array,
  targetAt: number,
): void {
  let lo = source[at]!;
  let hi = source[at + 1]!;
  if (compareWords(lo, hi, limits.minLo, limits.minHi) < 0) {
    lo = limits.minLo;
    hi = limits.minHi;
  } else if (compareWords(lo, hi, limits.maxLo, limits.maxHi) > 0) {
    lo = limits.maxLo;
    hi = limits.maxHi;
  }
  target[targetAt] = lo;
  target[targetAt + 1] = hi;
}

/**
 * a - b as a number of nanoseconds, for drawing and comparing *within* a trace: exact while the distance
 * is below 2^53 ns (104 days), rounded beyond. Negative when a is before b.
 */
export function elapsedNs(aLo: number, aHi: number, bLo: number, bHi: number): number {
  return (aHi - bHi) * 4_294_967_296 + (aLo - bLo);
}

/** Whole microseconds, rounded towards negative infinity, as Jaeger counts. */
export function microsOf(nanos: bigint): bigint {
  return floorDivide(nanos, 1_000n);
}

/** Whole milliseconds, rounded towards negative infinity. */
export function millisOf(nanos: bigint): bigint {
  return floorDivide(nanos, 1_000_000n);
}

/** Microseconds as exact decimal text without trailing zeros: 1500n is `1.5`. */
export function microsText(nanos: bigint): string {
  return decimalText(nanos, 3);
}

/** Milliseconds as exact decimal text without trailing zeros: 1500000n is `1.5`. */
export function millisText(nanos: bigint): string {
  return decimalText(nanos, 6);
}

/** Seconds as exact decimal text without trailing zeros. */
export function secondsText(nanos: bigint): string {
  return decimalText(nanos, 9);
}

/** RFC 3339 text in UTC with nine digits of fraction: `2026-11-21T02:30:00.000000001Z`. */
export function rfc3339Text(time: UnixNano): string {
  const seconds = time / 1_000_000_000n;
  const fraction = String(time % 1_000_000_000n).padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}.${fraction}Z`;
}

/** The time in a text of decimal digits (nanoseconds since 1970), or `undefined` when it is none or out of range. */
export function parseUnixNano(text: string): UnixNano | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const nanos = BigInt(text);
  return nanos > MAX_UNIX_NANO ? undefined : (nanos as UnixNano);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}

function decimalText(nanos: bigint, digits: number): string {
  const text = String(nanos < 0n ? -nanos : nanos).padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  const whole = text.slice(0, -digits);
  return `${nanos < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
