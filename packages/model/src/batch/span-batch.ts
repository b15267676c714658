import { AttributeTable } from './attribute-table.ts';
import {
  copyBytes,
  grownCapacity,
  grownI32,
  grownU32,
  grownU8,
  noBytes,
  noInts,
  noWords,
  plainBytes,
} from './columns.ts';
import type { EditLog } from './edit-log.ts';
import { StringTable } from './string-table.ts';
import { EventTable, LinkTable, ResourceTable, ScopeTable } from './tables.ts';

/** How much of everything a batch held at one moment; made by {@link SpanBatch.mark}. */
export interface BatchMark {
  readonly spans: number;
  readonly strings: number;
  readonly spanAttrs: number;
  readonly events: number;
  readonly eventAttrs: number;
  readonly links: number;
  readonly linkAttrs: number;
  readonly scopes: number;
  readonly scopeAttrs: number;
  readonly resources: number;
  readonly resourceAttrs: number;
  readonly heapLength: number;
}

/**
 * Spans as columns: the one thing that flows from receivers to the store. Lossless with respect to OTLP up to the order
 * of attributes; grows by appending, is reused with {@link SpanBatch.reset}, and allocates nothing per span.
 *
 * Layout
 * - Span `row` owns attributes `[attrEnd[row - 1], attrEnd[row])` of `spanAttrs`, and likewise events and links.
 * - Span → scope (`scopes`) → resource (`scopeTable.resources`). Names, keys, trace states, status messages and schema URLs are
 *   indexes into `strings`.
 * - Attribute values that are bytes lie in `heap`, addressed by offset and length. The heap may be *borrowed*: a decoder
 *   lets it be the request body itself, so that no value is copied. Appending to a borrowed heap copies it first, which
 *   keeps every offset valid. {@link SpanBatch.heapOwned} tells which it is.
 * - Times are two 32-bit words, low then high: 64-bit values never pass through `number`.
 *
 * Rows are read through `SpanCursor`, edited through `BatchEditor`, and gathered with `selectSpans`; only codecs and the
 * store's block builder touch columns directly. A hot path, guarded by `bench/codec`.
 */
export class SpanBatch {
  /** Number of spans. */
  count = 0;
  traceIds: Uint8Array = noBytes;
  spanIds: Uint8Array = noBytes;
  parentIds: Uint8Array = noBytes;
  /** Four words a row: start low, start high, end low, end high (nanoseconds since 1970, unsigned). */
  times: Uint32Array = noWords;
  names: Uint32Array = noWords;
  kinds: Int32Array = noInts;
  statusCodes: Int32Array = noInts;
  statusMessages: Uint32Array = noWords;
  traceStates: Uint32Array = noWords;
  flags: Uint32Array = noWords;
  scopes: Uint32Array = noWords;
  droppedAttributes: Uint32Array = noWords;
  droppedEvents: Uint32Array = noWords;
  droppedLinks: Uint32Array = noWords;
  attrEnd: Uint32Array = noWords;
  eventEnd: Uint32Array = noWords;
  linkEnd: Uint32Array = noWords;

  readonly strings: StringTable = new StringTable();
  readonly spanAttrs: AttributeTable = new AttributeTable();
  readonly events: EventTable = new EventTable();
  readonly eventAttrs: AttributeTable = new AttributeTable();
  readonly links: LinkTable = new LinkTable();
  readonly linkAttrs: AttributeTable = new AttributeTable();
  readonly scopeTable: ScopeTable = new ScopeTable();
  readonly scopeAttrs: AttributeTable = new AttributeTable();
  readonly resourceTable: ResourceTable = new ResourceTable();
  readonly resourceAttrs: AttributeTable = new AttributeTable();

