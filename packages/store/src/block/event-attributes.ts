import { ValueType, type AttributeTable, type SpanBatch, type StringTable } from '@clew/model';

import { writeTagged } from './attribute-columns.ts';
import { DictionaryColumn, RunColumn, StringColumn } from './native-columns.ts';

const KEY = 'LowCardinality(String)';

/** Which attributes a column takes: strings as they are, all but strings tagged, or all tagged. */
export type EventAttributeSelection = 'text' | 'other' | 'all';

/** `Array(Map(LowCardinality(String), String))`: the attributes of each event or link of a span. A hot path, guarded by `bench/block`. */
export class EventAttributes {
  readonly runs: RunColumn;
  readonly #maps: RunColumn;
  readonly #keys: DictionaryColumn;
  readonly #values = new StringColumn();
  #hasNested = false;

  constructor(strings: StringTable) {
    this.#keys = new DictionaryColumn(strings);
    this.#maps = new RunColumn(`Map(${KEY}, String)`, [this.#keys, this.#values]);
    this.runs = new RunColumn(`Array(Map(${KEY}, String))`, [this.#maps]);
  }

  /** Writes those of attributes `[start, end)` that belong here as the map of the next event or link. */
  write(
    batch: SpanBatch,
    table: AttributeTable,
    start: number,
    end: number,
    keyMap: Uint32Array,
    selection: EventAttributeSelection,
  ): void {
    const sink = this.#values.sink;
    const { keys, types, lo, hi } = table;
    for (let i = start; i < end; i++) {
      const type = types[i]!;
      if (selection !== 'all' && (type === ValueType.STRING) !== (selection === 'text')) continue;
      this.#keys.push(keyMap[keys[i]!]!);
      if (selection === 'text') sink.string(batch.heap, lo[i]!, lo[i]! + hi[i]!);
      else {
        if (type === ValueType.KVLIST || type === ValueType.ARRAY) this.#hasNested = true;
        writeTagged(sink, type, batch.heap, lo[i]!, hi[i]!);
      }
      this.#maps.elements++;
    }
    this.#maps.endRow();
  }

  /** Whether what was written since the last call has maps or arrays. */
  takeNested(): boolean {
    const had = this.#hasNested;
    this.#hasNested = false;
    return had;
  }

  /** Ends a span that has `count` events or links, written before. */
  endRow(count: number): void {
    this.runs.elements += count;
    this.runs.endRow();
  }
}
