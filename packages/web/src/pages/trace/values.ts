import type { Attribute, TypedValue } from '@clew/api';
import { formatBytes } from '../../lib/format.ts';

/** A value as text: what a person copies. Objects and arrays become JSON, bytes base64. */
export function valueText(value: TypedValue): string {
  switch (value.type) {
    case 'string':
    case 'bytes':
    case 'int':
      return value.value;
    case 'double':
    case 'bool':
      return String(value.value);
    case 'array':
    case 'kvlist':
      return JSON.stringify(plain(value), undefined, 2);
    case 'empty':
      return '';
  }
}

/** A short note beside a value whose type is not plain from its text. */
export function valueNote(value: TypedValue): string | undefined {
  if (value.type === 'empty') return 'empty';
  if (value.type === 'bytes') return `${formatBytes(byteLength(value.value))}, base64`;
  return value.type === 'string' ? undefined : value.type;
}

function byteLength(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}

/** A value as ordinary JSON. Integers beyond 2^53 stay text, so that no digit is lost. */
export function plain(value: TypedValue): unknown {
  switch (value.type) {
    case 'array':
      return value.value.map(plain);
    case 'kvlist':
      return plainAttributes(value.value);
    case 'int':
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value;
    case 'empty':
      return null;
    default:
      return value.value;
  }
}

/** Attributes as an object; a repeated key becomes an array in the sender's order. */
export function plainAttributes(attributes: readonly Attribute[]): Record<string, unknown> {
  const repeated = new Map<string, unknown[]>();
  for (const { key, value } of attributes) repeated.set(key, [...(repeated.get(key) ?? []), plain(value)]);
  return Object.fromEntries([...repeated].map(([key, values]) => [key, values.length === 1 ? values[0] : values]));
}

/** Text worth showing on lines of its own: JSON is indented, anything else stays as it is. */
export function prettyText(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    // It only looked like JSON.
    return text;
  }
}

/** The lines of a stack trace, with runs of library frames folded into one entry. */
export function stackLines(stack: string): readonly { readonly text: string; readonly library: boolean }[] {
  const library =
    /node_modules|node:internal|site-packages|\/dist-packages\/|\/usr\/lib\/|(?:^|\s)at (?:java|javax|jdk|sun|org\.springframework|org\.apache)\.|<frozen /;
  return stack
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((text) => ({ text, library: library.test(text) }));
}
