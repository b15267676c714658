import { didYouMean, fail, ok, parseByteSize, parseDuration } from '@clew/base';
import type { Result } from '@clew/base';
import type { KdlScalar, KdlValue } from '../../kdl/node.ts';
import type { ProblemCode } from '../../kdl/problem.ts';

/** What one value means, or what is wrong with it (nothing, when the label of its type says it all). */
export type ReadValue<T> = Result<{ readonly value: T; readonly warning?: ValueWarning }, string | undefined>;

/** Something to say about a value that is accepted. */
export interface ValueWarning {
  readonly code: ProblemCode;
  readonly message: string;
}

/** A kind of value: how it is described and how it is read. */
export interface ValueType<T> {
  /** Completes "must be …", and is the type in the reference. */
  readonly label: string;
  /** More that may be written, for the reference only. */
  readonly note?: string;
  /** What the name of the setting means when it stands alone. */
  readonly bare?: T;
  read(value: KdlValue): ReadValue<T>;
}

/** The largest delay of a timer; longer ones would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

function accept<T>(value: T): ReadValue<T> {
  return ok({ value });
}

/** Reads what a value holds when it came from a file, or the number or boolean an environment variable spells. */
function scalarOf(value: KdlValue): KdlScalar {
  if (value.fromEnvironment !== true || typeof value.value !== 'string') return value.value;
  const text = value.value.trim();
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[-+]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : value.value;
}

/** Any text. */
export const text: ValueType<string> = {
  label: 'text',
  // An environment variable that looks like a number is text all the same where text is wanted.
  read: ({ value }) => (typeof value === 'string' ? accept(value) : fail(undefined)),
};

/** Text that is not empty. */
export const word: ValueType<string> = {
  label: 'text that is not empty',
  read: ({ value }) => (typeof value === 'string' && value.trim() !== '' ? accept(value) : fail(undefined)),
};

/** `#true` or `#false`; `#true` when nothing follows the name. */
export const flag: ValueType<boolean> = {
  label: '#true or #false',
  bare: true,
  read(value) {
    const scalar = scalarOf(value);
    return typeof scalar === 'boolean' ? accept(scalar) : fail(undefined);
  },
};

function rangeLabel(what: string, min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `${what} from ${min} to ${max}`;
  if (min !== undefined) return `${what} of at least ${min}`;
  return max === undefined ? what : `${what} of at most ${max}`;
}

/** Bounds of a number, both included. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** A whole number. */
export function integer({ min, max }: Range = {}): ValueType<number> {
  return {
    label: rangeLabel('a whole number', min, max),
    read(value) {
      const scalar = scalarOf(value);
      if (typeof scalar !== 'number' || !Number.isSafeInteger(scalar)) return fail(undefined);
      return within(scalar, min, max);
    },
  };
}

/** A number, with or without a fraction. */
export function decimal({ min, max }: Range = {}): ValueType<number> {
  return {
    label: rangeLabel('a number', min, max),
    read(value) {
      const scalar = scalarOf(value);
      return typeof scalar === 'number' && Number.isFinite(scalar) ? within(scalar, min, max) : fail(undefined);
    },
  };
}

function within(value: number, min = -Infinity, max = Infinity): ReadValue<number> {
  return value >= min && value <= max ? accept(value) : fail(undefined);
}

/** What a number without a unit means in a duration; `none`: it must have one. */
export type DurationUnit = 'seconds' | 'milliseconds' | 'none';

const durationLabels: Readonly<Record<DurationUnit, string>> = {
  seconds: 'seconds, or a duration such as "10s"',
  milliseconds: 'milliseconds, or a duration such as "10s"',
  none: 'a duration such as "100ms" or "2s"',
};

/** A duration, as milliseconds. */
export function duration(unit: DurationUnit, { min = 0 }: { readonly min?: 0 | 1 } = {}): ValueType<number> {
  return {
    label: `${min === 0 ? '' : 'more than 0 '}${durationLabels[unit]}`.replace(/^more than 0 a /, 'a positive '),
    read(value) {
      const read = durationMs(value, unit);
      if (!read.ok) return read;
      const ms = read.value;
      if (ms < 0 || (min > 0 && ms === 0)) return fail(undefined);
      return ms > maxTimerMs ? fail('it is longer than 24 days') : accept(ms);
    },
  };
}

