import type { SpanBatch } from '@clew/model';

/** The rows of a batch whose spans have one resource. */
export interface ResourceRows {
  readonly resource: number;
  readonly rows: Uint32Array;
}

/** Groups the spans of `batch` (or those of `rows`) by resource, in the order these first appear; rows keep their order. */
export function rowsByResource(batch: SpanBatch, rows?: ArrayLike<number>): ResourceRows[] {
  const { scopes, scopeTable } = batch;
  const count = rows === undefined ? batch.count : rows.length;
  const ends = new Uint32Array(batch.resourceTable.count);
  const order: number[] = [];
  for (let at = 0; at < count; at++) {
    const resource = scopeTable.resources[scopes[rows === undefined ? at : rows[at]!]!]!;
    if (ends[resource]!++ === 0) order.push(resource);
  }
  let start = 0;
  for (const resource of order) {
    const size = ends[resource]!;
    ends[resource] = start;
    start += size;
  }
  const sorted = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    const row = rows === undefined ? at : rows[at]!;
    sorted[ends[scopeTable.resources[scopes[row]!]!]!++] = row;
  }
  return order.map((resource, i) => ({
    resource,
    rows: sorted.subarray(i === 0 ? 0 : ends[order[i - 1]!]!, ends[resource]),
  }));
}
