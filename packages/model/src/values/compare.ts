import { shownForm } from './json.ts';
import type { AttributeValue } from './value.ts';

/**
 * Whether two values are equal as people mean it when they search: numbers by their value whatever their type (clients send one
 * attribute as integer, double and text), booleans also by their text, strings by their text. Integers are never rounded.
 */
export function equalInSearch(a: AttributeValue, b: AttributeValue): boolean {
  const x = numberOf(a);
  const y = numberOf(b);
  if (x !== undefined && y !== undefined) return !(x < y) && !(x > y);
  const text = textOf(a);
  return text !== undefined && text === textOf(b);
}

/** The number a value is or spells; `undefined` when it is none. Decimal notation only: no hexadecimal, no blanks. */
export function numberOf(value: AttributeValue): bigint | number | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
  if (typeof value !== 'string') return undefined;
  if (/^[+-]?\d{1,40}$/.test(value)) return BigInt(value.replace(/^\+/, ''));
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : undefined;
}

function textOf(value: AttributeValue): string | undefined {
  if (typeof value === 'string') return shownForm(value);
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
}
