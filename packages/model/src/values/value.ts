import { ValueType } from '../batch/attribute-table.ts';

/**
 * An attribute's value outside a batch.
 *
 * | OTLP | here |
 * | --- | --- |
 * | empty | `null` |
 * | string | `string` (lossless text, see `text.ts`) |
 * | bool | `boolean` |
 * | int | `bigint`, -2^63 to 2^63 - 1 |
 * | double | `number` |
 * | array | array |
 * | kvlist | {@link KeyValueList} |
 * | bytes | `Uint8Array` |
 */
export type AttributeValue =
  null | string | boolean | bigint | number | Uint8Array | readonly AttributeValue[] | KeyValueList;

/** A nested map of attributes: order and duplicate keys are kept as sent. */
export interface KeyValueList {
  readonly entries: readonly KeyValue[];
}

/** One attribute. */
export interface KeyValue {
  readonly key: string;
  readonly value: AttributeValue;
}

/** Which type of the wire format `value` is. */
export function valueTypeOf(value: AttributeValue): ValueType {
  switch (typeof value) {
    case 'string':
      return ValueType.STRING;
    case 'boolean':
      return ValueType.BOOL;
    case 'bigint':
      return ValueType.INT;
    case 'number':
      return ValueType.DOUBLE;
    default:
      if (value === null) return ValueType.EMPTY;
      if (value instanceof Uint8Array) return ValueType.BYTES;
      return isArray(value) ? ValueType.ARRAY : ValueType.KVLIST;
  }
}

/** Whether two values are the same: type, order, duplicates; doubles by their bits' meaning (NaN equals NaN, -0 differs from 0). */
export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  const type = valueTypeOf(a);
  if (type !== valueTypeOf(b)) return false;
  switch (type) {
    case ValueType.BYTES:
      return equalBytes(a as Uint8Array, b as Uint8Array);
    case ValueType.ARRAY:
      return equalArrays(a as readonly AttributeValue[], b as readonly AttributeValue[]);
    case ValueType.KVLIST:
      return equalKeyValues((a as KeyValueList).entries, (b as KeyValueList).entries);
    default:
      return Object.is(a, b);
  }
}

/** Whether two attribute lists are the same, in order. */
export function equalKeyValues(a: readonly KeyValue[], b: readonly KeyValue[]): boolean {
  return (
    a.length === b.length && a.every((entry, i) => entry.key === b[i]!.key && equalValues(entry.value, b[i]!.value))
  );
}

function equalArrays(a: readonly AttributeValue[], b: readonly AttributeValue[]): boolean {
  return a.length === b.length && a.every((value, i) => equalValues(value, b[i]!));
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** `Array.isArray` for a union with a readonly array in it. */
export function isArray(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
