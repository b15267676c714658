import { ModelError } from '../errors.ts';
import { isHeapType, type AttributeTable } from './attribute-table.ts';
import { copyBytes, equalBytes, grownCapacity } from './columns.ts';
import { earlierResource, earlierScope } from './equal-rows.ts';
import { compactBatch } from './compact.ts';
import type { SpanBatch } from './span-batch.ts';

/** Rows of a batch in the order they are wanted; a row may be named twice. */
export type RowList = Uint32Array | readonly number[];

/**
 * Appends spans of one batch to another, re-interning names and keys, carrying scopes and resources over once each, and copying
 * only heap bytes that are referred to. A resource or scope equal to one the target got lately becomes that one, so that merging many
 * requests of one process keeps one row for it. It is what `selectSpans`, `concatInto` and `packBatch` are made of.
 *
 * Short values that repeat are stored once: a direct-mapped cache remembers where the last value of each hash went. It is
 * checked by comparing bytes and may forget, so it costs little and never errs.
 *
 * A hot path, guarded by `bench/batch`. A gatherer keeps its scratch arrays; one per thread is enough.
 */
export class BatchGatherer {
  /** For each source string, scope and resource: its index in the target plus one, 0 while unknown. */
  #strings: Uint32Array = new Uint32Array(64);
  #scopes: Uint32Array = new Uint32Array(16);
  #resources: Uint32Array = new Uint32Array(16);
  /** Two words a slot: heap offset in the target plus one, and length. */
  readonly #seen: Uint32Array = new Uint32Array(SEEN_SLOTS * 2);

  /** Appends `rows` of `source` (all when `undefined`) to `target`. Pending edits of `source` are compacted first. */
  append(target: SpanBatch, source: SpanBatch, rows?: RowList): void {
    if (target === source)
      throw new ModelError('invalid_row', 'cannot append a batch to itself: pass a different target');
    compactBatch(source);
    checkRows(source, rows);
    this.#strings = cleared(this.#strings, source.strings.count);
    this.#scopes = cleared(this.#scopes, source.scopeTable.count);
    this.#resources = cleared(this.#resources, source.resourceTable.count);
    this.#seen.fill(0);
    const first = target.count;
    const count = rows === undefined ? source.count : rows.length;
    target.reserveSpans(count);
    target.spanAttrs.reserve(attributesOf(source, rows));
    copyFixedColumns(target, source, rows, first, count);
    for (let i = 0; i < count; i++) this.#appendRow(target, source, rows === undefined ? i : rows[i]!, first + i);
    target.count = first + count;
  }

