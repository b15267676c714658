import { type AttributeTable, type SpanBatch, ValueType } from '@clew/model';

import { StoreError } from '../errors.ts';
import type { DictionaryData, FixedData, NativeBlock, NativeData, RunData, StringData } from './native-reader.ts';
import { pushBytes, pushElements, pushTagged } from './tagged-reader.ts';

/** Entries of dictionaries as strings of a batch; remembered for the batch being filled. */
export class DictionaryStrings {
  readonly #batch: SpanBatch;
  readonly #known = new Map<DictionaryData, Int32Array>();

  constructor(batch: SpanBatch) {
    this.#batch = batch;
  }

  /** The batch's string for row `row` of a dictionary column. */
  at(data: DictionaryData, row: number): number {
    let entries = this.#known.get(data);
    if (entries === undefined) {
      const size = data.keys.kind === 'string' ? data.keys.starts.length : 0;
      this.#known.set(data, (entries = new Int32Array(size).fill(-1)));
    }
    const number = data.indexes[row]!;
    if (entries[number] === -1) {
      const keys = data.keys as StringData;
      entries[number] = this.#batch.strings.intern(keys.bytes, keys.starts[number]!, keys.ends[number]!);
    }
    return entries[number]!;
  }
}

/** A map column, taken apart. */
export interface MapData {
  readonly ends: Uint32Array;
  readonly keys: DictionaryData;
  readonly values: NativeData;
}

/** The six maps of one level in a block (see `block/attribute-columns.ts`). */
export interface AttributeMaps {
  readonly str: MapData;
  readonly int: MapData;
  readonly dbl: MapData;
  readonly bool: MapData;
  readonly arr: MapData;
  readonly other: MapData;
}

/** Finds the maps whose columns begin with `prefix`. */
export function attributeMaps(block: NativeBlock, prefix: string): AttributeMaps {
  const map = (suffix: string): MapData => mapOf(runsOf(block, `${prefix}_${suffix}`));
  return { str: map('str'), int: map('int'), dbl: map('dbl'), bool: map('bool'), arr: map('arr'), other: map('other') };
}

/** Appends the attributes of row `row` to a table of the batch. */
export function readAttributes(
  batch: SpanBatch,
  table: AttributeTable,
  strings: DictionaryStrings,
  maps: AttributeMaps,
  row: number,
): void {
  const { str, int, dbl, bool, arr, other } = maps;
  const text = str.values as StringData;
  for (let i = startOf(str, row); i < str.ends[row]!; i++) {
    pushBytes(batch, table, strings.at(str.keys, i), ValueType.STRING, text.bytes, text.starts[i]!, text.ends[i]!);
  }
  readWords(table, strings, int, row, ValueType.INT);
  readWords(table, strings, dbl, row, ValueType.DOUBLE);
  for (let i = startOf(bool, row); i < bool.ends[row]!; i++) {
    table.push(strings.at(bool.keys, i), ValueType.BOOL, (bool.values as FixedData).bytes[i]!, 0);
  }
  const arrays = arr.values as RunData;
  for (let i = startOf(arr, row); i < arr.ends[row]!; i++) {
    const from = i === 0 ? 0 : arrays.ends[i - 1]!;
    pushElements(batch, table, strings.at(arr.keys, i), arrays.inner[0] as StringData, from, arrays.ends[i]!);
  }
  const tagged = other.values as StringData;
  for (let i = startOf(other, row); i < other.ends[row]!; i++) {
    pushTagged(batch, table, strings.at(other.keys, i), tagged.bytes, tagged.starts[i]!, tagged.ends[i]!);
  }
}

function readWords(
  table: AttributeTable,
  strings: DictionaryStrings,
  map: MapData,
  row: number,
  type: ValueType,
): void {
  const { bytes } = map.values as FixedData;
  for (let i = startOf(map, row); i < map.ends[row]!; i++) {
    table.push(strings.at(map.keys, i), type, wordAt(bytes, i * 8), wordAt(bytes, i * 8 + 4));
  }
}

/** Where the elements of row `row` begin. */
export function startOf(map: { readonly ends: Uint32Array }, row: number): number {
  return row === 0 ? 0 : map.ends[row - 1]!;
}

/** A map column as keys and values. */
export function mapOf(runs: RunData): MapData {
  return { ends: runs.ends, keys: runs.inner[0] as DictionaryData, values: runs.inner[1]! };
}

/** A little-endian word. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** The column of that name, which must be of the kind asked for. */
export function fixedOf(block: NativeBlock, name: string): FixedData {
  const data = columnOf(block, name);
  if (data.kind !== 'fixed') throw wrongKind(name, data);
  return data;
}

/** The column of that name, which must be of the kind asked for. */
export function stringsOf(block: NativeBlock, name: string): StringData {
  const data = columnOf(block, name);
  if (data.kind !== 'string') throw wrongKind(name, data);
  return data;
}

/** The column of that name, which must be of the kind asked for. */
export function dictionaryOf(block: NativeBlock, name: string): DictionaryData {
  const data = columnOf(block, name);
  if (data.kind !== 'dictionary') throw wrongKind(name, data);
  return data;
}

/** The column of that name, which must be of the kind asked for. */
export function runsOf(block: NativeBlock, name: string): RunData {
  const data = columnOf(block, name);
  if (data.kind !== 'runs') throw wrongKind(name, data);
  return data;
}

function columnOf(block: NativeBlock, name: string): NativeData {
  const data = block.columns.get(name);
  if (data === undefined) throw new StoreError('sql_error', `read a result: column ${name} is missing`);
  return data;
}

function wrongKind(name: string, data: NativeData): StoreError {
  return new StoreError('sql_error', `read a result: column ${name} came as ${data.kind}`);
}
