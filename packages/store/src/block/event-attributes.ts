import { ValueType, type AttributeTable, type SpanBatch, type StringTable } from '@clew/model';

import type { LeafWriter } from './leaf-writer.ts';
import { MapColumn } from './map-column.ts';
import { RunColumn, StringColumn } from './native-columns.ts';
import { writeTagged } from './tagged-value.ts';

/** Which attributes a column takes: strings as they are, all but strings tagged, or all tagged. */
export type EventAttributeSelection = 'text' | 'other' | 'all';

/** `Array(Map(LowCardinality(String), String))`: the attributes of each event or link of a span. A hot path, guarded by `bench/block`. */
export class EventAttributes {
  readonly runs: RunColumn;
  readonly #map: MapColumn<StringColumn>;
  readonly #leaves: LeafWriter;

  constructor(strings: StringTable, leaves: LeafWriter) {
    this.#map = new MapColumn(strings, new StringColumn());
    this.#leaves = leaves;
    this.runs = new RunColumn(`Array(${this.#map.type})`, [this.#map]);
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
    const map = this.#map;
    const { sink } = map.values;
    const { keys, types, lo, hi } = table;
    let hasNested = false;
    for (let i = start; i < end; i++) {
      const type = types[i]!;
      if (selection !== 'all' && (type === ValueType.STRING) !== (selection === 'text')) continue;
      map.keys.push(keyMap[keys[i]!]!);
      if (selection === 'text') sink.string(batch.heap, lo[i]!, lo[i]! + hi[i]!);
      else writeTagged(sink, type, batch.heap, lo[i]!, hi[i]!);
      map.elements++;
      if (type === ValueType.KVLIST || type === ValueType.ARRAY) hasNested = true;
    }
    if (hasNested) this.#leaves.write(map, table, batch.heap, start, end, keyMap);
    map.endRow();
  }

  /** Ends a span that has `count` events or links, written before. */
  endRow(count: number): void {
    this.runs.elements += count;
    this.runs.endRow();
  }
}
