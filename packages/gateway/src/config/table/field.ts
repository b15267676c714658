import type { KdlNode, KdlScalar, KdlValue } from '../../kdl/node.ts';
import type { Block } from './block.ts';
import { invalid, isValid } from './reader.ts';
import type { FieldDoc, Invalid, Level, OptionalField, Reader, RequiredField } from './reader.ts';
import type { ValueType } from './value-type.ts';

/** What can be said about any setting. */
export interface FieldOptions {
  readonly doc: string;
  /** Default: `should`. */
  readonly level?: Level;
  readonly aliases?: readonly string[];
  /** Names accepted with a warning. */
  readonly deprecated?: readonly string[];
}

interface Described {
  readonly doc: FieldDoc;
  readonly deprecated: Readonly<Record<string, string>>;
}

/** The part of a field that does not depend on what it reads. */
export function describe(
  name: string,
  { doc, level = 'should', aliases = [], deprecated = [] }: FieldOptions,
  more: Pick<FieldDoc, 'type' | 'required'> & Partial<Pick<FieldDoc, 'defaultText' | 'nested'>>,
): Described {
  return {
    doc: { name, aliases, level, text: doc, ...more },
    deprecated: Object.fromEntries(deprecated.map((old) => [old, name])),
  };
}

/** A type as the reference shows it. */
function typeText({ label, note }: ValueType<unknown>): string {
  return note === undefined ? label : `${label} (${note})`;
}

/** A setting with one value, and a default written as in a file. */
export function setting<T>(
  name: string,
  type: ValueType<T>,
  options: FieldOptions & { readonly default: KdlScalar; readonly lenient?: boolean },
): RequiredField<T> {
  const fallback = readDefault(name, type, options.default);
  const defaultText = printScalar(options.default);
  return {
    ...describe(name, options, { type: typeText(type), required: false, defaultText }),
    optional: false,
    read(uses, _owner, reader) {
      const use = lastUse(uses, reader);
      if (use === undefined) return fallback;
      const value = readScalar(use, type, reader, options.lenient === true ? defaultText : undefined);
      // The error is reported; the default lets the rest be checked.
      return value === invalid ? fallback : value;
    },
  };
}

/** A setting with one value that may be absent. */
export function optional<T>(name: string, type: ValueType<T>, options: FieldOptions): OptionalField<T> {
  return {
    ...describe(name, options, { type: typeText(type), required: false }),
    optional: true,
    read(uses, _owner, reader) {
      const use = lastUse(uses, reader);
      return use === undefined ? undefined : readScalar(use, type, reader);
    },
  };
}

/** A setting with one value that must be there; `example` is how it would be written. */
export function required<T>(
  name: string,
  type: ValueType<T>,
  options: FieldOptions & { readonly example: string },
): RequiredField<T> {
  return {
    ...describe(name, options, { type: typeText(type), required: true }),
    optional: false,
    read(uses, owner, reader) {
      const use = lastUse(uses, reader);
      if (use !== undefined) return readScalar(use, type, reader);
      return reader.error('missing', `${name} is missing`, owner.position, `add: ${options.example}`);
    },
  };
}

/** A setting with several values: those of all its nodes together. */
export function list<T>(
  name: string,
  type: ValueType<T>,
  options: FieldOptions & { readonly default?: readonly KdlScalar[]; readonly separator?: string },
): RequiredField<readonly T[]> {
  const fallback = (options.default ?? []).map((value) => readDefault(name, type, value));
  const defaultText = options.default?.map(printScalar).join(' ');
  return {
    ...describe(name, options, {
      type: `${typeText(type)}; several allowed`,
      required: false,
      ...(defaultText === undefined ? {} : { defaultText }),
    }),
    optional: false,
    read(uses, _owner, reader) {
      if (uses.length === 0) return fallback;
      return uses.flatMap((use) => readList(use, type, reader, options.separator));
    },
  };
}

function readList<T>(use: KdlNode, type: ValueType<T>, reader: Reader, separator: string | undefined): T[] {
  const values = use.arguments.flatMap((value) => splitValue(value, separator));
  if (values.length === 0) {
    reader.error('missing', `${use.name} has no value; it must be ${type.label}`, use.position);
  }
  reportLeftovers(use, reader, use.name);
  return values.map((value) => readValue(use.name, value, type, reader)).filter(isValid);
}

/** `"gzip,br"` as two values, where files write lists that way. */
function splitValue(value: KdlValue, separator: string | undefined): KdlValue[] {
  if (separator === undefined || typeof value.value !== 'string') return [value];
  return value.value
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ ...value, value: part }));
}

/** A block below that may be absent. */
export function child<T>(name: string, inner: Block<T>, options: FieldOptions): OptionalField<T> {
  return {
    ...describe(name, options, { type: 'block', required: false, nested: new Map([['', inner.doc]]) }),
    optional: true,
    read(uses, _owner, reader) {
      const use = lastUse(uses, reader);
      return use === undefined ? undefined : inner.read(use, reader.within(use.name));
    },
  };
}

/**
 * The same block, absent when it has mistakes: they are reported, so nothing will be started with it, and what surrounds it
 * is still checked.
 */
export function tolerant<T>(field: OptionalField<T>): OptionalField<T> {
  return {
    ...field,
    read(uses, owner, reader) {
      const value = field.read(uses, owner, reader);
      return value === invalid ? undefined : value;
    },
  };
}

