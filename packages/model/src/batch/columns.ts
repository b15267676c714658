/**
 * Growable typed-array columns. A hot path: `bench/codec` guards it. Growth doubles, so appending costs
 * amortised nothing per row, and no operation here allocates per row.
 */

/** Smallest capacity a column is given; keeps tiny batches from growing five times. */
export const INITIAL_ROWS = 16;

/** What columns are before their first row: one array for all, since a batch has dozens and an empty array is never written. */
export const noBytes: Uint8Array = new Uint8Array(0);
export const noWords: Uint32Array = new Uint32Array(0);
export const noInts: Int32Array = new Int32Array(0);

/** The capacity to grow to so that `needed` rows fit. */
export function grownCapacity(current: number, needed: number): number {
  let capacity = Math.max(current, INITIAL_ROWS);
  while (capacity < needed) capacity *= 2;
  return capacity;
}

/** A copy of `column` with room for `length` elements. */
export function grownU8(column: Uint8Array, length: number): Uint8Array {
  const grown = new Uint8Array(length);
  grown.set(column);
  return grown;
}

/** A copy of `column` with room for `length` elements. */
export function grownU32(column: Uint32Array, length: number): Uint32Array {
  const grown = new Uint32Array(length);
  grown.set(column);
  return grown;
}

/** A copy of `column` with room for `length` elements. */
export function grownI32(column: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(column);
  return grown;
}

/** Copies `length` bytes. Short runs are copied by a loop: creating a view costs more than they do. */
export function copyBytes(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  if (length > 48) {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
    return;
  }
  for (let i = 0; i < length; i++) target[targetOffset + i] = source[sourceOffset + i]!;
}

/** Whether `length` bytes of two arrays are the same. */
export function equalBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/**
 * The same bytes as a plain `Uint8Array`. Node's `Buffer` is a subclass whose `slice` gives a view where `Uint8Array`'s gives a copy, so
 * whoever means to copy must not hold one; engines also run faster when a column always has one class.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
