import { isArray, valueTypeOf } from '@clew/model';
import type { AttributeValue, KeyValue } from '@clew/model';

const typeNames = ['Empty', 'Str', 'Bool', 'Int', 'Double', 'Slice', 'Map', 'Bytes'];

/** `Type(value)`, as the detailed form prints attributes. */
export function typedText(value: AttributeValue): string {
  return `${typeNames[valueTypeOf(value)]}(${plainText(value)})`;
}

/** A value on one line: scalars as they are, bytes in hex, lists and maps as JSON. */
export function plainText(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return JSON.stringify(jsonOf(value));
}

/** `key=value key=value`. */
export function pairsText(attributes: readonly KeyValue[]): string {
  return attributes.map(({ key, value }) => `${key}=${plainText(value)}`).join(' ');
}

function jsonOf(value: AttributeValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  // JSON has no 64-bit integers: those that a double cannot carry are printed as text.
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (isArray(value)) return value.map(jsonOf);
  return Object.fromEntries(value.entries.map(({ key, value: child }) => [key, jsonOf(child)]));
}
