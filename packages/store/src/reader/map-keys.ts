/**
 * Whether a map has a key; `k` is its placeholder. Reading keys alone is seven times faster than `mapContains` where an index is on the map. Neither that
 * nor the engine's `has` sees the empty text among texts with a dictionary (ClickHouse 26.7).
 */
export function hasKey(map: string, key: string, k: string): string {
  return key === '' ? `arrayExists(x -> x = ${k}, ${map}.keys)` : `has(${map}.keys, ${k})`;
}
