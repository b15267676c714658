import { ValueType, compactBatch } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { ReverseWriter } from '../protobuf/reverse-writer.ts';
import { ModelTagType } from './model-tags.ts';
import { JaegerTime } from './nanos.ts';
import { ProcessView } from './process-view.ts';
import { rowsByResource } from './rows-by-resource.ts';
import type { ResourceRows } from './rows-by-resource.ts';
import { PARENT, SpanView } from './span-view.ts';
import { jsonOfNested } from './tag-json.ts';
import { isCarrierRole, tagKeyBytes } from './tag-keys.ts';

/** The output buffer kept between calls is at most this large. */
const KEEP_BYTES = 8 * 1024 * 1024;

const writer = new ReverseWriter();
const view = new SpanView();
const process = new ProcessView();
const time = new JaegerTime();

/**
 * The spans of `batch` (or those of `rows`) as encoded `PostSpansRequest`s of jaeger.api_v2, one for each resource in the order these first
 * appear; within one the order is that of the rows. Fields at their default are left out. Works pending edits in first.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span but for values that are arrays or maps.
 */
export function encodePostSpans(batch: SpanBatch, rows?: ArrayLike<number>): Uint8Array[] {
  return encodeGroups(batch, rows, (group) => {
    writeBatch(batch, group);
    writer.close(0x0a, 0);
  });
}

/** The same as bare `Batch` messages of model.proto. */
export function encodeModelBatches(batch: SpanBatch, rows?: ArrayLike<number>): Uint8Array[] {
  return encodeGroups(batch, rows, (group) => writeBatch(batch, group));
}

function encodeGroups(
  batch: SpanBatch,
  rows: ArrayLike<number> | undefined,
  write: (group: ResourceRows) => void,
): Uint8Array[] {
  compactBatch(batch);
  try {
    view.bind(batch);
    return rowsByResource(batch, rows).map((group) => {
      writer.reset(KEEP_BYTES);
      write(group);
      return writer.finish();
    });
  } finally {
    writer.reset(KEEP_BYTES);
    view.release();
    process.release();
  }
}

// What follows writes everything from its end to its start, as `ReverseWriter` wants.

function writeBatch(batch: SpanBatch, { resource, rows }: ResourceRows): void {
  const mark = writer.written;
  writeProcess(batch, resource);
  writer.close(0x12, mark);
  for (let i = rows.length - 1; i >= 0; i--) {
    const span = writer.written;
    writeSpan(batch, rows[i]!);
    writer.close(0x0a, span);
  }
}

function writeProcess(batch: SpanBatch, resource: number): void {
  const { resourceAttrs } = batch;
  process.look(batch, view.roles, resource);
  for (let row = process.end - 1; row >= process.first; row--) {
    if (process.isService(row)) continue;
    const renamed = process.renamed(row);
    if (renamed === undefined) writeAttribute(batch, resourceAttrs, row, 0x12);
    else {
      const added = process.added(row);
      const mark = writer.written;
      writeValue(batch, resourceAttrs.types[row]!, resourceAttrs.lo[row]! + added, resourceAttrs.hi[row]! - added);
      writeRange(0x0a, renamed, 0, renamed.length);
      writer.close(0x12, mark);
    }
  }
  writeRange(0x0a, process.serviceSource, process.serviceStart, process.serviceEnd);
}

function writeSpan(batch: SpanBatch, row: number): void {
  const { times } = batch;
  view.look(row, true);
  writeWarnings(batch);
  writeProcessId(batch);
  writeLogs(batch, row);
  writeTags(batch);
  writeTime(0x3a, view.durationLo, view.durationHi, view.isNegative);
  writeTime(0x32, times[row * 4]!, times[row * 4 + 1]!, false);
  if (view.flags !== 0) {
    writer.varint(view.flags);
    writer.varint(0x28);
  }
  for (let i = view.referenceCount - 1; i >= 0; i--) writeReference(batch, row, i);
  writeText(batch, 0x1a, batch.names[row]!);
  writeRange(0x12, batch.spanIds, row * 8, row * 8 + 8);
  writeRange(0x0a, batch.traceIds, row * 16, row * 16 + 16);
}

/** Warnings lie in the heap as an `ArrayValue` of texts; a list of anything else stays a tag. */
function writeWarnings(batch: SpanBatch): void {
  const row = view.warningsRow;
  if (row < 0) return;
  for (let i = view.warnings.length - 2; i >= 0; i -= 2) {
    const start = view.warnings[i]!;
    const end = view.warnings[i + 1]!;
    writer.bytes(batch.heap, start, end);
    writer.varint(end - start);
    writer.varint(0x62);
  }
}

function writeProcessId(batch: SpanBatch): void {
  const row = view.processIdRow;
  if (row < 0) return;
  const { lo, hi } = batch.spanAttrs;
  writeRange(0x5a, batch.heap, lo[row]!, lo[row]! + hi[row]!);
}

