import { hasPrefix, joinedTexts, sameName, textOf } from './carrier.ts';
import type { CarrierAccess, CarrierVisitor } from './carrier.ts';

/** What is used of the `Headers` of fetch. */
export interface FetchHeaders {
  get(name: string): string | null;
  set(name: string, value: string): void;
  delete(name: string): void;
  forEach(visit: (value: string, name: string) => void): void;
}

/** `Headers` of fetch, which compare names in any case and join what is repeated themselves. */
export const fetchHeaders: CarrierAccess<FetchHeaders> = {
  get: (headers, name) => headers.get(name) ?? undefined,
  each: (headers, prefix, visit, state) => {
    headers.forEach((value, name) => {
      if (hasPrefix(name, prefix)) visit(name.slice(prefix.length), value, state);
    });
  },
  set: (headers, name, value) => {
    headers.set(name, value);
    return true;
  },
  remove: (headers, name) => headers.delete(name),
};

/** Values of a {@link headerMap}: text, bytes, or several of them. */
export type HeaderMap = Map<string, unknown>;

/** A `Map` from names in any case to values. */
export const headerMap: CarrierAccess<HeaderMap> = {
  get(headers, name) {
    let found: string | undefined;
    for (const [key, value] of headers) {
      if (!sameName(key, name)) continue;
      const text = valueOf(value);
      if (text !== undefined) found = found === undefined ? text : `${found},${text}`;
    }
    return found;
  },
  each<S>(headers: HeaderMap, prefix: string, visit: CarrierVisitor<S>, state: S) {
    for (const [key, value] of headers) {
      const text = hasPrefix(key, prefix) ? valueOf(value) : undefined;
      if (text !== undefined) visit(key.slice(prefix.length), text, state);
    }
  },
  set(headers, name, value) {
    headerMap.remove(headers, name);
    headers.set(name, value);
    return true;
  },
  remove(headers, name) {
    for (const key of headers.keys()) if (sameName(key, name)) headers.delete(key);
  },
};

function valueOf(value: unknown): string | undefined {
  return Array.isArray(value) ? joinedTexts(value) : textOf(value);
}
