import type { SourcePosition } from './problem.ts';

/**
 * A configuration as a tree of values that remember where they were written. Sources become such trees, which are merged,
 * expanded, and only then turned into plain values for the schemas.
 */
export type ConfigNode = MapNode | ListNode | ScalarNode;

/** What a scalar can be; integers beyond 2^53 are `bigint`. */
export type ScalarValue = string | number | bigint | boolean | null;

/** A leaf. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: ScalarValue;
  /** The text a value was substituted from: what a field of type string receives, whatever the text means in YAML. */
  readonly text?: string;
  /** True for a whole number that was written as a float, such as `1.0`. */
  readonly float?: boolean;
  readonly position: SourcePosition;
}

/** An ordered list. */
export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly position: SourcePosition;
}

/** A value and the place of its key. */
export interface MapEntry {
  readonly keyPosition: SourcePosition;
  readonly value: ConfigNode;
}

/** A map in the order it was written. */
export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly position: SourcePosition;
}

/** Plain data as the schemas take it. */
export type PlainValue = ScalarValue | PlainValue[] | { [key: string]: PlainValue };

/** The plain data of a tree. */
export function toPlainValue(node: ConfigNode): PlainValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlainValue);
  const object: { [key: string]: PlainValue } = {};
  for (const [key, { value }] of node.entries) defineOwn(object, key, toPlainValue(value));
  return object;
}

/** Sets a property. Defined, not assigned: a key named `__proto__` must stay data. */
export function defineOwn(object: { [key: string]: PlainValue }, key: string, value: PlainValue): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The node `path` leads to, or undefined. */
export function nodeAt(node: ConfigNode | undefined, path: readonly PropertyKey[]): ConfigNode | undefined {
  let at = node;
  for (const step of path) {
    if (at?.kind === 'map') at = at.entries.get(String(step))?.value;
    else if (at?.kind === 'list') at = at.items[Number(step)];
    else return undefined;
  }
  return at;
}

/** Where `path` was written; when it leads nowhere, where the part that exists was. Keys count, not their values. */
export function positionAt(node: ConfigNode | undefined, path: readonly PropertyKey[]): SourcePosition | undefined {
  let at = node;
  let position = node?.position;
  for (const step of path) {
    const entry = at?.kind === 'map' ? at.entries.get(String(step)) : undefined;
    at = at?.kind === 'list' ? at.items[Number(step)] : entry?.value;
    if (at === undefined) return position;
    position = entry?.keyPosition ?? at.position;
  }
  return position;
}

/** A map node from entries. */
export function mapNode(entries: Iterable<readonly [string, MapEntry]>, position: SourcePosition): MapNode {
  return { kind: 'map', entries: new Map(entries), position };
}

/** A tree for plain data that came from no text; every node is placed at `position`. */
export function fromPlainValue(value: PlainValue, position: SourcePosition): ConfigNode {
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item) => fromPlainValue(item, position)), position };
  if (value === null || typeof value !== 'object') return { kind: 'scalar', value, position };
  const entries = Object.entries(value).map(
    ([key, child]) => [key, { keyPosition: position, value: fromPlainValue(child, position) }] as const,
  );
  return mapNode(entries, position);
}
