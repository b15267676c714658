import { AttributeCursor } from './attribute-cursor.ts';
import { AttributeTable } from './attribute-table.ts';
import { AttributeLevel } from './edit-log.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * Works pending edits into the attribute tables, level by level, and forgets the log. Values stay where they are in the heap, so
 * the cost is one pass over the attributes of the edited levels. Does nothing when there are no edits.
 */
export function compactBatch(batch: SpanBatch): void {
  const { edits } = batch;
  if (edits === undefined) return;
  const levels = [
    { level: AttributeLevel.SPAN, table: batch.spanAttrs, ends: batch.attrEnd, rows: batch.count },
    { level: AttributeLevel.EVENT, table: batch.eventAttrs, ends: batch.events.attrEnd, rows: batch.events.count },
    { level: AttributeLevel.LINK, table: batch.linkAttrs, ends: batch.links.attrEnd, rows: batch.links.count },
    {
      level: AttributeLevel.SCOPE,
      table: batch.scopeAttrs,
      ends: batch.scopeTable.attrEnd,
      rows: batch.scopeTable.count,
    },
    {
      level: AttributeLevel.RESOURCE,
      table: batch.resourceAttrs,
      ends: batch.resourceTable.attrEnd,
      rows: batch.resourceTable.count,
    },
  ];
  for (const { level, table, ends, rows } of levels) {
    const count = edits.levels[level]!.count;
    if (count === 0) continue;
    const rewritten = new AttributeTable();
    rewritten.reserve(table.count + count);
    rewriteRows(new AttributeCursor(batch, table, level), rewritten, ends, rows);
    table.take(rewritten);
  }
  batch.edits = undefined;
}

function rewriteRows(cursor: AttributeCursor, target: AttributeTable, ends: Uint32Array, rows: number): void {
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = ends[row]!;
    cursor.open(row, start, end);
    while (cursor.next()) target.push(cursor.key, cursor.type, cursor.lo, cursor.hi);
    ends[row] = target.count;
    start = end;
  }
}
