import { highWord, lowWord, type SpanBatch, ValueType, writeDoubleWords, type AttributeTable } from '@clew/model';

import { ByteSink } from '../block/byte-sink.ts';
import { Tag } from '../block/tagged-value.ts';
import { StoreError } from '../errors.ts';
import type { StringData } from './native-reader.ts';

/** Reads tagged values (`block/tagged-value.ts`) back into attributes of a batch. */

const latin = new TextDecoder('latin1');
const words = new Uint32Array(2);

/** Appends the tagged value `bytes[start, end)` as attribute `key` of a batch's table. Leaves repeat parts of other values and are passed over. */
export function pushTagged(
  batch: SpanBatch,
  table: AttributeTable,
  key: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const tag = bytes[start]!;
  const body = start + 1;
  switch (tag) {
    case Tag.STRING:
      return pushBytes(batch, table, key, ValueType.STRING, bytes, body, end);
    case Tag.BYTES:
      return pushBytes(batch, table, key, ValueType.BYTES, bytes, body, end);
    case Tag.ARRAY:
      return pushBytes(batch, table, key, ValueType.ARRAY, bytes, body, end);
    case Tag.KVLIST:
      return pushBytes(batch, table, key, ValueType.KVLIST, bytes, body, end);
    case Tag.EMPTY:
      return table.push(key, ValueType.EMPTY, 0, 0);
    case Tag.LEAF:
      return;
    case Tag.BOOL:
      return table.push(key, ValueType.BOOL, bytes[body] === 0x74 ? 1 : 0, 0);
    case Tag.INT: {
      const value = BigInt(latin.decode(bytes.subarray(body, end)));
      return table.push(key, ValueType.INT, lowWord(value), highWord(value));
    }
    case Tag.DOUBLE:
    case Tag.DOUBLE_BITS:
      readDouble(tag, latin.decode(bytes.subarray(body, end)));
      return table.push(key, ValueType.DOUBLE, words[0]!, words[1]!);
    default:
      throw unknownTag(tag);
  }
}

/** Appends a value that is bytes. */
export function pushBytes(
  batch: SpanBatch,
  table: AttributeTable,
  key: number,
  type: ValueType,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  table.push(key, type, batch.appendHeap(bytes, start, end), end - start);
}

/** Appends elements `[from, to)` as an array: the body of an OTLP `ArrayValue` message, encoded as every exporter does. */
export function pushElements(
  batch: SpanBatch,
  table: AttributeTable,
  key: number,
  elements: StringData,
  from: number,
  to: number,
): void {
  const array = new ByteSink(256);
  const element = new ByteSink(64);
  for (let i = from; i < to; i++) {
    element.clear();
    writeElement(element, elements.bytes, elements.starts[i]!, elements.ends[i]!);
    array.byte(0x0a);
    array.string(element.bytes, 0, element.length);
  }
  pushBytes(batch, table, key, ValueType.ARRAY, array.bytes, 0, array.length);
}

function writeElement(sink: ByteSink, bytes: Uint8Array, start: number, end: number): void {
  const tag = bytes[start]!;
  const body = start + 1;
  const field = delimitedFields[tag];
  if (field !== undefined) {
    sink.byte(field);
    sink.string(bytes, body, end);
  } else if (tag === Tag.BOOL) {
    sink.byte(0x10);
    sink.byte(bytes[body] === 0x74 ? 1 : 0);
  } else if (tag === Tag.INT) {
    sink.byte(0x18);
    writeVarint64(sink, BigInt.asUintN(64, BigInt(latin.decode(bytes.subarray(body, end)))));
  } else if (tag === Tag.DOUBLE || tag === Tag.DOUBLE_BITS) {
    readDouble(tag, latin.decode(bytes.subarray(body, end)));
    sink.byte(0x21);
    sink.word(words[0]!);
    sink.word(words[1]!);
  } else if (tag !== Tag.EMPTY) {
    throw unknownTag(tag);
  }
}

/** Tag bytes of `AnyValue` fields that are length-delimited. */
const delimitedFields: Readonly<Record<number, number>> = {
  [Tag.STRING]: 0x0a,
  [Tag.ARRAY]: 0x2a,
  [Tag.KVLIST]: 0x32,
  [Tag.BYTES]: 0x3a,
};

function writeVarint64(sink: ByteSink, value: bigint): void {
  let rest = value;
  while (rest > 0x7fn) {
    sink.byte(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  sink.byte(Number(rest));
}

/** Puts the bits of a tagged double into `words`, low word first. */
function readDouble(tag: number, text: string): void {
  if (tag === Tag.DOUBLE_BITS) {
    words[0] = Number.parseInt(text.slice(8), 16);
    words[1] = Number.parseInt(text.slice(0, 8), 16);
    return;
  }
  writeDoubleWords(Number(text), words, 0);
}

function unknownTag(tag: number): StoreError {
  return new StoreError(
    'sql_error',
    `read a stored value: tag ${tag} is none this version knows; the data may be from a newer one`,
  );
}
