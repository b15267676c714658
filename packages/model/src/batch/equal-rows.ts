import { isHeapType, type AttributeTable } from './attribute-table.ts';
import { equalBytes } from './columns.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * Finds rows that were added twice, while spans are gathered into a batch. Only the rows added lately are looked at: processes
 * that report together come again soon, and the cost stays bounded when every span has a resource of its own.
 */

/** How many earlier rows are compared. */
const LOOK_BACK = 64;

/** The latest resource row before `row`, the last one, that is equal to it in everything; -1 for none. */
export function earlierResource(batch: SpanBatch, row: number): number {
  const { resourceTable: table, resourceAttrs } = batch;
  for (let other = row - 1; other >= 0 && other >= row - LOOK_BACK; other--) {
    if (
      table.schemaUrls[other] === table.schemaUrls[row] &&
      table.dropped[other] === table.dropped[row] &&
      equalRuns(batch, resourceAttrs, table.attrEnd, other, row) &&
      equalEntityRefs(batch, other, row)
    ) {
      return other;
    }
  }
  return -1;
}

/** The latest scope row of the same resource before `row`, the last one, that is equal to it in everything; -1 for none. */
export function earlierScope(batch: SpanBatch, row: number): number {
  const { scopeTable: table, scopeAttrs } = batch;
  for (let other = row - 1; other >= 0 && other >= row - LOOK_BACK; other--) {
    if (
      table.resources[other] === table.resources[row] &&
      table.names[other] === table.names[row] &&
      table.versions[other] === table.versions[row] &&
      table.schemaUrls[other] === table.schemaUrls[row] &&
      table.dropped[other] === table.dropped[row] &&
      equalRuns(batch, scopeAttrs, table.attrEnd, other, row)
    ) {
      return other;
    }
  }
  return -1;
}

function equalEntityRefs(batch: SpanBatch, a: number, b: number): boolean {
  const { entityRefs } = batch.resourceTable;
  const length = entityRefs[a * 2 + 1]!;
  return (
    length === entityRefs[b * 2 + 1] &&
    equalBytes(batch.heap, entityRefs[a * 2]!, batch.heap, entityRefs[b * 2]!, length)
  );
}

/** Whether rows `a` and `b` have the same attributes in the same order. */
function equalRuns(batch: SpanBatch, table: AttributeTable, ends: Uint32Array, a: number, b: number): boolean {
  const aStart = a === 0 ? 0 : ends[a - 1]!;
  const bStart = b === 0 ? 0 : ends[b - 1]!;
  const count = ends[a]! - aStart;
  if (count !== ends[b]! - bStart) return false;
  const { keys, types, lo, hi } = table;
  for (let i = 0; i < count; i++) {
    const x = aStart + i;
    const y = bStart + i;
    if (keys[x] !== keys[y] || types[x] !== types[y] || hi[x] !== hi[y]) return false;
    if (lo[x] === lo[y]) continue;
    if (!isHeapType(types[x]!) || !equalBytes(batch.heap, lo[x]!, batch.heap, lo[y]!, hi[x]!)) return false;
  }
  return true;
}
