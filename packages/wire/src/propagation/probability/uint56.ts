import { NOT_HEX, lowerHexWord } from '../hex.ts';

/**
 * Integers of 56 bits, as consistent probability sampling compares them, in two words and without `BigInt`.
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 * Hot path, guarded by `bench/propagation`.
 */
export interface Uint56 {
  /** The upper 24 bits; 2^24 where a value means 2^56. */
  hi: number;
  /** The lower 32 bits, unsigned. */
  lo: number;
}

/** Hexadecimal digits of 56 bits. */
export const UINT56_DIGITS = 14;

const HI_DIGITS = 6;
const WORD = 2 ** 32;

/** Whether `a` is at least `b`. */
export function atLeast(a: Readonly<Uint56>, b: Readonly<Uint56>): boolean {
  return a.hi === b.hi ? a.lo >= b.lo : a.hi > b.hi;
}

/** Whether two values are the same. */
export function sameUint56(a: Readonly<Uint56>, b: Readonly<Uint56>): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

/**
 * Reads 1 to 14 lower-case hexadecimal digits `text[start, end)`, the most significant first; missing ones are zeros at the right. False,
 * and `into` is untouched, when they are none.
 */
export function readUint56(text: string, start: number, end: number, into: Uint56): boolean {
  const digits = end - start;
  if (digits < 1 || digits > UINT56_DIGITS) return false;
  const middle = Math.min(end, start + HI_DIGITS);
  const hi = lowerHexWord(text, start, middle);
  const lo = lowerHexWord(text, middle, end);
  if (hi === NOT_HEX || lo === NOT_HEX) return false;
  into.hi = hi * 16 ** (HI_DIGITS - (middle - start));
  into.lo = lo * 16 ** (UINT56_DIGITS - HI_DIGITS - (end - middle));
  return true;
}

/** All 14 digits of a value below 2^56. */
export function uint56Text(value: Readonly<Uint56>): string {
  return value.hi.toString(16).padStart(HI_DIGITS, '0') + value.lo.toString(16).padStart(8, '0');
}

/** The value as the nearest double. */
export function uint56Number(value: Readonly<Uint56>): number {
  return value.hi * WORD + value.lo;
}

/** 2^56 minus the value. */
export function complementOf(value: Readonly<Uint56>, into: Uint56): void {
  const borrow = value.lo === 0 ? 0 : 1;
  into.hi = 2 ** 24 - value.hi - borrow;
  into.lo = borrow === 0 ? 0 : WORD - value.lo;
}
