import type { z } from 'zod';

/**
 * Looking into schemas: which keys an object takes, which defaults it has, what is secret. The one file that knows how zod
 * represents schemas inside.
 */

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly catchall?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly defaultValue?: unknown;
  readonly getter?: () => z.ZodType;
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** The schemas `schema` is a wrapper around: several for unions. Objects, arrays, records and leaves are themselves. */
function unwrap(schema: z.ZodType, depth = 0): z.ZodType[] {
  if (depth > 32) return [];
  const definition = definitionOf(schema);
  const inner = (next: z.ZodType | undefined): z.ZodType[] => (next === undefined ? [] : unwrap(next, depth + 1));
  switch (definition.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return inner(definition.innerType);
    case 'pipe': {
      // A preprocessing step has the schema on its far side, a transformation on its near side.
      const near = inner(definition.in);
      return near.some((candidate) => definitionOf(candidate).type !== 'transform') ? near : inner(definition.out);
    }
    case 'lazy':
      return inner(definition.getter?.());
    case 'union':
      return (definition.options ?? []).flatMap(inner);
    case 'intersection':
      return [...inner(definition.left), ...inner(definition.right)];
    default:
      return [schema];
  }
}

/** The schemas that may govern the value at `path`. */
export function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType[] {
  let at = [schema];
  for (const step of path)
    at = at.flatMap((candidate) => unwrap(candidate)).flatMap((candidate) => children(candidate, step));
  return at;
}

function children(schema: z.ZodType, step: PropertyKey): z.ZodType[] {
  const definition = definitionOf(schema);
  const candidates = {
    object: () => definition.shape?.[String(step)] ?? definition.catchall,
    record: () => definition.valueType,
    array: () => definition.element,
    tuple: () => definition.items?.[Number(step)],
  };
  const child = candidates[definition.type as keyof typeof candidates]?.();
  return child === undefined ? [] : [child];
}

/** The keys an object at `path` may have. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const objects = schemasAt(schema, path).flatMap((candidate) => unwrap(candidate));
  return [...new Set(objects.flatMap((object) => Object.keys(definitionOf(object).shape ?? {})))];
}

/** The default of a schema in the spelling it accepts, or undefined when it has none. */
export function defaultOf(schema: z.ZodType): unknown {
  const definition = definitionOf(schema);
  if (definition.type === 'prefault' || definition.type === 'default') return definition.defaultValue;
  if (definition.type === 'optional' || definition.type === 'nullable' || definition.type === 'readonly') {
    return definition.innerType === undefined ? undefined : defaultOf(definition.innerType);
  }
  if (definition.type === 'pipe') return definition.in === undefined ? undefined : defaultOf(definition.in);
  return undefined;
}

/** The fields of an object schema, wrappers looked through; empty for anything else. */
export function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return Object.assign({}, ...unwrap(schema).map((candidate) => definitionOf(candidate).shape ?? {})) as Record<
    string,
    z.ZodType
  >;
}

/** Whether a value at `path` is wanted as text: a string and no other scalar. */
export function wantsText(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  const types = schemasAt(schema, path)
    .flatMap((candidate) => unwrap(candidate))
    .map((candidate) => definitionOf(candidate).type);
  return types.includes('string') && !['number', 'int', 'bigint', 'boolean'].some((type) => types.includes(type));
}

/** Whether whole numbers at `path` are wanted as `bigint`: there, or around it, stands a `typedValue()`. */
export function wantsTypes(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  return isMarkedAt(schema, path, 'typed');
}

/** Whether the schema at `path`, or one around it, is marked secret. */
export function isSecretAt(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  return isMarkedAt(schema, path, 'secret');
}

type Mark = 'secret' | 'typed';

function isMarkedAt(schema: z.ZodType, path: readonly PropertyKey[], mark: Mark): boolean {
  for (let length = 0; length <= path.length; length++) {
    if (schemasAt(schema, path.slice(0, length)).some((candidate) => isMarked(candidate, mark))) return true;
  }
  return false;
}

function isMarked(schema: z.ZodType, mark: Mark): boolean {
  if (schema.meta()?.[mark] === true) return true;
  const { innerType, in: near } = definitionOf(schema);
  const inner = innerType ?? near;
  return inner !== undefined && isMarked(inner, mark);
}
