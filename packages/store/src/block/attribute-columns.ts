import { ValueType, type AttributeTable, type StringTable } from '@clew/model';

import { writeArrayElements } from './array-elements.ts';
import type { LeafWriter } from './leaf-writer.ts';
import { MapColumn } from './map-column.ts';
import { ByteColumn, type NativeColumn, RunColumn, StringColumn, WordColumn } from './native-columns.ts';
import { writeTagged } from './tagged-value.ts';

/**
 * The six maps that hold the attributes of one level: strings, ints, doubles and bools by type, arrays element by element, everything else tagged,
 * and behind it what lies within maps and nested arrays.
 * The order among attributes of one type is kept, and so are duplicates. A hot path, guarded by `bench/block`.
 */
export class AttributeColumns {
  readonly str: MapColumn<StringColumn>;
  readonly int: MapColumn<WordColumn>;
  readonly dbl: MapColumn<WordColumn>;
  readonly bool: MapColumn<ByteColumn>;
  readonly arr: MapColumn<RunColumn>;
  readonly other: MapColumn<StringColumn>;
  readonly #elements: StringColumn;
  readonly #leaves: LeafWriter;
  /** Whether the current row has a map or an array. */
  #hasNested = false;

  constructor(strings: StringTable, leaves: LeafWriter) {
    this.#leaves = leaves;
    this.#elements = new StringColumn();
    this.str = new MapColumn(strings, new StringColumn());
    this.int = new MapColumn(strings, new WordColumn('Int64', 2));
    this.dbl = new MapColumn(strings, new WordColumn('Float64', 2));
    this.bool = new MapColumn(strings, new ByteColumn('UInt8'));
    this.arr = new MapColumn(strings, new RunColumn('Array(String)', [this.#elements]));
    this.other = new MapColumn(strings, new StringColumn());
  }

  /** The columns in the order the tables have them. */
  get columns(): NativeColumn[] {
    return [this.str, this.int, this.dbl, this.bool, this.arr, this.other];
  }

  /** Writes attributes `[start, end)` of `table` as one row; says whether two strings have the same key. `keyMap[key]` is the key's entry in the builder's string table. */
  writeRow(table: AttributeTable, heap: Uint8Array, start: number, end: number, keyMap: Uint32Array): boolean {
    const { keys, types, lo, hi } = table;
    const { str, int } = this;
    const run = str.count + 1;
    let repeated = false;
    for (let i = start; i < end; i++) {
      const key = keyMap[keys[i]!]!;
      const type = types[i]!;
      if (type === ValueType.STRING) {
        if (str.keys.pushOnce(key, run)) repeated = true;
        str.values.sink.string(heap, lo[i]!, lo[i]! + hi[i]!);
        str.elements++;
      } else if (type === ValueType.INT) {
        int.keys.push(key);
        int.values.push(lo[i]!, hi[i]!);
        int.elements++;
      } else {
        this.#writeRare(key, type, heap, lo[i]!, hi[i]!);
      }
    }
    if (this.#hasNested) {
      this.#hasNested = false;
      this.#leaves.write(this.other, table, heap, start, end, keyMap);
    }
    str.endRow();
    int.endRow();
    this.dbl.endRow();
    this.bool.endRow();
    this.arr.endRow();
    this.other.endRow();
    return repeated;
  }

  #writeRare(key: number, type: number, heap: Uint8Array, lo: number, hi: number): void {
    if (type === ValueType.DOUBLE) {
      this.dbl.keys.push(key);
      this.dbl.values.push(lo, hi);
      this.dbl.elements++;
    } else if (type === ValueType.BOOL) {
      const { bool } = this;
      bool.keys.push(key);
      bool.values.reserve(bool.elements + 1);
      bool.values.values[bool.elements++] = lo;
    } else if (type !== ValueType.ARRAY || !this.#writeArray(key, heap, lo, hi)) {
      if (type === ValueType.KVLIST) this.#hasNested = true;
      this.other.keys.push(key);
      writeTagged(this.other.values.sink, type, heap, lo, hi);
      this.other.elements++;
    }
  }

  #writeArray(key: number, heap: Uint8Array, offset: number, length: number): boolean {
    this.#hasNested = true;
    const count = writeArrayElements(this.#elements.sink, heap, offset, offset + length);
    if (count < 0) return false;
    this.arr.keys.push(key);
    this.arr.values.elements += count;
    this.arr.values.endRow();
    this.arr.elements++;
    return true;
  }
}
