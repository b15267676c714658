import type { SpanBatch } from '@clew/model';

/**
 * Groups rows of a batch by scope and scopes by resource, each in order of first appearance, as chains that run from
 * last to first. -1 ends a chain. Columns are kept from one use to the next; a hot path, guarded by `bench/codec`.
 */
export class SpanGroups {
  /** The rows grouped, or undefined for all rows of the batch in their order. */
  rows: ArrayLike<number> | undefined;
  /** The resource that appears last. */
  lastResource = -1;
  /** By resource: the one that appeared before it. */
  resourceBefore: Int32Array = new Int32Array(0);
  /** By resource: its scope that appears last, or -1 when none does. */
  lastScope: Int32Array = new Int32Array(0);
  /** By scope: the scope of the same resource that appeared before it. */
  scopeBefore: Int32Array = new Int32Array(0);
  /** By scope: the position in `rows` of its last span, or -1 when it has none. */
  lastRow: Int32Array = new Int32Array(0);
  /** By position in `rows`: the position of the span before it in the same scope. */
  rowBefore: Int32Array = new Int32Array(0);

  build(batch: SpanBatch, rows: ArrayLike<number> | undefined): void {
    const { scopes, scopeTable } = batch;
    const count = rows === undefined ? batch.count : rows.length;
    this.rows = rows;
    this.lastResource = -1;
    this.#reserve(count, scopeTable.count, batch.resourceTable.count);
    const { resourceBefore, lastScope, scopeBefore, lastRow, rowBefore } = this;
    for (let at = 0; at < count; at++) {
      const scope = scopes[rows === undefined ? at : rows[at]!]!;
      const before = lastRow[scope]!;
      rowBefore[at] = before;
      lastRow[scope] = at;
      if (before >= 0) continue;
      const resource = scopeTable.resources[scope]!;
      const scopeBeforeIt = lastScope[resource]!;
      scopeBefore[scope] = scopeBeforeIt;
      lastScope[resource] = scope;
      if (scopeBeforeIt >= 0) continue;
      resourceBefore[resource] = this.lastResource;
      this.lastResource = resource;
    }
  }

  /** Lets go of the caller's rows. */
  release(): void {
    this.rows = undefined;
  }

  #reserve(rows: number, scopes: number, resources: number): void {
    if (this.rowBefore.length < rows) this.rowBefore = new Int32Array(rows * 2);
    if (this.lastRow.length < scopes) {
      this.lastRow = new Int32Array(scopes * 2);
      this.scopeBefore = new Int32Array(scopes * 2);
    }
    if (this.lastScope.length < resources) {
      this.lastScope = new Int32Array(resources * 2);
      this.resourceBefore = new Int32Array(resources * 2);
    }
    this.lastRow.fill(-1, 0, scopes);
    this.lastScope.fill(-1, 0, resources);
  }
}
