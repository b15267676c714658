import { ValueType, compactBatch } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { appendSigned, appendUnsigned } from '../json/decimal.ts';
import { NestedJson } from './json-nested.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { SpanGroups } from './span-groups.ts';

const out = new JsonWriter();
const groups = new SpanGroups();
const doubles = new DataView(new ArrayBuffer(8));

const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const QUOTE = 0x22;

/**
 * The spans of `batch` (or those of `rows`) as an OTLP/JSON `ExportTraceServiceRequest`, grouped as `encodeTraces`
 * does. As the reference writes it: ids in lower-case hexadecimal and always there, 64-bit numbers as decimal strings,
 * enums as numbers, other defaults left out. Text that is not valid UTF-8 cannot be JSON: it is replaced by U+FFFD.
 * Works pending edits in first.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span but for arrays, maps and doubles, and a list of
 * the rows of each scope.
 */
export function encodeTracesJson(batch: SpanBatch, rows?: ArrayLike<number>): Uint8Array {
  compactBatch(batch);
  groups.build(batch, rows);
  try {
    writeRequest(batch);
    return out.bytes.slice(0, out.length);
  } finally {
    out.reset();
    groups.release();
  }
}

function writeRequest(batch: SpanBatch): void {
  const resources = forwards(groups.lastResource, groups.resourceBefore);
  if (resources.length === 0) {
    out.ascii('{}');
    return;
  }
  out.ascii('{"resourceSpans":[');
  for (const [at, resource] of resources.entries()) {
    if (at > 0) out.byte(COMMA);
    writeResourceSpans(batch, resource);
  }
  out.ascii(']}');
}

/** A chain of {@link SpanGroups}, which runs backwards, in its order. */
function forwards(last: number, before: Int32Array): number[] {
  const chain: number[] = [];
  for (let at = last; at >= 0; at = before[at]!) chain.push(at);
  return chain.reverse();
}

/** Writes a comma unless an object or array was just opened, then the member's name. */
function member(name: string): void {
  const before = out.bytes[out.length - 1];
  if (before !== OPEN && before !== OPEN_LIST) out.byte(COMMA);
  out.ascii(name);
}

function separate(): void {
  if (out.bytes[out.length - 1] !== OPEN_LIST) out.byte(COMMA);
}

function writeResourceSpans(batch: SpanBatch, resource: number): void {
  const { resourceTable } = batch;
  out.ascii('{"resource":{');
  writeAttributes(batch, batch.resourceAttrs, resourceTable.attrEnd, resource);
  writeCount('"droppedAttributesCount":', resourceTable.dropped[resource]!);
  const refsLength = resourceTable.entityRefs[resource * 2 + 1]!;
  if (refsLength > 0) {
    const refsAt = resourceTable.entityRefs[resource * 2]!;
    member('"entityRefs":');
    new NestedJson(batch.heap, out).entityRefs(refsAt, refsAt + refsLength);
  }
  out.ascii('},"scopeSpans":[');
  for (const scope of forwards(groups.lastScope[resource]!, groups.scopeBefore)) {
    separate();
    writeScopeSpans(batch, scope);
  }
  out.byte(CLOSE_LIST);
  writeString(batch, '"schemaUrl":', resourceTable.schemaUrls[resource]!);
  out.byte(CLOSE);
}

function writeScopeSpans(batch: SpanBatch, scope: number): void {
  const { scopeTable } = batch;
  out.ascii('{"scope":{');
  writeString(batch, '"name":', scopeTable.names[scope]!);
  writeString(batch, '"version":', scopeTable.versions[scope]!);
  writeAttributes(batch, batch.scopeAttrs, scopeTable.attrEnd, scope);
  writeCount('"droppedAttributesCount":', scopeTable.dropped[scope]!);
  out.ascii('},"spans":[');
  for (const at of forwards(groups.lastRow[scope]!, groups.rowBefore)) {
    separate();
    writeSpan(batch, groups.rows === undefined ? at : groups.rows[at]!);
  }
  out.byte(CLOSE_LIST);
  writeString(batch, '"schemaUrl":', scopeTable.schemaUrls[scope]!);
  out.byte(CLOSE);
}

function writeSpan(batch: SpanBatch, row: number): void {
  const { times } = batch;
  const t = row * 4;
  out.ascii('{"traceId":');
  writeId(batch.traceIds, row * 16, 16);
  out.ascii(',"spanId":');
  writeId(batch.spanIds, row * 8, 8);
  writeString(batch, '"traceState":', batch.traceStates[row]!);
  out.ascii(',"parentSpanId":');
  writeId(batch.parentIds, row * 8, 8);
  writeCount('"flags":', batch.flags[row]!);
  writeString(batch, '"name":', batch.names[row]!);
  writeCount('"kind":', batch.kinds[row]!);
  writeTime('"startTimeUnixNano":"', times[t]!, times[t + 1]!);
  writeTime('"endTimeUnixNano":"', times[t + 2]!, times[t + 3]!);
  writeAttributes(batch, batch.spanAttrs, batch.attrEnd, row);
  writeCount('"droppedAttributesCount":', batch.droppedAttributes[row]!);
  writeEvents(batch, row);
  writeCount('"droppedEventsCount":', batch.droppedEvents[row]!);
  writeLinks(batch, row);
  writeCount('"droppedLinksCount":', batch.droppedLinks[row]!);
  out.ascii(',"status":{');
  writeString(batch, '"message":', batch.statusMessages[row]!);
  writeCount('"code":', batch.statusCodes[row]!);
  out.ascii('}}');
}

