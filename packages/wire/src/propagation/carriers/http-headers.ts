import { hasPrefix, joinedTexts, sameName } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';
import { recordCarrier } from './record.ts';

/** Headers as a plain object, as HTTP clients and servers take and give them. */
export type HeaderObject = Record<string, unknown>;

/** Header objects whose names may be written in any case; names that differ in case only are one header sent twice. */
export const httpHeaders: CarrierAccess<HeaderObject> = {
  get(headers, name) {
    let found: string | undefined;
    for (const key in headers) {
      if (!sameName(key, name)) continue;
      const value = valueOf(headers[key]);
      if (value !== undefined) found = found === undefined ? value : `${found},${value}`;
    }
    return found;
  },
  each(headers, prefix, visit, state) {
    for (const key in headers) {
      if (!hasPrefix(key, prefix)) continue;
      const value = valueOf(headers[key]);
      if (value !== undefined) visit(key.slice(prefix.length), value, state);
    }
  },
  set(headers, name, value) {
    httpHeaders.remove(headers, name);
    headers[name] = value;
    return true;
  },
  remove(headers, name) {
    for (const key in headers) if (sameName(key, name)) delete headers[key];
  },
};

/** Header objects whose names are in lower case already, such as `request.headers` of `node:http` and `node:http2`: one look-up. */
export const lowerCaseHeaders: CarrierAccess<HeaderObject> = recordCarrier({ read: valueOf });

function valueOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? joinedTexts(value) : undefined;
}
