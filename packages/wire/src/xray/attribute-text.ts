import type { AttributeValue } from '@clew/model';

/** The value as text: text that is not empty, or a number's digits. */
export function textOfValue(value: AttributeValue | undefined): string | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The texts of a list, or of one text. */
export function textsOfValue(value: AttributeValue | undefined): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Array.isArray(value) ? value.filter((element) => typeof element === 'string') : [];
}

/** The value as a number when it is one. */
export function numberOfValue(value: AttributeValue | undefined): number | undefined {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined;
}