function writeReference(batch: SpanBatch, row: number, i: number): void {
  const { links } = batch;
  const link = view.referenceLinks[i]!;
  const mark = writer.written;
  if (view.referenceIsChildOf[i] !== true) {
    writer.varint(1);
    writer.varint(0x18);
  }
  if (link === PARENT) {
    writeRange(0x12, batch.parentIds, row * 8, row * 8 + 8);
    writeRange(0x0a, batch.traceIds, row * 16, row * 16 + 16);
  } else {
    writeRange(0x12, links.spanIds, link * 8, link * 8 + 8);
    writeRange(0x0a, links.traceIds, link * 16, link * 16 + 16);
  }
  writer.close(0x22, mark);
}

function writeTags(batch: SpanBatch): void {
  for (let i = view.derivedCount - 1; i >= view.derivedLeading; i--) writeDerived(i);
  for (let at = view.lastAttribute - 1; at >= view.firstAttribute; at--) {
    if (at !== view.warningsRow) writeAttribute(batch, batch.spanAttrs, at, 0x42);
  }
  for (let i = view.derivedLeading - 1; i >= 0; i--) writeDerived(i);
}

function writeDerived(i: number): void {
  const mark = writer.written;
  const key = view.derivedKeys[i]!;
  if (key === tagKeyBytes.ERROR) writeBool(1);
  else writeRange(0x1a, view.derivedSources[i]!, view.derivedStarts[i]!, view.derivedEnds[i]!);
  writeRange(0x0a, key, 0, key.length);
  writer.close(0x42, mark);
}

function writeLogs(batch: SpanBatch, row: number): void {
  const { events, eventAttrs } = batch;
  const first = row === 0 ? 0 : batch.eventEnd[row - 1]!;
  for (let event = batch.eventEnd[row]! - 1; event >= first; event--) {
    const mark = writer.written;
    for (let at = events.attrEnd[event]! - 1; at >= view.firstField(event); at--) {
      writeAttribute(batch, eventAttrs, at, 0x12);
    }
    if (view.namesEvent(event)) {
      const field = writer.written;
      writeText(batch, 0x1a, events.names[event]!);
      writeRange(0x0a, tagKeyBytes.EVENT, 0, tagKeyBytes.EVENT.length);
      writer.close(0x12, field);
    }
    writeTime(0x0a, events.times[event * 2]!, events.times[event * 2 + 1]!, false);
    writer.close(0x4a, mark);
  }
}

/** Writes an attribute as a `KeyValue`, unless it is a carrier. */
function writeAttribute(batch: SpanBatch, table: AttributeTable, row: number, tag: number): void {
  const key = table.keys[row]!;
  if (isCarrierRole(view.roles.of(key))) return;
  const mark = writer.written;
  writeValue(batch, table.types[row]!, table.lo[row]!, table.hi[row]!);
  writeText(batch, 0x0a, key);
  writer.close(tag, mark);
}

/** Writes type and value of a `KeyValue`; an empty value as an empty text, an array or map as JSON. */
function writeValue(batch: SpanBatch, type: number, lo: number, hi: number): void {
  const { heap } = batch;
  switch (type) {
    case ValueType.STRING:
      writeRange(0x1a, heap, lo, lo + hi);
      break;
    case ValueType.BOOL:
      writeBool(lo);
      break;
    case ValueType.INT:
      if ((lo | hi) !== 0) {
        writer.varint64(lo, hi);
        writer.varint(0x28);
      }
      writeType(ModelTagType.INT64);
      break;
    case ValueType.DOUBLE:
      if ((lo | hi) !== 0) {
        writer.words(lo, hi);
        writer.varint(0x31);
      }
      writeType(ModelTagType.FLOAT64);
      break;
    case ValueType.BYTES:
      writeRange(0x3a, heap, lo, lo + hi);
      writeType(ModelTagType.BINARY);
      break;
    case ValueType.ARRAY:
    case ValueType.KVLIST: {
      const json = jsonOfNested(heap, type, lo, hi);
      writeRange(0x1a, json, 0, json.length);
      break;
    }
    default: // EMPTY: an empty text, which is left out
  }
}

function writeBool(value: number): void {
  if (value !== 0) {
    writer.varint(1);
    writer.varint(0x20);
  }
  writeType(ModelTagType.BOOL);
}

function writeType(type: number): void {
  writer.varint(type);
  writer.varint(0x10);
}

/** Writes a `Timestamp` or `Duration`. */
function writeTime(tag: number, lo: number, hi: number, isNegative: boolean): void {
  const mark = writer.written;
  time.seconds(lo, hi, isNegative);
  if (time.nanos !== 0) {
    writer.int32(time.nanos);
    writer.varint(0x10);
  }
  if ((time.lo | time.hi) !== 0) {
    writer.varint64(time.lo, time.hi);
    writer.varint(0x08);
  }
  writer.close(tag, mark);
}

function writeText(batch: SpanBatch, tag: number, index: number): void {
  const { strings } = batch;
  if (index !== 0) writeRange(tag, strings.bytes, strings.ends[index - 1]!, strings.ends[index]!);
}

/** Writes a length-delimited field, unless it is empty. */
function writeRange(tag: number, source: Uint8Array, start: number, end: number): void {
  if (start === end) return;
  writer.bytes(source, start, end);
  writer.varint(end - start);
  writer.varint(tag);
}