function writeEvents(batch: SpanBatch, row: number): void {
  const { events } = batch;
  const first = runStart(batch.eventEnd, row);
  const end = batch.eventEnd[row]!;
  if (first === end) return;
  member('"events":[');
  for (let event = first; event < end; event++) {
    separate();
    out.byte(OPEN);
    writeTime('"timeUnixNano":"', events.times[event * 2]!, events.times[event * 2 + 1]!);
    writeString(batch, '"name":', events.names[event]!);
    writeAttributes(batch, batch.eventAttrs, events.attrEnd, event);
    writeCount('"droppedAttributesCount":', events.dropped[event]!);
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function writeLinks(batch: SpanBatch, row: number): void {
  const { links } = batch;
  const first = runStart(batch.linkEnd, row);
  const end = batch.linkEnd[row]!;
  if (first === end) return;
  member('"links":[');
  for (let link = first; link < end; link++) {
    separate();
    out.ascii('{"traceId":');
    writeId(links.traceIds, link * 16, 16);
    out.ascii(',"spanId":');
    writeId(links.spanIds, link * 8, 8);
    writeString(batch, '"traceState":', links.states[link]!);
    writeAttributes(batch, batch.linkAttrs, links.attrEnd, link);
    writeCount('"droppedAttributesCount":', links.dropped[link]!);
    writeCount('"flags":', links.flags[link]!);
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function writeAttributes(batch: SpanBatch, table: AttributeTable, ends: Uint32Array, owner: number): void {
  const { strings } = batch;
  const first = runStart(ends, owner);
  const end = ends[owner]!;
  if (first === end) return;
  member('"attributes":[');
  for (let row = first; row < end; row++) {
    separate();
    const key = table.keys[row]!;
    out.ascii('{"key":');
    out.string(strings.bytes, strings.start(key), strings.ends[key]!);
    out.ascii(',"value":{');
    writeValue(batch, table, row);
    out.ascii('}}');
  }
  out.byte(CLOSE_LIST);
}

function writeValue(batch: SpanBatch, table: AttributeTable, row: number): void {
  const lo = table.lo[row]!;
  const hi = table.hi[row]!;
  switch (table.types[row]) {
    case ValueType.STRING:
      out.ascii('"stringValue":');
      out.string(batch.heap, lo, lo + hi);
      break;
    case ValueType.BOOL:
      out.ascii(lo === 0 ? '"boolValue":false' : '"boolValue":true');
      break;
    case ValueType.INT:
      out.ascii('"intValue":"');
      appendSigned(out, lo, hi);
      out.byte(QUOTE);
      break;
    case ValueType.DOUBLE:
      doubles.setUint32(0, lo, true);
      doubles.setUint32(4, hi, true);
      out.ascii('"doubleValue":');
      out.double(doubles.getFloat64(0, true));
      break;
    case ValueType.BYTES:
      out.ascii('"bytesValue":');
      out.base64(batch.heap, lo, lo + hi);
      break;
    case ValueType.ARRAY:
    case ValueType.KVLIST: {
      const keyed = table.types[row] === ValueType.KVLIST;
      out.ascii(keyed ? '"kvlistValue":' : '"arrayValue":');
      new NestedJson(batch.heap, out).values(lo, lo + hi, keyed);
      break;
    }
    default: // EMPTY: an AnyValue without a member
  }
}

function runStart(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

function writeString(batch: SpanBatch, name: string, index: number): void {
  if (index === 0) return;
  const { strings } = batch;
  member(name);
  out.string(strings.bytes, strings.ends[index - 1]!, strings.ends[index]!);
}

function writeCount(name: string, value: number): void {
  if (value === 0) return;
  member(name);
  if (value < 0) {
    out.byte(0x2d);
    appendUnsigned(out, -value, 0);
  } else appendUnsigned(out, value, 0);
}

function writeTime(name: string, lo: number, hi: number): void {
  if ((lo | hi) === 0) return;
  member(name);
  appendUnsigned(out, lo, hi);
  out.byte(QUOTE);
}

/** Writes an id; one of zeros is an absent one and an empty string. */
function writeId(source: Uint8Array, at: number, width: 8 | 16): void {
  let any = 0;
  for (let i = 0; i < width; i++) any |= source[at + i]!;
  if (any === 0) out.ascii('""');
  else out.hex(source, at, at + width);
}