  #appendRow(target: SpanBatch, source: SpanBatch, row: number, to: number): void {
    target.names[to] = this.#string(target, source, source.names[row]!);
    target.statusMessages[to] = this.#string(target, source, source.statusMessages[row]!);
    target.traceStates[to] = this.#string(target, source, source.traceStates[row]!);
    target.scopes[to] = this.#scope(target, source, source.scopes[row]!);
    const previous = row - 1;
    const attrStart = row === 0 ? 0 : source.attrEnd[previous]!;
    this.#attributes(target, source, target.spanAttrs, source.spanAttrs, attrStart, source.attrEnd[row]!);
    const eventEnd = source.eventEnd[row]!;
    for (let event = row === 0 ? 0 : source.eventEnd[previous]!; event < eventEnd; event++)
      this.#event(target, source, event);
    const linkEnd = source.linkEnd[row]!;
    for (let link = row === 0 ? 0 : source.linkEnd[previous]!; link < linkEnd; link++) this.#link(target, source, link);
    target.endSpan(to);
  }

  #attributes(
    target: SpanBatch,
    source: SpanBatch,
    to: AttributeTable,
    from: AttributeTable,
    start: number,
    end: number,
  ): void {
    to.reserve(end - start);
    let row = to.count;
    for (let i = start; i < end; i++, row++) {
      const type = from.types[i]!;
      const lo = from.lo[i]!;
      const hi = from.hi[i]!;
      to.keys[row] = this.#string(target, source, from.keys[i]!);
      to.types[row] = type;
      to.lo[row] = isHeapType(type) ? this.#value(target, source.heap, lo, hi) : lo;
      to.hi[row] = hi;
    }
    to.count = row;
  }

  #string(target: SpanBatch, source: SpanBatch, index: number): number {
    const known = this.#strings[index]!;
    if (known !== 0) return known - 1;
    const { strings } = source;
    const interned = target.strings.intern(strings.bytes, strings.start(index), strings.ends[index]!);
    this.#strings[index] = interned + 1;
    return interned;
  }

  /** Copies `heap[offset, offset + length)` into the target's heap, or finds it there, and returns its offset. */
  #value(target: SpanBatch, heap: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    if (length > MAX_SHARED_BYTES) return target.appendHeap(heap, offset, offset + length);
    const seen = this.#seen;
    const slot = slotOf(heap, offset, length);
    const known = seen[slot]! - 1;
    const inside = known >= 0 && seen[slot + 1] === length && known + length <= target.heapLength;
    if (inside && equalBytes(heap, offset, target.heap, known, length)) return known;
    const at = target.reserveHeap(length);
    copyBytes(heap, offset, target.heap, at, length);
    seen[slot] = at + 1;
    seen[slot + 1] = length;
    return at;
  }

  #event(target: SpanBatch, source: SpanBatch, row: number): void {
    const from = source.events;
    const to = target.events.add(target.eventAttrs.count);
    const table = target.events;
    table.times[to * 2] = from.times[row * 2]!;
    table.times[to * 2 + 1] = from.times[row * 2 + 1]!;
    table.names[to] = this.#string(target, source, from.names[row]!);
    table.dropped[to] = from.dropped[row]!;
    const start = row === 0 ? 0 : from.attrEnd[row - 1]!;
    this.#attributes(target, source, target.eventAttrs, source.eventAttrs, start, from.attrEnd[row]!);
    table.attrEnd[to] = target.eventAttrs.count;
  }

  #link(target: SpanBatch, source: SpanBatch, row: number): void {
    const from = source.links;
    const to = target.links.add(target.linkAttrs.count);
    const table = target.links;
    copyBytes(from.traceIds, row * 16, table.traceIds, to * 16, 16);
    copyBytes(from.spanIds, row * 8, table.spanIds, to * 8, 8);
    table.states[to] = this.#string(target, source, from.states[row]!);
    table.flags[to] = from.flags[row]!;
    table.dropped[to] = from.dropped[row]!;
    const start = row === 0 ? 0 : from.attrEnd[row - 1]!;
    this.#attributes(target, source, target.linkAttrs, source.linkAttrs, start, from.attrEnd[row]!);
    table.attrEnd[to] = target.linkAttrs.count;
  }

  #scope(target: SpanBatch, source: SpanBatch, row: number): number {
    const known = this.#scopes[row]!;
    if (known !== 0) return known - 1;
    const from = source.scopeTable;
    const resource = this.#resource(target, source, from.resources[row]!);
    const { heapLength, scopeAttrs, scopeTable: table } = target;
    const attrStart = scopeAttrs.count;
    const added = table.add(resource, attrStart);
    table.names[added] = this.#string(target, source, from.names[row]!);
    table.versions[added] = this.#string(target, source, from.versions[row]!);
    table.schemaUrls[added] = this.#string(target, source, from.schemaUrls[row]!);
    table.dropped[added] = from.dropped[row]!;
    const start = row === 0 ? 0 : from.attrEnd[row - 1]!;
    this.#attributes(target, source, scopeAttrs, source.scopeAttrs, start, from.attrEnd[row]!);
    table.attrEnd[added] = scopeAttrs.count;
    const earlier = earlierScope(target, added);
    if (earlier >= 0) {
      table.count = added;
      scopeAttrs.count = attrStart;
      target.heapLength = heapLength;
    }
    const to = earlier >= 0 ? earlier : added;
    this.#scopes[row] = to + 1;
    return to;
  }

  #resource(target: SpanBatch, source: SpanBatch, row: number): number {
    const known = this.#resources[row]!;
    if (known !== 0) return known - 1;
    const from = source.resourceTable;
    const { heapLength, resourceAttrs, resourceTable: table } = target;
    const attrStart = resourceAttrs.count;
    const added = table.add(attrStart);
    table.schemaUrls[added] = this.#string(target, source, from.schemaUrls[row]!);
    table.dropped[added] = from.dropped[row]!;
    const refsLength = from.entityRefs[row * 2 + 1]!;
    table.entityRefs[added * 2] = this.#value(target, source.heap, from.entityRefs[row * 2]!, refsLength);
    table.entityRefs[added * 2 + 1] = refsLength;
    const start = row === 0 ? 0 : from.attrEnd[row - 1]!;
    this.#attributes(target, source, resourceAttrs, source.resourceAttrs, start, from.attrEnd[row]!);
    table.attrEnd[added] = resourceAttrs.count;
    const earlier = earlierResource(target, added);
    if (earlier >= 0) {
      table.count = added;
      resourceAttrs.count = attrStart;
      target.heapLength = heapLength;
    }
    const to = earlier >= 0 ? earlier : added;
    this.#resources[row] = to + 1;
    return to;
  }
}

