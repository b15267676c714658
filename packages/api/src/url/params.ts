/** Parameters of a link that this version does not know: kept in place of being dropped. */
export type UnknownParams = readonly (readonly [name: string, value: string])[];

/** The parameters of a query string that are not in `known`, sorted by name so that equal screens have equal links. */
export function unknownParams(params: URLSearchParams, known: readonly string[]): UnknownParams {
  const names = new Set(known);
  const unknown = [...params].filter(([name]) => !names.has(name) && name !== 'v');
  return unknown.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Writes a query string in the given order, leaving out undefined values, then the unknown ones. Characters
 * that are safe in a query stay readable, so that a link can be read in a chat.
 */
export function formatQuery(
  entries: readonly (readonly [name: string, value: string | undefined])[],
  unknown: UnknownParams = [],
): string {
  const parts: string[] = [];
  for (const [name, value] of [...entries, ...unknown]) {
    if (value !== undefined) parts.push(`${encodeReadable(name)}=${encodeReadable(value)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function encodeReadable(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/%(2C|3A|2F|40|24|7E|28|29)/g, decodeURIComponent);
}

/** The value of a parameter when it is one of the allowed words, else the default. */
export function wordParam<T extends string>(
  params: URLSearchParams,
  name: string,
  words: readonly T[],
  fallback: T,
): T {
  const value = params.get(name) as T | null;
  return value !== null && words.includes(value) ? value : fallback;
}

/** A whole number within bounds, else undefined. */
export function countParam(params: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const text = params.get(name);
  if (text === null || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** A comma-separated list without empty entries and repetitions. */
export function listParam(params: URLSearchParams, name: string): readonly string[] {
  return [...new Set((params.get(name) ?? '').split(',').filter((entry) => entry !== ''))];
}

/** Splits an address into its path and its parameters; a fragment is dropped. */
export function splitAddress(address: string): readonly [path: string, params: URLSearchParams] {
  const withoutFragment = address.split('#', 1)[0] ?? '';
  const mark = withoutFragment.indexOf('?');
  if (mark < 0) return [withoutFragment, new URLSearchParams()];
  return [withoutFragment.slice(0, mark), new URLSearchParams(withoutFragment.slice(mark + 1))];
}
