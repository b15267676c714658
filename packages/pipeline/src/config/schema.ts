import { parseByteSize, parseDuration } from '@clew/base';
import { z } from 'zod';

/**
 * Building blocks of component schemas. A schema is the only description of a setting: type, default (given as `prefault`,
 * in the spelling a user would write), rules, and whether it is secret.
 *
 * Rules about one field or several (`refine`, `superRefine`) are violations like `processors::batch: …`; everything else a
 * schema refuses is a decoding error in the reference collector's words.
 */

/** Marks a schema's issue as a decoding error rather than a violated rule. */
export const decodeIssue = Object.freeze({ decode: true });

/**
 * A duration as Go writes it, or a bare integer in nanoseconds, as **milliseconds** (possibly fractional). Give the default
 * with `.prefault('200ms')`.
 */
export function durationMs(): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.int()], { error: "expected type 'duration'" })
    .transform((value, context) => {
      if (typeof value === 'number') return value / 1e6;
      const parsed = parseDuration(value);
      if (parsed.ok) return Number(parsed.value / 1_000_000n) + Number(parsed.value % 1_000_000n) / 1e6;
      context.issues.push({ code: 'custom', message: parsed.error, input: value, params: decodeIssue });
      return z.NEVER;
    })
    .meta({ unit: 'duration' });
}

/** A size such as `64MiB`, or a bare number of bytes, as bytes. Give the default with `.prefault('64MiB')`. */
export function byteSize(): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.int().nonnegative()], { error: "expected type 'size'" })
    .transform((value, context) => {
      if (typeof value === 'number') return value;
      const parsed = parseByteSize(value);
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: 'custom', message: parsed.error, input: value, params: decodeIssue });
      return z.NEVER;
    })
    .meta({ unit: 'size' });
}

/** A whole number from 0 up to what 32 bits hold. */
export function uint(): z.ZodNumber {
  return z.int().min(0).max(4_294_967_295);
}

/**
 * Any value, with the type it was written with: whole numbers arrive as `bigint`, floats (`1.0` among them) as `number`. For
 * settings that become attribute values.
 */
export function typedValue(): z.ZodUnknown {
  return z.unknown().meta({ typed: true });
}

/** A value that is never printed. */
export function secret<T extends z.ZodType>(schema: T): T {
  return schema.meta({ ...schema.meta(), secret: true });
}

/**
 * A nested section with defaults of its own: absent or empty (`tls:`) is the same as `{}`. For sections whose mere presence
 * means something, use `z.strictObject(…).optional()`.
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodPrefault<z.ZodObject<Shape, z.core.$strict>> {
  return z.strictObject(shape).prefault({} as never) as z.ZodPrefault<z.ZodObject<Shape, z.core.$strict>>;
}