/** Slots of the cache of repeated values; 8 KiB, small enough to clear for every batch. */
const SEEN_SLOTS = 1024;
/** Longer values are copied without looking: they rarely repeat, and comparing them costs. */
const MAX_SHARED_BYTES = 64;

/** Index of the slot for these bytes, from their length and their first and last four. */
function slotOf(bytes: Uint8Array, offset: number, length: number): number {
  const last = offset + length - 1;
  let hash = length;
  for (let i = 0; i < 4 && i < length; i++) {
    hash = Math.imul(hash, 31) + bytes[offset + i]!;
    hash = Math.imul(hash, 0x01000193) ^ bytes[last - i]!;
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash >>> 22) & (SEEN_SLOTS - 1)) * 2;
}

/** A zeroed map for `length` entries, the old one when it is large enough. */
function cleared(map: Uint32Array, length: number): Uint32Array {
  if (map.length < length) return new Uint32Array(grownCapacity(map.length, length));
  map.fill(0, 0, length);
  return map;
}

/** How many attributes these spans have together. */
function attributesOf(source: SpanBatch, rows: RowList | undefined): number {
  const { attrEnd, count } = source;
  if (rows === undefined) return count === 0 ? 0 : attrEnd[count - 1]!;
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    sum += attrEnd[row]! - (row === 0 ? 0 : attrEnd[row - 1]!);
  }
  return sum;
}

function checkRows(source: SpanBatch, rows: RowList | undefined): void {
  if (rows === undefined) return;
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]! >>> 0 !== rows[i] || rows[i]! >= source.count) {
      throw new ModelError('invalid_row', `cannot take row ${rows[i]} of a batch of ${source.count} spans`);
    }
  }
}

/** Copies the columns whose values mean the same in any batch. */
function copyFixedColumns(
  target: SpanBatch,
  source: SpanBatch,
  rows: RowList | undefined,
  first: number,
  count: number,
): void {
  if (rows === undefined) {
    copyRunOfColumns(target, source, first, count);
    return;
  }
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    const to = first + i;
    copyBytes(source.traceIds, row * 16, target.traceIds, to * 16, 16);
    copyBytes(source.spanIds, row * 8, target.spanIds, to * 8, 8);
    copyBytes(source.parentIds, row * 8, target.parentIds, to * 8, 8);
    for (let word = 0; word < 4; word++) target.times[to * 4 + word] = source.times[row * 4 + word]!;
    target.kinds[to] = source.kinds[row]!;
    target.statusCodes[to] = source.statusCodes[row]!;
    target.flags[to] = source.flags[row]!;
    target.droppedAttributes[to] = source.droppedAttributes[row]!;
    target.droppedEvents[to] = source.droppedEvents[row]!;
    target.droppedLinks[to] = source.droppedLinks[row]!;
  }
}

function copyRunOfColumns(target: SpanBatch, source: SpanBatch, first: number, count: number): void {
  target.traceIds.set(source.traceIds.subarray(0, count * 16), first * 16);
  target.spanIds.set(source.spanIds.subarray(0, count * 8), first * 8);
  target.parentIds.set(source.parentIds.subarray(0, count * 8), first * 8);
  target.times.set(source.times.subarray(0, count * 4), first * 4);
  target.kinds.set(source.kinds.subarray(0, count), first);
  target.statusCodes.set(source.statusCodes.subarray(0, count), first);
  target.flags.set(source.flags.subarray(0, count), first);
  target.droppedAttributes.set(source.droppedAttributes.subarray(0, count), first);
  target.droppedEvents.set(source.droppedEvents.subarray(0, count), first);
  target.droppedLinks.set(source.droppedLinks.subarray(0, count), first);
}