/**
 * A block below whose settings all have defaults; without it they hold. Several blocks of the name count as one, which is said unless
 * they are `repeatable`: whoever wrote the second may have meant it to be the only one.
 */
export function section<T>(
  name: string,
  inner: Block<T>,
  options: FieldOptions & { readonly repeatable?: boolean },
): RequiredField<T> {
  return {
    ...describe(name, options, { type: 'block', required: false, nested: new Map([['', inner.doc]]) }),
    optional: false,
    read(uses, owner, reader) {
      for (const again of options.repeatable === true ? [] : uses.slice(1)) {
        const first = uses[0]!.position.line;
        const text = `${name} is there again (before at line ${first}); both count, and of a setting in both the last`;
        reader.warn('repeated', text, again.position);
      }
      return inner.read(mergeNodes(name, uses, owner), reader.within(name));
    },
  };
}

/** Blocks below, each of which is one value. */
export function children<T>(name: string, inner: Block<T>, options: FieldOptions): RequiredField<readonly T[]> {
  return {
    ...describe(name, options, { type: 'block; several allowed', required: false, nested: new Map([['', inner.doc]]) }),
    optional: false,
    read(uses, _owner, reader) {
      const values = uses.map((use) => inner.read(use, reader.within(use.name)));
      return values.every(isValid) ? values : invalid;
    },
  };
}

/** All nodes of a name as one, in the order written; an empty one when there is none. */
export function mergeNodes(name: string, uses: readonly KdlNode[], owner: KdlNode): KdlNode {
  if (uses.length === 1) return uses[0]!;
  return {
    name,
    position: uses[0]?.position ?? owner.position,
    arguments: uses.flatMap((use) => use.arguments),
    properties: uses.flatMap((use) => use.properties),
    children: uses.flatMap((use) => use.children),
  };
}

/** The node that counts when a name may be used once: the last, with a warning. */
export function lastUse(uses: readonly KdlNode[], reader: Reader): KdlNode | undefined {
  const last = uses.at(-1);
  if (uses.length > 1 && last !== undefined) {
    const before = uses.at(-2)!.position;
    reader.warn(
      'repeated',
      `${last.name} is set again (before at line ${before.line}); this one counts`,
      last.position,
    );
  }
  return last;
}

/** The one value of a setting: its first argument, else a property with the setting's own name. */
function readScalar<T>(use: KdlNode, type: ValueType<T>, reader: Reader, insteadText?: string): T | Invalid {
  const own = use.properties.find(({ name }) => name === use.name);
  const value = use.arguments[0] ?? own?.value;
  if (value === undefined) {
    if (type.bare !== undefined) return type.bare;
    return reader.error('missing', `${use.name} has no value; it must be ${type.label}`, use.position);
  }
  const extra = use.arguments[1];
  if (extra !== undefined) {
    reader.warn('extra_value', `${use.name} takes one value; ${extra.text} is ignored`, extra.position);
  }
  reportLeftovers(use, reader, use.name);
  return readValue(use.name, value, type, reader, insteadText);
}

/** Properties and children where only values have a meaning. */
function reportLeftovers(use: KdlNode, reader: Reader, name: string): void {
  for (const property of use.properties) {
    if (property.name === name) continue;
    reader.warn('unknown_setting', `${name} has no property ${property.name}, ignored`, property.position);
  }
  const inner = use.children[0];
  if (inner !== undefined)
    reader.warn('unknown_setting', `${name} has no settings of its own, ignored`, inner.position);
}

/** Reads one value; `insteadText` says what is used in place of a wrong one, which is then only a warning. */
export function readValue<T>(
  name: string,
  value: KdlValue,
  type: ValueType<T>,
  reader: Reader,
  insteadText?: string,
): T | Invalid {
  if (value.unresolved === true) return invalid;
  const read = type.read(value);
  if (read.ok) {
    const { warning } = read.value;
    if (warning !== undefined) reader.warn(warning.code, `${name} ${warning.message}`, value.position);
    return read.value.value;
  }
  const reason = read.error === undefined ? '' : read.error.startsWith('(') ? ` ${read.error}` : `: ${read.error}`;
  const message = `${name} must be ${type.label}; found ${shown(value)}${reason}`;
  if (insteadText === undefined) return reader.error('wrong_type', message, value.position);
  reader.warn('wrong_type', `${message}; ${insteadText} is used`, value.position);
  return invalid;
}

const maxShownCharacters = 80;

function shown(value: KdlValue): string {
  const written = value.fromEnvironment === true ? JSON.stringify(value.value) : value.text;
  const line = written.replaceAll(/\s+/g, ' ');
  return line.length > maxShownCharacters ? `${line.slice(0, maxShownCharacters)}…` : line;
}

/** Writes a value as KDL. */
export function printScalar(value: KdlScalar): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' ? String(value) : `#${String(value)}`;
}

function readDefault<T>(name: string, type: ValueType<T>, value: KdlScalar): T {
  const read = type.read({
    value,
    text: printScalar(value),
    quoted: typeof value === 'string',
    position: { file: '', line: 0, column: 0 },
  });
  if (!read.ok) throw new Error(`the default ${printScalar(value)} of ${name} is not ${type.label}`);
  return read.value.value;
}
