import { shownText, bytesOfText } from '../text.ts';
import { isArray, type AttributeValue, type KeyValueList } from './value.ts';

/**
 * A value as canonical JSON text: equal values give equal text, so it serves as a grouping key as well as for display.
 * Integers are plain decimal digits however large; doubles as JavaScript prints them, `NaN` and infinities as strings; bytes as
 * base64; maps with sorted keys, of duplicates the last; invalid UTF-8 as U+FFFD; empty as `null`.
 */
export function canonicalJson(value: AttributeValue): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(shownForm(value));
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));
    default:
      if (value instanceof Uint8Array) return `"${base64Of(value)}"`;
      return isArray(value) ? `[${value.map(canonicalJson).join(',')}]` : canonicalMap(value);
  }
}

/** A value as one line of text: strings and bytes (base64) bare, empty as nothing, everything else as {@link canonicalJson}. */
export function valueText(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return shownForm(value);
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return base64Of(value);
  return canonicalJson(value);
}

/** Standard base64 with padding. */
export function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Lossless text as it is shown: what is not valid Unicode becomes U+FFFD. */
export function shownForm(text: string): string {
  return text.isWellFormed() ? text : shownText(bytesOfText(text));
}

function canonicalMap(map: KeyValueList): string {
  const last = new Map<string, AttributeValue>();
  for (const { key, value } of map.entries) last.set(shownForm(key), value);
  const keys = [...last.keys()].sort((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(last.get(key)!)}`).join(',')}}`;
}