  /** Value bytes; only `[0, heapLength)` is meaningful. */
  heap: Uint8Array = noBytes;
  heapLength = 0;
  /** False while `heap` is somebody else's memory (a request body) that must not be written. */
  heapOwned = true;
  /**
   * False while the three id columns are views of somebody else's memory (a packed batch). Appending copies them by growing; who writes
   * ids in place calls {@link SpanBatch.ownColumns} first.
   */
  columnsOwned = true;

  /** Attribute edits not yet written into the tables; cursors consult them, codecs need `compactBatch` first. */
  edits: EditLog | undefined;

  #spareHeap: Uint8Array | undefined;

  /** Empties the batch and keeps its buffers for the next use; a borrowed heap is let go. */
  reset(): void {
    this.count = 0;
    this.edits = undefined;
    if (!this.columnsOwned) this.#dropBorrowedColumns();
    this.strings.clear();
    for (const table of [this.spanAttrs, this.eventAttrs, this.linkAttrs, this.scopeAttrs, this.resourceAttrs])
      table.clear();
    this.events.clear();
    this.links.clear();
    this.scopeTable.clear();
    this.resourceTable.clear();
    if (!this.heapOwned) this.#releaseHeap();
    this.heapLength = 0;
  }

  /** Adds a zeroed span of `scope` and returns its row. Its attributes, events and links must follow before the next span. */
  addSpan(scope: number): number {
    const row = this.count;
    if (row === this.names.length) this.#growSpans(row + 1);
    // Loops, as a library call for so few bytes costs more than they do.
    const { traceIds, spanIds, parentIds } = this;
    for (let i = row * 16; i < row * 16 + 16; i++) traceIds[i] = 0;
    for (let i = row * 8; i < row * 8 + 8; i++) spanIds[i] = parentIds[i] = 0;
    const t = row * 4;
    this.times[t] = 0;
    this.times[t + 1] = 0;
    this.times[t + 2] = 0;
    this.times[t + 3] = 0;
    this.names[row] = 0;
    this.kinds[row] = 0;
    this.statusCodes[row] = 0;
    this.statusMessages[row] = 0;
    this.traceStates[row] = 0;
    this.flags[row] = 0;
    this.scopes[row] = scope;
    this.droppedAttributes[row] = 0;
    this.droppedEvents[row] = 0;
    this.droppedLinks[row] = 0;
    this.attrEnd[row] = this.spanAttrs.count;
    this.eventEnd[row] = this.events.count;
    this.linkEnd[row] = this.links.count;
    this.count = row + 1;
    return row;
  }

  /** Closes the last span: what was appended to the child tables since `addSpan` becomes its own. */
  endSpan(row: number): void {
    this.attrEnd[row] = this.spanAttrs.count;
    this.eventEnd[row] = this.events.count;
    this.linkEnd[row] = this.links.count;
  }

  /**
   * Lets `bytes` be value memory and returns the offset at which they begin. The first call on an empty heap borrows (no copy, the
   * caller must not write to `bytes` while the batch lives); later calls copy once.
   */
  adoptHeap(bytes: Uint8Array): number {
    if (this.heapLength === 0) {
      if (this.heapOwned) this.#spareHeap = this.heap;
      this.heap = plainBytes(bytes);
      this.heapLength = bytes.length;
      this.heapOwned = false;
      return 0;
    }
    return this.appendHeap(bytes, 0, bytes.length);
  }

  /** Appends `source[start, end)` to the heap and returns its offset. */
  appendHeap(source: Uint8Array, start: number, end: number): number {
    const offset = this.reserveHeap(end - start);
    copyBytes(source, start, this.heap, offset, end - start);
    return offset;
  }

  /** Makes room for `length` bytes, owned, and returns their offset; the caller fills them in. */
  reserveHeap(length: number): number {
    const offset = this.heapLength;
    if (length === 0) return offset;
    const needed = offset + length;
    if (!this.heapOwned || needed > this.heap.length) {
      const spare = this.#spareHeap;
      const grown =
        spare !== undefined && spare.length >= needed
          ? spare
          : new Uint8Array(Math.max(needed, this.heapOwned ? this.heap.length * 2 : offset, 1024));
      grown.set(this.heap.subarray(0, offset));
      this.heap = grown;
      this.heapOwned = true;
      this.#spareHeap = undefined;
    }
    this.heapLength = needed;
    return offset;
  }

