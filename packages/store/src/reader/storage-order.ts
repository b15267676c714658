import { type AttributeTable, type SpanBatch, ValueType } from '@clew/model';

/**
 * The order in which the tables give attributes back: strings, ints, doubles, bools, arrays, then the rest, each in the order sent. Spans that were
 * not stored yet are brought into it, so that the same span read twice, once from the journal and once from the tables, is equal.
 */
const spanOrder = orderOf([
  ValueType.STRING,
  ValueType.INT,
  ValueType.DOUBLE,
  ValueType.BOOL,
  ValueType.ARRAY,
  ValueType.EMPTY,
]);
/** Events keep strings apart from everything else. */
const eventOrder = orderOf([ValueType.STRING, ValueType.EMPTY]);

/** Brings the attributes of every level of a batch that nobody else uses into storage order. */
export function toStorageOrder(batch: SpanBatch): void {
  sortRuns(batch.spanAttrs, batch.attrEnd, batch.count, spanOrder);
  sortRuns(batch.resourceAttrs, batch.resourceTable.attrEnd, batch.resourceTable.count, spanOrder);
  sortRuns(batch.scopeAttrs, batch.scopeTable.attrEnd, batch.scopeTable.count, spanOrder);
  sortRuns(batch.eventAttrs, batch.events.attrEnd, batch.events.count, eventOrder);
}

/** Rank by value type; types that are not listed rank with the last. */
function orderOf(types: readonly number[]): Uint8Array {
  const ranks = new Uint8Array(8).fill(types.length - 1);
  types.forEach((type, rank) => (ranks[type] = rank));
  return ranks;
}

/** A stable insertion sort of each run: runs are short and mostly in order. */
function sortRuns(table: AttributeTable, ends: Uint32Array, rows: number, ranks: Uint8Array): void {
  for (let row = 0, start = 0; row < rows; start = ends[row]!, row++) {
    for (let i = start + 1; i < ends[row]!; i++) {
      for (let at = i; at > start && ranks[table.types[at - 1]!]! > ranks[table.types[at]!]!; at--)
        swap(table, at - 1, at);
    }
  }
}

function swap(table: AttributeTable, a: number, b: number): void {
  for (const column of [table.keys, table.types, table.lo, table.hi]) {
    const held = column[a]!;
    column[a] = column[b]!;
    column[b] = held;
  }
}