function durationMs(value: KdlValue, unit: DurationUnit): Result<number, string | undefined> {
  const scalar = scalarOf(value);
  if (typeof scalar === 'number' && unit !== 'none' && Number.isFinite(scalar)) {
    return ok(unit === 'seconds' ? Math.round(scalar * 1000) : scalar);
  }
  if (typeof scalar !== 'string') return fail(undefined);
  const nanos = parseDuration(scalar);
  return nanos.ok ? ok(Number(nanos.value / 1000n) / 1000) : fail(undefined);
}

/** A size, as bytes. Units are powers of 1024 whichever way they are written. */
export function bytes({ min = 0 }: { readonly min?: 0 | 1 } = {}): ValueType<number> {
  return {
    label: `${min === 0 ? 'bytes' : 'at least 1 byte'}, or a size such as "10MB"`,
    read(value) {
      const scalar = scalarOf(value);
      const size = typeof scalar === 'string' ? sizeBytes(scalar) : scalar;
      return typeof size === 'number' && Number.isSafeInteger(size) && size >= min ? accept(size) : fail(undefined);
    },
  };
}

function sizeBytes(written: string): number | undefined {
  const binary = written.trim().replace(/([kmgt])i?b?$/i, '$1iB');
  const size = parseByteSize(binary);
  return size.ok ? size.value : undefined;
}

/** A word, its other spellings, and words that are known and not supported with what they are read as. */
export interface WordsOptions<W extends string> {
  readonly aliases?: Readonly<Record<string, W>>;
  readonly unsupported?: Readonly<Record<string, W>>;
}

/** One of several words; case does not matter, and `-` and `_` are the same. */
export function oneOf<const W extends string>(words: readonly W[], options: WordsOptions<W> = {}): ValueType<W> {
  const fold = (name: string) => name.toLowerCase().replaceAll('-', '_');
  const byName = new Map<string, W>(words.map((name) => [fold(name), name]));
  for (const [alias, name] of Object.entries(options.aliases ?? {})) byName.set(fold(alias), name as W);
  const unsupported = new Map(Object.entries(options.unsupported ?? {}).map(([name, as]) => [fold(name), as as W]));
  const note = wordsNote(options);
  return {
    label: listWords(words),
    ...(note === '' ? {} : { note }),
    read(value) {
      // `protocol-version 1` is as good as "1".
      const written = typeof value.value === 'number' ? String(value.value) : value.value;
      if (typeof written !== 'string') return fail(undefined);
      const known = byName.get(fold(written));
      if (known !== undefined) return accept(known);
      const instead = unsupported.get(fold(written));
      if (instead === undefined) return fail(didYouMean(written, words).trim() || undefined);
      const message = `${JSON.stringify(written)} is recognised, not supported by this build; ${JSON.stringify(instead)} is used`;
      return ok({ value: instead, warning: { code: 'unsupported', message } });
    },
  };
}

function wordsNote<W extends string>({ aliases = {}, unsupported = {} }: WordsOptions<W>): string {
  const pairs = (what: string, entries: Readonly<Record<string, W>>) => {
    const written = Object.entries(entries).map(([name, as]) => `${JSON.stringify(name)} = ${JSON.stringify(as)}`);
    return written.length === 0 ? [] : [`${what} ${written.join(', ')}`];
  };
  return [...pairs('also', aliases), ...pairs('not supported, read as', unsupported)].join('; ');
}

function listWords(words: readonly string[]): string {
  const quoted = words.map((name) => JSON.stringify(name));
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** Another type's values, changed by a function that may refuse them with a reason. */
export function refine<T, U>(
  type: ValueType<T>,
  label: string,
  convert: (value: T) => Result<U, string | undefined>,
): ValueType<U> {
  return {
    label,
    read(value) {
      const read = type.read(value);
      if (!read.ok) return read;
      const converted = convert(read.value.value);
      return converted.ok ? ok({ ...read.value, value: converted.value }) : converted;
    },
  };
}