  /** What the batch holds now, for {@link SpanBatch.rollback}. */
  mark(): BatchMark {
    return {
      spans: this.count,
      strings: this.strings.count,
      spanAttrs: this.spanAttrs.count,
      events: this.events.count,
      eventAttrs: this.eventAttrs.count,
      links: this.links.count,
      linkAttrs: this.linkAttrs.count,
      scopes: this.scopeTable.count,
      scopeAttrs: this.scopeAttrs.count,
      resources: this.resourceTable.count,
      resourceAttrs: this.resourceAttrs.count,
      heapLength: this.heapLength,
    };
  }

  /** Forgets everything appended since `mark`; a heap borrowed since then is let go. */
  rollback(mark: BatchMark): void {
    this.count = mark.spans;
    this.strings.truncate(mark.strings);
    this.spanAttrs.count = mark.spanAttrs;
    this.events.count = mark.events;
    this.eventAttrs.count = mark.eventAttrs;
    this.links.count = mark.links;
    this.linkAttrs.count = mark.linkAttrs;
    this.scopeTable.count = mark.scopes;
    this.scopeAttrs.count = mark.scopeAttrs;
    this.resourceTable.count = mark.resources;
    this.resourceAttrs.count = mark.resourceAttrs;
    this.heapLength = mark.heapLength;
    if (mark.heapLength === 0 && !this.heapOwned) this.#releaseHeap();
  }

  #releaseHeap(): void {
    this.heap = this.#spareHeap ?? new Uint8Array(0);
    this.#spareHeap = undefined;
    this.heapOwned = true;
  }

  /** Makes room for `rows` further spans. */
  reserveSpans(rows: number): void {
    if (this.count + rows > this.names.length) this.#growSpans(this.count + rows);
  }

  /** Makes the id columns the batch's own, so that they may be written in place. */
  ownColumns(): void {
    if (this.columnsOwned) return;
    this.traceIds = this.traceIds.slice();
    this.spanIds = this.spanIds.slice();
    this.parentIds = this.parentIds.slice();
    this.columnsOwned = true;
  }

  #dropBorrowedColumns(): void {
    const capacity = this.names.length;
    this.traceIds = new Uint8Array(capacity * 16);
    this.spanIds = new Uint8Array(capacity * 8);
    this.parentIds = new Uint8Array(capacity * 8);
    this.columnsOwned = true;
  }

  #growSpans(needed: number): void {
    const capacity = grownCapacity(this.names.length, needed);
    this.traceIds = grownU8(this.traceIds, capacity * 16);
    this.spanIds = grownU8(this.spanIds, capacity * 8);
    this.parentIds = grownU8(this.parentIds, capacity * 8);
    this.times = grownU32(this.times, capacity * 4);
    this.names = grownU32(this.names, capacity);
    this.kinds = grownI32(this.kinds, capacity);
    this.statusCodes = grownI32(this.statusCodes, capacity);
    this.statusMessages = grownU32(this.statusMessages, capacity);
    this.traceStates = grownU32(this.traceStates, capacity);
    this.flags = grownU32(this.flags, capacity);
    this.scopes = grownU32(this.scopes, capacity);
    this.droppedAttributes = grownU32(this.droppedAttributes, capacity);
    this.droppedEvents = grownU32(this.droppedEvents, capacity);
    this.droppedLinks = grownU32(this.droppedLinks, capacity);
    this.attrEnd = grownU32(this.attrEnd, capacity);
    this.eventEnd = grownU32(this.eventEnd, capacity);
    this.linkEnd = grownU32(this.linkEnd, capacity);
    this.columnsOwned = true;
  }
}
