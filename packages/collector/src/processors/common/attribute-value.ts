import { ValueType, isArray, valueTypeOf } from '@clew/model';
import type { AttributeCursor, AttributeValue, SpanBatch } from '@clew/model';

/**
 * A value from a configuration (`typedValue()`) as an attribute value: whole numbers came as `bigint`, floats as numbers; maps
 * become key-value lists.
 */
export function configuredValue(value: unknown): AttributeValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value;
  if (Array.isArray(value)) return value.map(configuredValue);
  const entries = Object.entries(value as Record<string, unknown>);
  return { entries: entries.map(([key, child]) => ({ key, value: configuredValue(child) })) };
}

/** The name of a value's type, as the reference collector writes it. */
export function typeName(value: AttributeValue): string {
  return ['Empty', 'Str', 'Bool', 'Int', 'Double', 'Slice', 'Map', 'Bytes'][valueTypeOf(value)]!;
}

/** A double in its shortest decimal form, without an exponent. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? sign + digits.padEnd(point, '0')
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The text of a scalar value; undefined for what has none (empty, bytes, arrays, maps). */
export function scalarText(value: AttributeValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return doubleText(value);
    default:
      return undefined;
  }
}

/** The text of any value: scalars as they are, bytes as base64, arrays and maps as JSON, empty as the empty text. */
export function valueText(value: AttributeValue): string {
  const scalar = scalarText(value);
  if (scalar !== undefined) return scalar;
  if (value === null) return '';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return JSON.stringify(jsonOf(value));
}

function jsonOf(value: AttributeValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isArray(value)) return value.map(jsonOf);
  return Object.fromEntries(value.entries.map(({ key, value: child }) => [key, jsonOf(child)]));
}

/** Whether the cursor's current value is a string with exactly these bytes. */
export function isStringOf(batch: SpanBatch, attributes: AttributeCursor, bytes: Uint8Array): boolean {
  if (attributes.type !== ValueType.STRING || attributes.hi !== bytes.length) return false;
  const { heap } = batch;
  for (let i = 0; i < bytes.length; i++) if (heap[attributes.lo + i] !== bytes[i]) return false;
  return true;
}
