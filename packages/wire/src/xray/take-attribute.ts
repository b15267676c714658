import type { AttributeValue } from '@clew/model';
import { attributeOfJson } from './json-values.ts';
import { JsonNumber, JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { parentAt } from './json-paths.ts';
import type { JsonPath } from './json-paths.ts';

/**
 * The attribute value of the member at `path`: a scalar or a list of scalars; `undefined` when there is none. The member is removed when
 * encoding the value gives it back, and stays beside the value otherwise (a number too large for any type, which becomes text).
 */
export function takeAttribute(object: JsonObject, path: JsonPath): AttributeValue | undefined {
  const parent = parentAt(object, path);
  const name = path.at(-1)!;
  const member = parent?.get(name);
  const value = member === undefined ? undefined : attributeOfJson(member);
  if (member === undefined || value === undefined) return undefined;
  if (givesBack(value, member)) parent!.members.delete(name);
  return value ?? undefined;
}

/** Takes every member of an object that {@link takeAttribute} can. */
export function takeAttributes(object: Json | undefined, take: (key: string, value: AttributeValue) => void): void {
  if (!(object instanceof JsonObject)) return;
  for (const key of object.members.keys()) {
    const value = takeAttribute(object, [key]);
    if (value !== undefined) take(key, value);
  }
}

function givesBack(value: AttributeValue, member: Json): boolean {
  if (member instanceof JsonNumber) return typeof value !== 'string';
  if (!isJsonArray(member)) return true;
  const elements = value as readonly AttributeValue[];
  return member.every((element, at) => givesBack(elements[at]!, element));
}
