import { ValueType, type AttributeTable, type StringTable } from '@clew/model';

import { TagScope } from '../schema/tables.ts';
import { MapColumn, writeTagged } from './attribute-columns.ts';
import { ByteSink } from './byte-sink.ts';
import { StringColumn } from './native-columns.ts';
import type { TagKeyRows } from './tag-key-rows.ts';
import { ValueWords } from './value-words.ts';

/** How deep maps and arrays are looked into, how many values of one attribute are noted, and how long a path and a value may be, in bytes. */
export const LeafLimit = Object.freeze({ DEPTH: 16, VALUES: 128, PATH_BYTES: 256, VALUE_BYTES: 4096 } as const);

const DOT = 0x2e;
/** Digit of level 0: levels are written as the digit of their `TagScope`. */
const ZERO = 0x30;

/**
 * The column `leaf`: what lies within maps and nested arrays, so that SQL can search it. It repeats what `*_arr`, `*_other` and the columns of
 * events and links hold whole, and is never read back. One entry for each value: the digit of its level (`TagScope`) and the path to it, keys
 * joined by dots, then the value, tagged. Elements of arrays have the path of their array. Of arrays of spans, resources and scopes only
 * what is nested is noted, as `*_arr` shows the rest.
 *
 * Only the encoding every exporter writes is looked into (opentelemetry/proto/common/v1/common.proto); what is unusual, or beyond
 * {@link LeafLimit}, is stored and shown, and not found by path. A hot path, guarded by `bench/block`: a span without maps and arrays
 * costs the end of a row.
 */
export class LeafColumn extends MapColumn<StringColumn> {
  readonly #strings: StringTable;
  readonly #tagKeys: TagKeyRows;
  readonly #path = new ByteSink(LeafLimit.PATH_BYTES);
  readonly #words = new ValueWords();
  #heap: Uint8Array = new Uint8Array(0);
  #scope: TagScope = TagScope.spanLeaf;
  #left = 0;

  constructor(strings: StringTable, tagKeys: TagKeyRows) {
    super(strings, new StringColumn());
    this.#strings = strings;
    this.#tagKeys = tagKeys;
  }

  /** Adds what lies within attributes `[start, end)` of a level to the current row. `keyMap[key]` is the key's entry in the builder's string table. */
  add(level: TagScope, table: AttributeTable, heap: Uint8Array, start: number, end: number, keyMap: Uint32Array): void {
    this.#heap = heap;
    this.#scope = leafScopes[level]!;
    const isChild = this.#scope === TagScope.childLeaf;
    const { keys, types, lo, hi } = table;
    for (let i = start; i < end; i++) {
      const type = types[i]!;
      if (type !== ValueType.KVLIST && type !== ValueType.ARRAY) continue;
      const key = keyMap[keys[i]!]!;
      this.#left = LeafLimit.VALUES;
      this.#path.clear();
      this.#path.byte(ZERO + level);
      this.#path.raw(this.#strings.bytes, this.#strings.start(key), this.#strings.ends[key]!);
      if (type === ValueType.KVLIST) this.#map(lo[i]!, lo[i]! + hi[i]!, LeafLimit.DEPTH);
      else this.#array(lo[i]!, lo[i]! + hi[i]!, LeafLimit.DEPTH, isChild);
    }
  }

  /** A `KeyValueList` body. */
  #map(start: number, end: number, depth: number): void {
    for (let at = start; at < end && this.#left > 0;) {
      const length = this.#delimited(at, 0x0a, end);
      if (length < 0) return;
      const entryEnd = this.#words.next + length;
      this.#entry(this.#words.next, entryEnd, depth);
      at = entryEnd;
    }
  }

  /** A `KeyValue` body: its key extends the path. */
  #entry(start: number, end: number, depth: number): void {
    const keyLength = this.#delimited(start, 0x0a, end);
    if (keyLength < 0) return;
    const keyStart = this.#words.next;
    const keyEnd = keyStart + keyLength;
    const valueLength = keyEnd === end ? 0 : this.#delimited(keyEnd, 0x12, end);
    const valueStart = keyEnd === end ? end : this.#words.next;
    const path = this.#path;
    const before = path.length;
    if (valueLength < 0 || valueStart + valueLength !== end || before + keyLength > LeafLimit.PATH_BYTES) return;
    path.byte(DOT);
    path.raw(this.#heap, keyStart, keyEnd);
    this.#value(valueStart, end, depth, true);
    path.length = before;
  }

  /** An `ArrayValue` body; elements that are no maps and arrays are noted when `withScalars`. */
  #array(start: number, end: number, depth: number, withScalars: boolean): void {
    for (let at = start; at < end && this.#left > 0;) {
      const length = this.#delimited(at, 0x0a, end);
      if (length < 0) return;
      const elementEnd = this.#words.next + length;
      this.#value(this.#words.next, elementEnd, depth, withScalars);
      at = elementEnd;
    }
  }

  /** An `AnyValue` body. */
  #value(start: number, end: number, depth: number, withScalars: boolean): void {
    const tag = start === end ? 0 : this.#heap[start]!;
    if (tag === 0x2a || tag === 0x32) {
      const length = this.#delimited(start, tag, end);
      if (depth <= 1 || length < 0 || this.#words.next + length !== end) return;
      if (tag === 0x32) this.#map(this.#words.next, end, depth - 1);
      else this.#array(this.#words.next, end, depth - 1, true);
    } else if (withScalars && this.#words.read(this.#heap, start, end)) {
      this.#note();
    }
  }

  /** Writes the value just read under the current path. */
  #note(): void {
    const { type, lo, hi } = this.#words;
    if ((type === ValueType.STRING || type === ValueType.BYTES) && hi > LeafLimit.VALUE_BYTES) return;
    const { bytes, length } = this.#path;
    this.#left--;
    this.keys.push(this.#strings.intern(bytes, 0, length));
    writeTagged(this.values.sink, type, this.#heap, lo, hi);
    this.elements++;
    this.#tagKeys.markKey(this.#scope, this.#strings.intern(bytes, 1, length), type);
  }

  /** The length behind the field tag at `at`, -1 when it is another field or does not fit; `words.next` is where the body begins. */
  #delimited(at: number, tag: number, end: number): number {
    return this.#words.delimited(this.#heap, at, tag, end);
  }
}

/** Under which scope paths are listed, by level. */
const leafScopes: Readonly<Record<number, TagScope>> = {
  [TagScope.span]: TagScope.spanLeaf,
  [TagScope.resource]: TagScope.resourceLeaf,
  [TagScope.scope]: TagScope.resourceLeaf,
  [TagScope.event]: TagScope.childLeaf,
  [TagScope.link]: TagScope.childLeaf,
};
