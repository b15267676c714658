import { fail, ok } from './result.ts';
import type { Result } from './result.ts';

/**
 * Durations as Go writes them (`time.ParseDuration`): a sequence of decimal numbers, each with a unit, such as `1m30s`
 * or `1.5h`. Values are nanoseconds in a signed 64-bit range and therefore `bigint`.
 */

const nanosPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, micro sign
  μs: 1_000n, // U+03BC, Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const maxNanos = 9_223_372_036_854_775_807n;

/** One number and its unit at the start of a text. Either side of the point may be missing, but not both. */
const termPattern = /^(\d*)(\.(\d*))?([^\d.]*)/;

/**
 * Reads a Go duration. `0` needs no unit; everything else does.
 *
 * @returns nanoseconds, or Go's own sentence saying what is wrong.
 */
export function parseDuration(text: string): Result<bigint, string> {
  const invalid = fail(`time: invalid duration ${JSON.stringify(text)}`);
  const negative = text.startsWith('-');
  let rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return ok(0n);
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const [whole, integer = '', point, fraction = '', unit = ''] = termPattern.exec(rest) ?? [''];
    if (integer === '' && (point === undefined || fraction === '')) return invalid;
    if (unit === '') return fail(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = nanosPerUnit[unit];
    if (scale === undefined) {
      return fail(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    total += BigInt(integer || '0') * scale + fractionNanos(fraction, scale);
    if (total > maxNanos + (negative ? 1n : 0n)) return invalid;
    rest = rest.slice(whole.length);
  }
  return ok(negative ? -total : total);
}

/** `0.fraction` of `scale`, rounded down. Digits past the 18th cannot change a nanosecond. */
function fractionNanos(fraction: string, scale: bigint): bigint {
  const digits = fraction.slice(0, 18);
  return digits === '' ? 0n : (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
}

/** Writes nanoseconds as Go prints a duration: `1m30s`, `1.5s`, `200ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatDuration(-nanos)}`;
  if (nanos === 0n) return '0s';
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < 1_000_000n) return `${withFraction(nanos, 1_000n)}µs`;
  if (nanos < 1_000_000_000n) return `${withFraction(nanos, 1_000_000n)}ms`;
  const hours = nanos / 3_600_000_000_000n;
  const minutes = (nanos / 60_000_000_000n) % 60n;
  const seconds = `${withFraction(nanos % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${minutes}m${seconds}` : seconds;
}

function withFraction(value: bigint, unit: bigint): string {
  const digits = unit.toString().length - 1;
  const fraction = (value % unit).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}

/** Nanoseconds as milliseconds for timers; parts of a millisecond become a fraction. */
export function durationToMs(nanos: bigint): number {
  return Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6;
}

/** Milliseconds as Go prints a duration. */
export function formatDurationMs(ms: number): string {
  return formatDuration(BigInt(Math.round(ms * 1e6)));
}
