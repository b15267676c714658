import { parseDurationNano } from '../query/duration.ts';

/** A point in time as a link writes it: `now`, `now-1h`, epoch milliseconds, or ISO 8601. */
export type TimeText = string;

/** A time range as a link writes it. */
export interface TimeRangeText {
  readonly from: TimeText;
  readonly to: TimeText;
}

/** The range used when a link names none. */
export const defaultRange: TimeRangeText = Object.freeze({ from: 'now-1h', to: 'now' });

const nanosPerMilli = 1_000_000n;

/**
 * Resolves a time text to nanoseconds since 1970; undefined when it cannot be read. Bare digits are
 * seconds, milliseconds, microseconds or nanoseconds by their number (up to 11, 14, 17, more), because
 * links from other tools use all four; Clew itself writes milliseconds.
 */
export function resolveTime(text: TimeText, nowUnixMs: number): bigint | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return BigInt(Math.trunc(nowUnixMs)) * nanosPerMilli;
  const relative = /^now([+-])(.+)$/.exec(trimmed);
  if (relative !== null) return resolveRelative(relative[1] === '+', relative[2] ?? '', nowUnixMs);
  if (/^\d{1,19}$/.test(trimmed)) return scaleDigits(trimmed);
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined;
  const parsed = Date.parse(trimmed);
  return Number.isNaN(parsed) ? undefined : BigInt(parsed) * nanosPerMilli;
}

function resolveRelative(forward: boolean, amount: string, nowUnixMs: number): bigint | undefined {
  const week = /^(\d+)w$/.exec(amount);
  const nano = parseDurationNano(week === null ? amount : `${BigInt(week[1] ?? '0') * 7n}d`);
  if (nano === undefined) return undefined;
  const now = BigInt(Math.trunc(nowUnixMs)) * nanosPerMilli;
  return forward ? now + nano : now > nano ? now - nano : 0n;
}

function scaleDigits(digits: string): bigint {
  const value = BigInt(digits);
  if (digits.length <= 11) return value * 1_000_000_000n;
  if (digits.length <= 14) return value * nanosPerMilli;
  return digits.length <= 17 ? value * 1_000n : value;
}

/** Resolves both ends; undefined when either cannot be read or the range is empty. */
export function resolveRange(
  range: TimeRangeText,
  nowUnixMs: number,
): { readonly fromUnixNano: bigint; readonly toUnixNano: bigint } | undefined {
  const fromUnixNano = resolveTime(range.from, nowUnixMs);
  const toUnixNano = resolveTime(range.to, nowUnixMs);
  if (fromUnixNano === undefined || toUnixNano === undefined || fromUnixNano >= toUnixNano) return undefined;
  return { fromUnixNano, toUnixNano };
}
