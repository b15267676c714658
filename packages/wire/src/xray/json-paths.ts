import { JsonNumber, JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';

/** A member's place in a document: the names of the objects it lies in, then its own. */
export type JsonPath = readonly string[];

/** The path written as `http.request.method`. */
export function jsonPath(dotted: string): JsonPath {
  return dotted.split('.');
}

/** The value at `path`, `undefined` when there is none. */
export function valueAt(object: JsonObject, path: JsonPath): Json | undefined {
  return parentAt(object, path)?.get(path.at(-1)!);
}

/** Removes the value at `path`. */
export function removeAt(object: JsonObject, path: JsonPath): void {
  parentAt(object, path)?.members.delete(path.at(-1)!);
}

/** Sets the value at `path`, making the objects it lies in; a value of another kind in the way is replaced. */
export function setAt(object: JsonObject, path: JsonPath, value: Json): void {
  let parent = object;
  for (const name of path.slice(0, -1)) parent = objectIn(parent, name);
  parent.set(path.at(-1)!, value);
}

/** The object that is member `name`, made when there is none. */
export function objectIn(parent: JsonObject, name: string): JsonObject {
  const found = parent.get(name);
  if (found instanceof JsonObject) return found;
  const made = new JsonObject();
  parent.set(name, made);
  return made;
}

/** The object the member at `path` lies in, `undefined` when there is none. */
export function parentAt(object: JsonObject, path: JsonPath): JsonObject | undefined {
  let parent = object;
  for (const name of path.slice(0, -1)) {
    const next = parent.get(name);
    if (!(next instanceof JsonObject)) return undefined;
    parent = next;
  }
  return parent;
}

/** Puts the members of `source` into `target`, objects into objects; on conflict `source` wins. */
export function mergeInto(target: JsonObject, source: JsonObject): void {
  for (const [name, value] of source.members) {
    const present = target.get(name);
    if (value instanceof JsonObject && present instanceof JsonObject) mergeInto(present, value);
    else target.set(name, value);
  }
}

/**
 * A value without members that hold nothing (`null`, empty arrays and objects), the others in the order of their names; `undefined` when it
 * holds nothing itself.
 */
export function pruned(value: Json): Json | undefined {
  if (value === null) return undefined;
  if (isJsonArray(value)) return value.length === 0 ? undefined : value;
  if (!(value instanceof JsonObject)) return value;
  const kept: [string, Json][] = [];
  for (const name of [...value.members.keys()].sort()) {
    const member = value.get(name)!;
    const rest = pruned(member);
    if (rest !== undefined) kept.push([name, rest]);
  }
  return kept.length === 0 ? undefined : new JsonObject(kept, value.offset);
}

/** The value as text when it is one. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value as a number of JavaScript's precision when it is a number. */
export function numberOf(value: Json | undefined): number | undefined {
  return value instanceof JsonNumber ? Number(value.text) : undefined;
}
