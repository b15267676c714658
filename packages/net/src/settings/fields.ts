import { durationToMs, parseDuration } from '@clew/base';
import { z } from 'zod';

/** A duration as Go writes it, or a bare number of nanoseconds, as milliseconds. */
export function durationMs(): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.int()], { error: "expected type 'duration'" })
    .transform((value, context) => {
      if (typeof value === 'number') return value / 1e6;
      const parsed = parseDuration(value);
      if (parsed.ok) return durationToMs(parsed.value);
      context.issues.push({ code: 'custom', message: parsed.error, input: value, params: { decode: true } });
      return z.NEVER;
    })
    .meta({ unit: 'duration' });
}

/** A whole number that is not negative. */
export function count(): z.ZodInt {
  return z.int().min(0);
}

/** A text that is never printed. */
export function secretText(): z.ZodString {
  return z.string().meta({ secret: true });
}

/** Header names and values; the values are never printed. */
export function secretHeaders(): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string().meta({ secret: true }));
}

/** Accepted for compatibility: Node sizes its own buffers. */
export function bufferSize(): z.ZodOptional<z.ZodInt> {
  return count().optional();
}

/** Drops the keys whose value is undefined, so that "absent" has one form. */
export function compact<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const present = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]: Exclude<T[K], undefined> };
}
