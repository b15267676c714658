import type { Details } from './protocol.ts';

/** Figures that are settings or addresses, not counts: equal in all workers, and not to be added up. */
const notAdded = /^(port|pid|(max|min|soft|hard)[A-Z].*|.*(Limit|TimeoutMs|IntervalMs|Capacity))$/;

/**
 * The snapshots of one component in several workers as one: counts add up, of what carries a time the newest wins, of everything
 * else the first.
 */
export function mergeDetails(parts: readonly Details[]): Details {
  return mergeObjects(parts);
}

function mergeObjects(objects: readonly Details[]): Details {
  if (objects.some((object) => typeof object['atUnixMs'] === 'number')) return newest(objects);
  const merged: Record<string, unknown> = {};
  for (const name of new Set(objects.flatMap((object) => Object.keys(object)))) {
    const values = objects.map((object) => object[name]).filter((value) => value !== undefined);
    merged[name] = notAdded.test(name) ? values[0] : merge(values);
  }
  return merged;
}

function merge(values: readonly unknown[]): unknown {
  if (values.every((value) => typeof value === 'number')) return values.reduce((sum, value) => sum + value, 0);
  if (values.every((value) => typeof value === 'bigint')) return values.reduce((sum, value) => sum + value, 0n);
  if (values.every((value) => Array.isArray(value))) return mergeLists(values);
  if (values.every(isObject)) return mergeObjects(values);
  return values[0];
}

/** Lists of objects are merged by position; others are the same everywhere. */
function mergeLists(lists: readonly (readonly unknown[])[]): unknown {
  if (!lists.flat().every(isObject)) return lists[0];
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, at) => merge(lists.flatMap((list) => (at < list.length ? [list[at]] : []))));
}

function newest(objects: readonly Details[]): Details {
  const time = (object: Details): number => Number(object['atUnixMs'] ?? 0);
  return objects.reduce((best, object) => (time(object) > time(best) ? object : best));
}

function isObject(value: unknown): value is Details {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** What of a snapshot outlives its worker: the totals of each listener, so that they never go down. */
export function lastingDetails({ listeners }: Details): Details {
  if (!Array.isArray(listeners)) return {};
  return {
    listeners: listeners.map((listener: unknown) => ({ counters: isObject(listener) ? listener['counters'] : {} })),
  };
}
