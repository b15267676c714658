import type { AttributeCursor } from '../batch/attribute-cursor.ts';
import { ValueType } from '../batch/attribute-table.ts';

/** A value where it lies in a batch: see `AttributeTable` for the words. */
export interface StoredValue {
  readonly heap: Uint8Array;
  readonly type: number;
  readonly lo: number;
  readonly hi: number;
}

/** Where the cursor's current value lies. */
export function storedValueOf(heap: Uint8Array, { type, lo, hi }: AttributeCursor): StoredValue {
  return { heap, type, lo, hi };
}

/** Whether the cursor's current value, in a batch with this heap, is the same as a stored one; nothing is decoded. */
export function isSameValue(known: StoredValue, heap: Uint8Array, { type, lo, hi }: AttributeCursor): boolean {
  if (known.type !== type || known.hi !== hi) return false;
  const isBytes =
    type === ValueType.STRING || type === ValueType.BYTES || type === ValueType.ARRAY || type === ValueType.KVLIST;
  if (!isBytes) return known.lo === lo;
  for (let i = 0; i < hi; i++) if (known.heap[known.lo + i] !== heap[lo + i]) return false;
  return true;
}
