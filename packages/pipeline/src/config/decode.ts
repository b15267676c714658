import { didYouMean } from '@clew/base';
import type { z } from 'zod';
import { defineOwn, nodeAt, positionAt } from './node.ts';
import type { ConfigNode, PlainValue } from './node.ts';
import type { Problem } from './problem.ts';
import { keysAt, wantsTypes } from './schema-walk.ts';

/** Settings as the schema made them, or everything wrong with them. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Where a tree stands in the configuration: how messages about it begin. */
export interface DecodeContext {
  /** Keys that lead to the tree, such as `['processors', 'batch']`. */
  readonly path: readonly string[];
  /** Begins decoding errors, such as `error decoding 'processors': error reading configuration for "batch": `. */
  readonly decodePrefix: string;
}

/**
 * Turns a tree into settings. Two kindnesses of the reference's decoder are kept: a field of type string receives the text a
 * value was substituted from (`0123` stays `0123`), and an empty value (`tls:`) leaves the default in place.
 */
export function decode<T>(schema: z.ZodType<T>, node: ConfigNode, context: DecodeContext): Decoded<T> {
  const input = { root: typedInput(schema, node, []) };
  if (input.root === null) input.root = {};
  // Each round repairs every repairable issue; issues may surface in layers, as objects inside unions do.
  for (let round = 0; ; round++) {
    const parsed = schema.safeParse(input.root, { reportInput: true });
    if (parsed.success) return { ok: true, value: parsed.data };
    const leaves = parsed.error.issues.flatMap((issue) => flatten(issue, []));
    const repaired = leaves.filter((issue) => repair(input, node, issue)).length;
    if (repaired > 0 && round < 32) continue;
    const main = parsed.error.issues.flatMap(mostLikely);
    return { ok: false, problems: main.map((issue) => describe(schema, node, issue, context)) };
  }
}

/** Plain data, with whole numbers as `bigint` where the schema wants to tell them from floats. */
function typedInput(schema: z.ZodType, node: ConfigNode, path: readonly PropertyKey[]): PlainValue {
  if (node.kind === 'list') return node.items.map((item, index) => typedInput(schema, item, [...path, index]));
  if (node.kind === 'scalar') {
    const whole = typeof node.value === 'number' && Number.isInteger(node.value) && node.float !== true;
    return whole && wantsTypes(schema, path) ? BigInt(node.value as number) : node.value;
  }
  const object: { [key: string]: PlainValue } = {};
  for (const [key, { value }] of node.entries) defineOwn(object, key, typedInput(schema, value, [...path, key]));
  return object;
}

type Issue = z.core.$ZodIssue;

/** Every issue, those of each branch of a union included, with full paths. */
function flatten(issue: Issue, prefix: readonly PropertyKey[]): Issue[] {
  const path = [...prefix, ...issue.path];
  const own = { ...issue, path };
  if (issue.code !== 'invalid_union') return [own];
  return [own, ...issue.errors.flatMap((branch) => branch.flatMap((inner) => flatten(inner, path)))];
}

/** Of a union's branches, the one that got furthest explains best, unless the union has words of its own. */
function mostLikely(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input' || issue.errors.length === 0) return [issue];
  const depth = (branch: readonly Issue[]) => Math.max(0, ...branch.map((inner) => inner.path.length));
  const best = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]!;
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(mostLikely);
}

function repair(input: { root: PlainValue }, node: ConfigNode, issue: Issue): boolean {
  if (issue.code !== 'invalid_type') return false;
  const current = valueAt(input.root, issue.path);
  const origin = nodeAt(node, issue.path);
  if (
    issue.expected === 'string' &&
    origin?.kind === 'scalar' &&
    origin.text !== undefined &&
    typeof current !== 'string'
  ) {
    return setAt(input, issue.path, origin.text);
  }
  if (current !== null) return false;
  if (issue.expected === 'object' || issue.expected === 'record') return setAt(input, issue.path, {});
  return setAt(input, issue.path, undefined);
}

