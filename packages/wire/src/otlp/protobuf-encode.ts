import { ValueType, compactBatch } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { SpanGroups } from './span-groups.ts';
import { ReverseWriter } from '../protobuf/reverse-writer.ts';

/** The output buffer kept between calls is at most this large. */
const KEEP_BYTES = 8 * 1024 * 1024;

const writer = new ReverseWriter();
const groups = new SpanGroups();

/**
 * The spans of `batch` (or those of `rows`) as an encoded `ExportTraceServiceRequest`, which equally is a
 * `TracesData`. Spans are grouped by resource and scope in the order these first appear; within a scope the order is
 * that of the rows. Fields at their default are left out, but an attribute always has a value, if an empty one.
 *
 * Works pending edits in first. A hot path, guarded by `bench/codec`: nothing is allocated per span.
 */
export function encodeTraces(batch: SpanBatch, rows?: ArrayLike<number>): Uint8Array {
  compactBatch(batch);
  groups.build(batch, rows);
  try {
    for (let resource = groups.lastResource; resource >= 0; resource = groups.resourceBefore[resource]!) {
      const mark = writer.written;
      writeResourceSpans(batch, resource);
      writer.close(0x0a, mark);
    }
    return writer.finish();
  } finally {
    writer.reset(KEEP_BYTES);
    groups.release();
  }
}

function writeResourceSpans(batch: SpanBatch, resource: number): void {
  const { resourceTable, resourceAttrs } = batch;
  writeString(batch, 0x1a, resourceTable.schemaUrls[resource]!);
  for (let scope = groups.lastScope[resource]!; scope >= 0; scope = groups.scopeBefore[scope]!) {
    const mark = writer.written;
    writeScopeSpans(batch, scope);
    writer.close(0x12, mark);
  }
  const mark = writer.written;
  const refsAt = resourceTable.entityRefs[resource * 2]!;
  writer.bytes(batch.heap, refsAt, refsAt + resourceTable.entityRefs[resource * 2 + 1]!);
  writeUint(0x10, resourceTable.dropped[resource]!);
  writeAttributes(
    batch,
    resourceAttrs,
    0x0a,
    runStart(resourceTable.attrEnd, resource),
    resourceTable.attrEnd[resource]!,
  );
  writer.close(0x0a, mark);
}

function writeScopeSpans(batch: SpanBatch, scope: number): void {
  const { scopeTable } = batch;
  writeString(batch, 0x1a, scopeTable.schemaUrls[scope]!);
  for (let at = groups.lastRow[scope]!; at >= 0; at = groups.rowBefore[at]!) {
    const mark = writer.written;
    writeSpan(batch, groups.rows === undefined ? at : groups.rows[at]!);
    writer.close(0x12, mark);
  }
  const mark = writer.written;
  writeUint(0x20, scopeTable.dropped[scope]!);
  writeAttributes(batch, batch.scopeAttrs, 0x1a, runStart(scopeTable.attrEnd, scope), scopeTable.attrEnd[scope]!);
  writeString(batch, 0x12, scopeTable.versions[scope]!);
  writeString(batch, 0x0a, scopeTable.names[scope]!);
  if (writer.written !== mark) writer.close(0x0a, mark);
}

function writeSpan(batch: SpanBatch, row: number): void {
  const { times } = batch;
  const flags = batch.flags[row]!;
  if (flags !== 0) {
    writer.word(flags);
    writer.varint(0x85);
  }
  writeStatus(batch, row);
  writeUint(0x70, batch.droppedLinks[row]!);
  const firstLink = runStart(batch.linkEnd, row);
  for (let link = batch.linkEnd[row]! - 1; link >= firstLink; link--) writeLink(batch, link);
  writeUint(0x60, batch.droppedEvents[row]!);
  const firstEvent = runStart(batch.eventEnd, row);
  for (let event = batch.eventEnd[row]! - 1; event >= firstEvent; event--) writeEvent(batch, event);
  writeUint(0x50, batch.droppedAttributes[row]!);
  writeAttributes(batch, batch.spanAttrs, 0x4a, runStart(batch.attrEnd, row), batch.attrEnd[row]!);
  const t = row * 4;
  writeTime(0x41, times[t + 2]!, times[t + 3]!);
  writeTime(0x39, times[t]!, times[t + 1]!);
  const kind = batch.kinds[row]!;
  if (kind !== 0) {
    writer.int32(kind);
    writer.varint(0x30);
  }
  writeString(batch, 0x2a, batch.names[row]!);
  writeId(0x22, batch.parentIds, row * 8, 8);
  writeString(batch, 0x1a, batch.traceStates[row]!);
  writeId(0x12, batch.spanIds, row * 8, 8);
  writeId(0x0a, batch.traceIds, row * 16, 16);
}

