import { grownCapacity, grownU32, grownU8, noBytes, noWords } from './columns.ts';

/**
 * How an attribute's value lies in `lo` and `hi`:
 *
 * | type | lo | hi |
 * | --- | --- | --- |
 * | EMPTY | 0 | 0 |
 * | STRING, BYTES | offset into the batch's heap | length |
 * | BOOL | 0 or 1 | 0 |
 * | INT | low 32 bits of the two's complement | high 32 bits |
 * | DOUBLE | low 32 bits of the IEEE 754 form | high 32 bits |
 * | ARRAY, KVLIST | offset into the heap of the encoded value | length |
 *
 * ARRAY and KVLIST values are kept encoded, as the body of an OTLP `ArrayValue` or `KeyValueList` message
 * (opentelemetry/proto/common/v1/common.proto): they are rare, nested without limit, and mostly passed on.
 */
export const ValueType = Object.freeze({
  EMPTY: 0,
  STRING: 1,
  BOOL: 2,
  INT: 3,
  DOUBLE: 4,
  ARRAY: 5,
  KVLIST: 6,
  BYTES: 7,
} as const);
/** One of the value types an attribute can have; the numbers are OTLP's `AnyValue` field numbers. */
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** Whether values of this type lie in the heap, with `lo` and `hi` their offset and length. */
export function isHeapType(type: number): boolean {
  return type === ValueType.STRING || type >= ValueType.ARRAY;
}

/**
 * Attributes of one level (span, event, link, scope or resource) of a batch, in the order they arrived,
 * duplicates kept. The owner's rows say which run of attributes is theirs.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class AttributeTable {
  count = 0;
  /** Index of the key in the batch's string table. */
  keys: Uint32Array = noWords;
  types: Uint8Array = noBytes;
  lo: Uint32Array = noWords;
  hi: Uint32Array = noWords;

  /** Forgets the rows and keeps the buffers. */
  clear(): void {
    this.count = 0;
  }

  /** Takes over the rows and buffers of `other`, which must not be used any more. */
  take(other: AttributeTable): void {
    this.count = other.count;
    this.keys = other.keys;
    this.types = other.types;
    this.lo = other.lo;
    this.hi = other.hi;
  }

  /** Makes room for `rows` further attributes. */
  reserve(rows: number): void {
    const needed = this.count + rows;
    if (needed <= this.types.length) return;
    const capacity = grownCapacity(this.types.length, needed);
    this.keys = grownU32(this.keys, capacity);
    this.types = grownU8(this.types, capacity);
    this.lo = grownU32(this.lo, capacity);
    this.hi = grownU32(this.hi, capacity);
  }

  /** Appends one attribute; see {@link ValueType} for `lo` and `hi`. */
  push(key: number, type: number, lo: number, hi: number): void {
    const row = this.count;
    if (row === this.types.length) this.reserve(1);
    this.keys[row] = key;
    this.types[row] = type;
    this.lo[row] = lo;
    this.hi[row] = hi;
    this.count = row + 1;
  }
}
