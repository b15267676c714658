import { fail, ok } from '@clew/base';
import type { Result } from '@clew/base';

// Jaeger's server answers malformed parameters with the messages of Go's own parsers, and its callers compare them.
// These functions accept and refuse exactly what those parsers do.

const int64Max = 9_223_372_036_854_775_807n;
const int64Min = -9_223_372_036_854_775_808n;

/** As `strconv.ParseInt(text, 10, bits)`. */
export function parseGoInt(text: string, bits: 32 | 64 = 64): Result<bigint, string> {
  if (!/^[+-]?\d+$/.test(text)) return fail(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ''));
  const [min, max] = bits === 64 ? [int64Min, int64Max] : [-2_147_483_648n, 2_147_483_647n];
  if (value < min || value > max) return fail(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  return ok(value);
}

const trueTexts = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseTexts = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** As `strconv.ParseBool`. */
export function parseGoBool(text: string): Result<boolean, string> {
  if (trueTexts.has(text)) return ok(true);
  if (falseTexts.has(text)) return ok(false);
  return fail(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** As `time.ParseDuration`: nanoseconds, or Go's message. */
export function parseGoDuration(text: string): Result<bigint, string> {
  const invalid = fail(`time: invalid duration ${goQuote(text)}`);
  const negative = text.startsWith('-');
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return ok(0n);
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)!;
    const [matched, whole = '', fraction = ''] = number;
    if (whole === '' && fraction === '') return invalid;
    rest = rest.slice(matched.length);
    const unit = /^[^\d.]*/.exec(rest)![0];
    if (unit === '') return fail(`time: missing unit in duration ${goQuote(text)}`);
    const nanos = unitNanos[unit];
    if (nanos === undefined) return fail(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    total += BigInt(whole || '0') * nanos;
    // Go truncates what lies below one nanosecond.
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length);
    if (total > int64Max + (negative ? 1n : 0n)) return invalid;
    rest = rest.slice(unit.length);
  }
  return ok(negative ? -total : total);
}

/** As Go prints a `time.Duration`: `1.5s`, `250ms`, `2µs`, `1h2m3s`, `0s`. */
export function goDurationText(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const value = nanos < 0n ? -nanos : nanos;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${fractionText(value, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${fractionText(value, 6)}ms`;
  const minutes = value / 60_000_000_000n;
  const seconds = `${fractionText(value % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** `value` with `digits` decimals, trailing zeros dropped. */
function fractionText(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
}

/** A string as Go's `%q` shows it, for what query parameters can hold. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
