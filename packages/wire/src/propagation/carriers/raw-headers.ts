import { hasPrefix, sameName } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';

/**
 * A flat list of names and values by turns, in the order and spelling they came in: `rawHeaders` of `node:http`. What a proxy
 * forwards. Hot path, guarded by `bench/propagation`.
 */
export const rawHeaders: CarrierAccess<string[]> = {
  get(headers, name) {
    let found: string | undefined;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      if (!sameName(headers[i]!, name)) continue;
      const value = headers[i + 1]!;
      found = found === undefined ? value : `${found},${value}`;
    }
    return found;
  },
  each(headers, prefix, visit, state) {
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i]!;
      if (hasPrefix(name, prefix)) visit(name.slice(prefix.length), headers[i + 1]!, state);
    }
  },
  /** The first occurrence keeps its place and spelling; a new header goes to the end. */
  set(headers, name, value) {
    for (let i = 0; i + 1 < headers.length; i += 2) {
      if (!sameName(headers[i]!, name)) continue;
      headers[i + 1] = value;
      removeFrom(headers, name, i + 2);
      return true;
    }
    headers.push(name, value);
    return true;
  },
  remove(headers, name) {
    removeFrom(headers, name, 0);
  },
};

/** Removes `name` from index `start` on, closing the gaps. */
function removeFrom(headers: string[], name: string, start: number): void {
  let kept = start;
  for (let i = start; i + 1 < headers.length; i += 2) {
    if (sameName(headers[i]!, name)) continue;
    if (kept !== i) {
      headers[kept] = headers[i]!;
      headers[kept + 1] = headers[i + 1]!;
    }
    kept += 2;
  }
  if (kept < headers.length) headers.length = kept;
}
