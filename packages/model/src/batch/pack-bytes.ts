import { IdMode, PackCount } from './pack-format.ts';
import type { SpanBatch } from './span-batch.ts';

/** The small steps of packing: id columns and number columns as bytes. Hot paths, guarded by `bench/batch`. */

/** The bytes of id column `column` of a batch. */
export function idColumn(batch: SpanBatch, column: number): Uint8Array {
  if (column === 0) return batch.traceIds;
  if (column === 1) return batch.spanIds;
  if (column === 2) return batch.parentIds;
  return column === 3 ? batch.links.traceIds : batch.links.spanIds;
}

/** How long id column `column` is in this mode. */
export function idBytes(column: number, mode: number, counts: Uint32Array): number {
  if (mode === IdMode.ABSENT) return 0;
  const size = column === 0 || column === 3 ? 16 : 8;
  if (mode === IdMode.CONSTANT) return size;
  return size * counts[column < 3 ? PackCount.SPANS : PackCount.LINKS]!;
}

/** How the ids of a column are best kept. */
export function idMode(ids: Uint8Array, count: number, size: number): number {
  if (count === 0) return IdMode.ABSENT;
  let nonZero = 0;
  for (let i = 0; i < size; i++) nonZero |= ids[i]!;
  for (let i = size; i < count * size; i++) if (ids[i] !== ids[i - size]) return IdMode.EACH;
  return nonZero === 0 ? IdMode.ABSENT : IdMode.CONSTANT;
}

/** Writes `count` values little-endian, `width` bytes each, and returns the offset after them. */
export function writeNumbers(
  values: Uint32Array,
  count: number,
  width: number,
  target: Uint8Array,
  offset: number,
): number {
  let at = offset;
  if (width === 1) {
    for (let i = 0; i < count; i++) target[at++] = values[i]!;
  } else if (width === 2) {
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      target[at] = value;
      target[at + 1] = value >>> 8;
      at += 2;
    }
  } else if (width === 4) {
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      target[at] = value;
      target[at + 1] = value >>> 8;
      target[at + 2] = value >>> 16;
      target[at + 3] = value >>> 24;
      at += 4;
    }
  }
  return at;
}
