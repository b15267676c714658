import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';
// Reading JSON that agents wrote. Missing and null are the same; a wrong type is an error that names the key.

/** A JSON object whose members have not been looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a payload that must be an object. Fails with `protocol`. */
export function parseObject(payload: Buffer, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    const shown = JSON.stringify(payload.toString('latin1', 0, 40));
    throw new GatewayError('protocol', `${what} is no JSON: it begins with ${shown}`, { cause });
  }
  return asObject(value, what);
}

/** The value as an object. */
export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrong(what, 'an object', value);
}

/** A member that is an object, when it is there. */
export function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  return value == null ? undefined : asObject(value, `"${key}"`);
}

/** A member that is a list; empty when it is missing. */
export function listAt(object: JsonObject, key: string): readonly unknown[] {
  const value = object[key];
  if (value == null) return [];
  if (!Array.isArray(value)) throw wrong(`"${key}"`, 'a list', value);
  return value as unknown[];
}

/** A member that is text, when it is there. */
export function textAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  if (value == null) return undefined;
  if (typeof value !== 'string') throw wrong(`"${key}"`, 'text', value);
  return value;
}

/** A member that is text and must be there. */
export function requiredText(object: JsonObject, key: string): string {
  const value = textAt(object, key);
  if (value === undefined) throw wrong(`"${key}"`, 'text', undefined);
  return value;
}

/** A member that is a number, when it is there. */
export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = object[key];
  if (value == null) return undefined;
  if (typeof value !== 'number') throw wrong(`"${key}"`, 'a number', value);
  return value;
}

/** A member that is true or false; false when it is missing. */
export function flagAt(object: JsonObject, key: string): boolean {
  const value = object[key];
  if (value == null) return false;
  if (typeof value !== 'boolean') throw wrong(`"${key}"`, 'true or false', value);
  return value;
}

/** A member that is a list of texts. */
export function textsAt(object: JsonObject, key: string): readonly string[] {
  return listAt(object, key).map((entry) => {
    if (typeof entry !== 'string') throw wrong(`an entry of "${key}"`, 'text', entry);
    return entry;
  });
}

/** A member that is an object of texts; numbers and truth values are written as text. */
export function textMapAt(object: JsonObject, key: string): Readonly<Record<string, string>> {
  const map = objectAt(object, key);
  if (map === undefined) return {};
  const entries = Object.entries(map).map(([name, value]): [string, string] => {
    if (typeof value === 'string') return [name, value];
    if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)];
    throw wrong(`"${name}" in "${key}"`, 'text', value);
  });
  return Object.fromEntries(entries);
}

/** The error for a member of the wrong type. */
export function wrong(what: string, expected: string, value: unknown): AgentError {
  const text = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
  return new GatewayError(
    'protocol',
    `the agent's answer cannot be used: ${what} should be ${expected}, but is ${text}`,
  );
}
