import { BatchGatherer, type RowList } from './gather.ts';
import { SpanBatch } from './span-batch.ts';

/** Which spans: a list of rows in the wanted order, or a mask with one byte a row (0 = leave out). */
export type Selection = RowList | Uint8Array;

const shared: { gatherer?: BatchGatherer } = {};

/**
 * A new batch of the selected spans only. It is gathered: names, scopes, resources and value bytes nobody refers to any more stay behind, so
 * one kept span never pins the memory of a thousand others. Pending edits of `batch` are compacted first.
 */
export function selectSpans(batch: SpanBatch, selection: Selection): SpanBatch {
  const selected = new SpanBatch();
  concatInto(selected, batch, selection instanceof Uint8Array ? rowsOfMask(selection) : selection);
  return selected;
}

/** Appends `rows` of `source` (all when left out) to `target`, re-interning names and keys. `source` keeps its spans. */
export function concatInto(target: SpanBatch, source: SpanBatch, rows?: RowList): void {
  (shared.gatherer ??= new BatchGatherer()).append(target, source, rows);
}

/** The rows whose byte in `mask` is not zero. */
export function rowsOfMask(mask: Uint8Array): Uint32Array {
  let count = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] !== 0) count++;
  const rows = new Uint32Array(count);
  let at = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] !== 0) rows[at++] = row;
  return rows;
}
