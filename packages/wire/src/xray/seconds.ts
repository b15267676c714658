import { MAX_UNIX_NANO, unixNano } from '@clew/model';
import type { UnixNano } from '@clew/model';

const NANO_DIGITS = 9;
/** 2^64 nanoseconds are 18,446,744,073 seconds. */
const MAX_SECOND_DIGITS = 11;

/**
 * Seconds since 1970 as segment documents write them, a JSON number, as nanoseconds. Read digit by digit: a double of today's seconds is
 * only exact to some 240 ns. Digits beyond the nanosecond are rounded. `undefined` when negative or too late for 64 bits.
 */
export function nanosOfSeconds(text: string): UnixNano | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return unixNano(0n);
  // The value is 0.<digits> × 10^magnitude.
  const magnitude = digits.length - fraction.length + Number(exponent);
  if (magnitude > MAX_SECOND_DIGITS) return undefined;
  const kept = magnitude + NANO_DIGITS;
  if (kept < 0) return unixNano(0n);
  const nanos = BigInt(digits.slice(0, kept).padEnd(kept, '0')) + (digits.charAt(kept) >= '5' ? 1n : 0n);
  return nanos > MAX_UNIX_NANO ? undefined : unixNano(nanos);
}

/** Nanoseconds since 1970 as decimal seconds, exact. */
export function secondsOfNanos(nanos: UnixNano): string {
  const digits = nanos.toString().padStart(NANO_DIGITS + 1, '0');
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '');
  return `${digits.slice(0, -NANO_DIGITS)}.${fraction === '' ? '0' : fraction}`;
}
