import { ValueType, type AttributeTable, type StringTable } from '@clew/model';

import type { TagScope } from '../schema/tables.ts';
import { ByteSink } from './byte-sink.ts';
import type { DictionaryColumn, StringColumn } from './native-columns.ts';
import type { TagKeyRows } from './tag-key-rows.ts';
import { Tag, writeTagged } from './tagged-value.ts';
import { ValueWords } from './value-words.ts';

/** How deep maps and arrays are looked into, how many values of one attribute are noted, and how long a path and a value may be, in bytes. */
export const LeafLimit = Object.freeze({ DEPTH: 16, VALUES: 128, PATH_BYTES: 256, VALUE_BYTES: 4096 } as const);

const DOT = 0x2e;

/** A map column that takes leaves beside attributes: its keys are entries of the builder's string table, its values tagged. */
export interface LeafTarget {
  readonly keys: DictionaryColumn;
  readonly values: StringColumn;
  elements: number;
}

/**
 * Writes *leaves*: what lies within maps and nested arrays, by path, so that SQL can search it. They repeat what is stored whole, stand behind the
 * attributes in the map for values without a typed column, are marked by their tag (`Tag.LEAF`), and are passed over when attributes are read
 * back. The key is the path: keys joined by dots. Elements of arrays have the path of their array.
 *
 * They have no column of their own because one costs every span: 14 % of the engine's work, though it be empty
 * (`docs/decisions/0005-foreign-formats.md`).
 *
 * Only the encoding every exporter writes is looked into (opentelemetry/proto/common/v1/common.proto); what is unusual, or beyond
 * {@link LeafLimit}, is stored and shown, and not found by path. A hot path, guarded by `bench/block`: attributes without maps and arrays never
 * come here.
 */
export class LeafWriter {
  readonly #strings: StringTable;
  readonly #tagKeys: TagKeyRows;
  readonly #scope: TagScope;
  /** Whether elements of arrays that are no maps and arrays are written too, as no column shows them. */
  readonly #withElements: boolean;
  readonly #path = new ByteSink(LeafLimit.PATH_BYTES);
  readonly #value = new ByteSink(256);
  readonly #words = new ValueWords();
  #heap: Uint8Array = new Uint8Array(0);
  #target: LeafTarget | undefined;
  #left = 0;

  /** `scope`: under which scope paths are listed among the keys. */
  constructor(
    strings: StringTable,
    tagKeys: TagKeyRows,
    scope: TagScope,
    { withElements }: { readonly withElements: boolean },
  ) {
    this.#strings = strings;
    this.#tagKeys = tagKeys;
    this.#scope = scope;
    this.#withElements = withElements;
  }

  /** Adds what lies within attributes `[start, end)` to the current row of `target`. `keyMap[key]` is the key's entry in the builder's string table. */
  write(
    target: LeafTarget,
    table: AttributeTable,
    heap: Uint8Array,
    start: number,
    end: number,
    keyMap: Uint32Array,
  ): void {
    this.#heap = heap;
    this.#target = target;
    const { keys, types, lo, hi } = table;
    for (let i = start; i < end; i++) {
      const type = types[i]!;
      if (type !== ValueType.KVLIST && type !== ValueType.ARRAY) continue;
      const key = keyMap[keys[i]!]!;
      this.#left = LeafLimit.VALUES;
      this.#path.clear();
      this.#path.raw(this.#strings.bytes, this.#strings.start(key), this.#strings.ends[key]!);
      if (type === ValueType.KVLIST) this.#map(lo[i]!, lo[i]! + hi[i]!, LeafLimit.DEPTH);
      else this.#array(lo[i]!, lo[i]! + hi[i]!, LeafLimit.DEPTH, this.#withElements);
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
    this.#any(valueStart, end, depth, true);
    path.length = before;
  }

  /** An `ArrayValue` body; elements that are no maps and arrays are noted when `withScalars`. */
  #array(start: number, end: number, depth: number, withScalars: boolean): void {
    for (let at = start; at < end && this.#left > 0;) {
      const length = this.#delimited(at, 0x0a, end);
      if (length < 0) return;
      const elementEnd = this.#words.next + length;
      this.#any(this.#words.next, elementEnd, depth, withScalars);
      at = elementEnd;
    }
  }

  /** An `AnyValue` body. */
  #any(start: number, end: number, depth: number, withScalars: boolean): void {
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
    const target = this.#target!;
    const value = this.#value;
    value.clear();
    writeTagged(value, type, this.#heap, lo, hi);
    // The tagged value stands behind its length.
    let at = 0;
    while (value.bytes[at]! > 0x7f) at++;
    target.values.sink.varint(value.length - at);
    target.values.sink.byte(Tag.LEAF);
    target.values.sink.raw(value.bytes, at + 1, value.length);
    const path = this.#strings.intern(this.#path.bytes, 0, this.#path.length);
    target.keys.push(path);
    target.elements++;
    this.#left--;
    this.#tagKeys.markKey(this.#scope, path, type);
  }

  /** The length behind the field tag at `at`, -1 when it is another field or does not fit; `words.next` is where the body begins. */
  #delimited(at: number, tag: number, end: number): number {
    return this.#words.delimited(this.#heap, at, tag, end);
  }
}
