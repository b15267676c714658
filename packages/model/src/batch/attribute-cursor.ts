import { decodeArray, decodeKeyValueList, doubleOfWords } from '../values/codec.ts';
import { losslessText, shownText } from '../text.ts';
import { signedOfWords } from '../times.ts';
import type { AttributeValue } from '../values/value.ts';
import { ValueType, type AttributeTable } from './attribute-table.ts';
import { DELETED, NO_POSITION, type AttributeEdits, type AttributeLevel } from './edit-log.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * Reads the attributes of one row of one level, pending edits included. Moving and looking up allocate nothing; methods whose name
 * begins with `decode` do.
 *
 * ```ts
 * attributes.rewind();
 * while (attributes.next()) use(attributes.key, attributes.type, attributes.lo, attributes.hi);
 * if (attributes.find(keyIndex)) use(attributes.decodeValue());
 * ```
 *
 * A hot path, guarded by `bench/batch`.
 */
export class AttributeCursor {
  /** The row of the level whose attributes these are; -1 before the first `open`. */
  owner = -1;
  /** The current attribute: key index, value type and value words as in `AttributeTable`. */
  key = 0;
  type: number = ValueType.EMPTY;
  lo = 0;
  hi = 0;

  readonly #batch: SpanBatch;
  readonly #table: AttributeTable;
  readonly #level: AttributeLevel;
  #start = 0;
  #end = 0;
  #position = -1;
  /** While past the stored attributes: the next edit entry plus one to look at. */
  #entry = 0;
  #lastText = '';
  #lastKey = 0;
  #lastCount = 0;
  #lastGeneration = -1;

  constructor(batch: SpanBatch, table: AttributeTable, level: AttributeLevel) {
    this.#batch = batch;
    this.#table = table;
    this.#level = level;
  }

  /** Stands before the first attribute of `owner`, whose stored attributes are rows `[start, end)` of the table. */
  open(owner: number, start: number, end: number): void {
    this.owner = owner;
    this.#start = start;
    this.#end = end;
    this.rewind();
  }

  /** Stands before the first attribute again. */
  rewind(): void {
    this.#position = this.#start - 1;
    this.#entry = -1;
  }

  /** Moves to the next attribute; false when there is none. */
  next(): boolean {
    const edits = this.#edits();
    if (edits !== undefined && edits.head(this.owner) !== 0) return this.#nextEdited(edits);
    if (this.#position + 1 >= this.#end) return false;
    this.#load(++this.#position);
    return true;
  }

  /** Moves to the first attribute whose key has this index in the batch's string table; false when there is none. */
  find(key: number): boolean {
    if (key < 0) return false;
    const edits = this.#edits();
    if (edits !== undefined) {
      const entry = edits.find(this.owner, key);
      if (entry >= 0) return edits.types[entry] === DELETED ? false : this.#loadEdit(edits, entry);
    }
    const position = this.storedPosition(key);
    if (position === NO_POSITION) return false;
    this.#load(position);
    return true;
  }

  /** Like {@link find} by the key's text, which is resolved once as long as the same text is asked for. */
  findText(text: string): boolean {
    const { strings } = this.#batch;
    const known =
      text === this.#lastText &&
      strings.generation === this.#lastGeneration &&
      (this.#lastKey >= 0 || strings.count === this.#lastCount);
    if (!known) {
      this.#lastText = text;
      this.#lastKey = strings.find(text);
      this.#lastCount = strings.count;
      this.#lastGeneration = strings.generation;
    }
    return this.find(this.#lastKey);
  }

  /** The number of attributes, duplicates counted; the current attribute stays current. */
  get count(): number {
    const edits = this.#edits();
    if (edits === undefined || edits.head(this.owner) === 0) return this.#end - this.#start;
    const { key, type, lo, hi } = this;
    const position = this.#position;
    const entry = this.#entry;
    this.rewind();
    let count = 0;
    while (this.next()) count++;
    this.key = key;
    this.type = type;
    this.lo = lo;
    this.hi = hi;
    this.#position = position;
    this.#entry = entry;
    return count;
  }

  /** Where in the level's table the first stored attribute of `key` stands, edits ignored; `NO_POSITION` when there is none. */
  storedPosition(key: number): number {
    const keys = this.#table.keys;
    for (let position = this.#start; position < this.#end; position++) if (keys[position] === key) return position;
    return NO_POSITION;
  }

  /** The current key as shown text (decoded once per batch). */
  decodeKey(): string {
    return this.#batch.strings.text(this.key);
  }

  /** The current value; strings as lossless text, see `text.ts`. */
  decodeValue(): AttributeValue {
    const { heap } = this.#batch;
    const { lo, hi } = this;
    switch (this.type) {
      case ValueType.STRING:
        return losslessText(heap.subarray(lo, lo + hi));
      case ValueType.BOOL:
        return lo !== 0;
      case ValueType.INT:
        return signedOfWords(lo, hi);
      case ValueType.DOUBLE:
        return doubleOfWords(lo, hi);
      case ValueType.ARRAY:
        return decodeArray(heap, lo, lo + hi);
      case ValueType.KVLIST:
        return decodeKeyValueList(heap, lo, lo + hi);
      case ValueType.BYTES:
        return heap.slice(lo, lo + hi);
      default:
        return null;
    }
  }

  /** The current value when it is a string, as shown text; else `undefined`. */
  decodeString(): string | undefined {
    return this.type === ValueType.STRING
      ? shownText(this.#batch.heap.subarray(this.lo, this.lo + this.hi))
      : undefined;
  }

  #edits(): AttributeEdits | undefined {
    const edits = this.#batch.edits;
    return edits === undefined ? undefined : edits.levels[this.#level];
  }

  #load(position: number): void {
    const table = this.#table;
    this.key = table.keys[position]!;
    this.type = table.types[position]!;
    this.lo = table.lo[position]!;
    this.hi = table.hi[position]!;
  }

  #loadEdit(edits: AttributeEdits, entry: number): true {
    this.key = edits.keys[entry]!;
    this.type = edits.types[entry]!;
    this.lo = edits.lo[entry]!;
    this.hi = edits.hi[entry]!;
    return true;
  }

  /** Stored attributes first, each replaced or hidden by its key's edit; then edits of keys that were not stored. */
  #nextEdited(edits: AttributeEdits): boolean {
    while (this.#position + 1 < this.#end) {
      const position = ++this.#position;
      const entry = edits.find(this.owner, this.#table.keys[position]!);
      if (entry < 0) {
        this.#load(position);
        return true;
      }
      if (edits.positions[entry] === position && edits.types[entry] !== DELETED) return this.#loadEdit(edits, entry);
    }
    if (this.#entry < 0) this.#entry = edits.head(this.owner);
    while (this.#entry !== 0) {
      const entry = this.#entry - 1;
      this.#entry = edits.next[entry]!;
      if (edits.positions[entry] === NO_POSITION && edits.types[entry] !== DELETED) return this.#loadEdit(edits, entry);
    }
    return false;
  }
}