function writeStatus(batch: SpanBatch, row: number): void {
  const code = batch.statusCodes[row]!;
  const message = batch.statusMessages[row]!;
  if (code === 0 && message === 0) return;
  const mark = writer.written;
  if (code !== 0) {
    writer.int32(code);
    writer.varint(0x18);
  }
  writeString(batch, 0x12, message);
  writer.close(0x7a, mark);
}

function writeEvent(batch: SpanBatch, row: number): void {
  const { events } = batch;
  const mark = writer.written;
  writeUint(0x20, events.dropped[row]!);
  writeAttributes(batch, batch.eventAttrs, 0x1a, runStart(events.attrEnd, row), events.attrEnd[row]!);
  writeString(batch, 0x12, events.names[row]!);
  writeTime(0x09, events.times[row * 2]!, events.times[row * 2 + 1]!);
  writer.close(0x5a, mark);
}

function writeLink(batch: SpanBatch, row: number): void {
  const { links } = batch;
  const mark = writer.written;
  const flags = links.flags[row]!;
  if (flags !== 0) {
    writer.word(flags);
    writer.varint(0x35);
  }
  writeUint(0x28, links.dropped[row]!);
  writeAttributes(batch, batch.linkAttrs, 0x22, runStart(links.attrEnd, row), links.attrEnd[row]!);
  writeString(batch, 0x1a, links.states[row]!);
  writeId(0x12, links.spanIds, row * 8, 8);
  writeId(0x0a, links.traceIds, row * 16, 16);
  writer.close(0x6a, mark);
}

function writeAttributes(batch: SpanBatch, table: AttributeTable, tag: number, first: number, end: number): void {
  for (let row = end - 1; row >= first; row--) {
    const mark = writer.written;
    writeValue(batch, table, row);
    writer.close(0x12, mark);
    writeString(batch, 0x0a, table.keys[row]!);
    writer.close(tag, mark);
  }
}

function writeValue(batch: SpanBatch, table: AttributeTable, row: number): void {
  const type = table.types[row]!;
  const lo = table.lo[row]!;
  const hi = table.hi[row]!;
  switch (type) {
    case ValueType.STRING:
    case ValueType.BYTES:
    case ValueType.ARRAY:
    case ValueType.KVLIST:
      writer.bytes(batch.heap, lo, lo + hi);
      writer.varint(hi);
      writer.varint((type << 3) | 2);
      break;
    case ValueType.BOOL:
      writer.varint(lo);
      writer.varint(0x10);
      break;
    case ValueType.INT:
      writer.varint64(lo, hi);
      writer.varint(0x18);
      break;
    case ValueType.DOUBLE:
      writer.words(lo, hi);
      writer.varint(0x21);
      break;
    default: // EMPTY: an AnyValue without a field
  }
}

/** Where the run of a row begins, given the column of ends. */
function runStart(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

function writeString(batch: SpanBatch, tag: number, index: number): void {
  if (index === 0) return;
  const { strings } = batch;
  const start = strings.ends[index - 1]!;
  const end = strings.ends[index]!;
  writer.bytes(strings.bytes, start, end);
  writer.varint(end - start);
  writer.varint(tag);
}

function writeUint(tag: number, value: number): void {
  if (value === 0) return;
  writer.varint(value);
  writer.varint(tag);
}

function writeTime(tag: number, lo: number, hi: number): void {
  if ((lo | hi) === 0) return;
  writer.words(lo, hi);
  writer.varint(tag);
}

/** Writes an id; one of zeros is an absent one and is left out. */
function writeId(tag: number, source: Uint8Array, at: number, width: 8 | 16): void {
  let any = 0;
  for (let i = 0; i < width; i++) any |= source[at + i]!;
  if (any === 0) return;
  writer.bytes(source, at, at + width);
  writer.varint(width);
  writer.varint(tag);
}