function valueAt(root: PlainValue, path: readonly PropertyKey[]): PlainValue | undefined {
  let at: PlainValue | undefined = root;
  for (const step of path) {
    if (at === null || typeof at !== 'object') return undefined;
    at = Array.isArray(at) ? at[Number(step)] : Object.hasOwn(at, step) ? at[String(step)] : undefined;
  }
  return at;
}

/** Replaces the value at `path`; undefined removes it from its map, so that the schema's default applies. */
function setAt(input: { root: PlainValue }, path: readonly PropertyKey[], value: PlainValue | undefined): boolean {
  const last = path.at(-1);
  if (last === undefined) {
    if (value === undefined) return false;
    input.root = value;
    return true;
  }
  const parent = valueAt(input.root, path.slice(0, -1));
  if (parent === null || typeof parent !== 'object') return false;
  if (Array.isArray(parent)) {
    if (value === undefined) return false;
    parent[Number(last)] = value;
  } else if (value === undefined) delete parent[String(last)];
  else parent[String(last)] = value;
  return true;
}

function describe(schema: z.ZodType, node: ConfigNode, issue: Issue, context: DecodeContext): Problem {
  const steps = issue.path.map(String);
  const path = [...context.path, ...steps];
  const violated = issue.code === 'custom' && issue.params?.['decode'] !== true;
  if (violated) {
    return problemAt('validate', `${[...context.path, ...steps].join('::')}: ${issue.message}`, path, node, issue.path);
  }
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    const hints = issue.keys.map((key) => didYouMean(key, known)).join('');
    const message = `${context.decodePrefix}'${fieldName(issue.path)}' has invalid keys: ${issue.keys.toSorted().join(', ')}${hints}`;
    return problemAt('decode', message, [...path, issue.keys[0] ?? ''], node, [...issue.path, issue.keys[0] ?? '']);
  }
  const message = `${context.decodePrefix}'${fieldName(issue.path)}' ${explain(issue, nodeAt(node, issue.path))}`;
  return problemAt('decode', message, path, node, issue.path);
}

function problemAt(
  phase: 'decode' | 'validate',
  message: string,
  path: readonly string[],
  node: ConfigNode,
  at: readonly PropertyKey[],
): Problem {
  const position = positionAt(node, at);
  return { phase, severity: 'error', message, path, ...(position === undefined ? {} : { position }) };
}

/** `protocols.grpc`, `policies[0].name`, and nothing at the top. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, step) =>
      typeof step === 'number' ? `${name}[${step}]` : name === '' ? String(step) : `${name}.${String(step)}`,
    '',
  );
}

const expectedNames: Readonly<Record<string, string>> = {
  boolean: 'bool',
  object: 'map',
  record: 'map',
  array: 'list',
};

function explain(issue: Issue, value: ConfigNode | undefined): string {
  const seen = value === undefined ? '' : `, got unconvertible type '${typeName(value)}', value: '${shown(value)}'`;
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return `is required: expected type '${expectedNames[issue.expected] ?? issue.expected}'`;
      return `expected type '${expectedNames[issue.expected] ?? issue.expected}'${seen}`;
    case 'invalid_union':
      return issue.message.startsWith('expected type') ? `${issue.message}${seen}` : issue.message;
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const typed = value?.kind === 'scalar' ? String(value.value) : '';
      return `has unsupported value ${JSON.stringify(typed)}; valid values are: ${allowed.join(', ')}${didYouMean(typed, allowed)}`;
    }
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'greater than' : 'at least'} ${issue.minimum}${seen}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${seen}`;
    default:
      return issue.message;
  }
}

function typeName(node: ConfigNode): string {
  if (node.kind !== 'scalar') return node.kind;
  if (node.value === null) return 'null';
  if (typeof node.value === 'number') return Number.isInteger(node.value) ? 'int' : 'float64';
  return { string: 'string', boolean: 'bool', bigint: 'int' }[typeof node.value as 'string' | 'boolean' | 'bigint'];
}

/** A value in a message: short, and never one that was substituted, which may be a secret. */
function shown(node: ConfigNode): string {
  if (node.kind !== 'scalar') return '…';
  if (node.text !== undefined) return '(substituted)';
  const text = String(node.value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
