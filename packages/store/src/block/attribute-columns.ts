import { ValueType, type AttributeTable, type StringTable } from '@clew/model';

import { writeArrayElements } from './array-elements.ts';
import {
  ByteColumn,
  DictionaryColumn,
  type NativeColumn,
  RunColumn,
  StringColumn,
  WordColumn,
} from './native-columns.ts';
import {
  Tag,
  writeTaggedBool,
  writeTaggedBytes,
  writeTaggedDouble,
  writeTaggedEmpty,
  writeTaggedInt,
} from './tagged-value.ts';

const KEY = 'LowCardinality(String)';

/** A map column: its keys, and one column of values. */
export class MapColumn<Values extends NativeColumn> extends RunColumn {
  readonly keys: DictionaryColumn;
  readonly values: Values;

  constructor(strings: StringTable, values: Values) {
    const keys = new DictionaryColumn(strings);
    super(`Map(${KEY}, ${values.type})`, [keys, values]);
    this.keys = keys;
    this.values = values;
  }
}

/**
 * The six maps that hold the attributes of one level: strings, ints, doubles and bools by type, arrays element by element, everything else tagged.
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
  #hasNested = false;

  constructor(strings: StringTable) {
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
    str.endRow();
    int.endRow();
    this.dbl.endRow();
    this.bool.endRow();
    this.arr.endRow();
    this.other.endRow();
    return repeated;
  }

  /** Whether rows since the last call have maps or arrays. */
  takeNested(): boolean {
    const had = this.#hasNested;
    this.#hasNested = false;
    return had;
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
    const count = writeArrayElements(this.#elements.sink, heap, offset, offset + length);
    this.#hasNested = true;
    if (count < 0) return false;
    this.arr.keys.push(key);
    this.arr.values.elements += count;
    this.arr.values.endRow();
    this.arr.elements++;
    return true;
  }
}

/** Writes a value of a batch (see `ValueType` for `lo` and `hi`) as a tagged value. */
export function writeTagged(sink: StringColumn['sink'], type: number, heap: Uint8Array, lo: number, hi: number): void {
  switch (type) {
    case ValueType.STRING:
      return writeTaggedBytes(sink, Tag.STRING, heap, lo, lo + hi);
    case ValueType.INT:
      return writeTaggedInt(sink, lo, hi);
    case ValueType.DOUBLE:
      return writeTaggedDouble(sink, lo, hi);
    case ValueType.BOOL:
      return writeTaggedBool(sink, lo);
    case ValueType.BYTES:
      return writeTaggedBytes(sink, Tag.BYTES, heap, lo, lo + hi);
    case ValueType.ARRAY:
      return writeTaggedBytes(sink, Tag.ARRAY, heap, lo, lo + hi);
    case ValueType.KVLIST:
      return writeTaggedBytes(sink, Tag.KVLIST, heap, lo, lo + hi);
    default:
      return writeTaggedEmpty(sink);
  }
}
