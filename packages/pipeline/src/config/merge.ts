import { mapNode } from './node.ts';
import type { ConfigNode, MapEntry } from './node.ts';

/** How sources are merged. */
export interface MergeOptions {
  /** Lists under `service` append instead of replacing (feature gate `confmap.enableMergeAppendOption`). */
  readonly appendServiceLists?: boolean;
}

/**
 * `later` over `earlier`: maps merge key by key, everything else, null included, replaces what was there.
 */
export function mergeNodes(earlier: ConfigNode, later: ConfigNode, options: MergeOptions = {}): ConfigNode {
  return merge(earlier, later, [], options);
}

function merge(earlier: ConfigNode, later: ConfigNode, path: readonly string[], options: MergeOptions): ConfigNode {
  if (
    earlier.kind === 'list' &&
    later.kind === 'list' &&
    options.appendServiceLists === true &&
    path[0] === 'service'
  ) {
    const known = new Set(earlier.items.map((item) => JSON.stringify(item.kind === 'scalar' ? item.value : item)));
    const added = later.items.filter((item) => item.kind !== 'scalar' || !known.has(JSON.stringify(item.value)));
    return { ...later, items: [...earlier.items, ...added] };
  }
  if (earlier.kind !== 'map' || later.kind !== 'map') return later;
  const entries = new Map<string, MapEntry>(earlier.entries);
  for (const [key, entry] of later.entries) {
    const before = entries.get(key);
    entries.set(
      key,
      before === undefined ? entry : { ...entry, value: merge(before.value, entry.value, [...path, key], options) },
    );
  }
  return mapNode(entries, later.position);
}
