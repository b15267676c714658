import { writeSpanId, writeTraceId } from '../ids.ts';
import type { PlainEvent, PlainLink, PlainResource, PlainScope, PlainSpan } from '../plain.ts';
import { highWord, lowWord } from '../times.ts';
import { encodeArray, encodeKeyValueList, writeDoubleWords } from '../values/codec.ts';
import { isArray, valueTypeOf, type AttributeValue, type KeyValue } from '../values/value.ts';
import { bytesOfText } from '../text.ts';
import { ValueType, type AttributeTable } from './attribute-table.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * Appends plain objects to a batch: for tests and for receivers whose format is too rare or too odd to decode from
 * bytes into columns. Order matters as in the columns themselves: a resource before its scopes, a scope before its spans,
 * and a span's events and links before the next span.
 */

/** Adds a resource row and returns it. */
export function appendResource(batch: SpanBatch, resource: PlainResource): number {
  const row = batch.resourceTable.add(batch.resourceAttrs.count);
  appendAttributes(batch, batch.resourceAttrs, resource.attributes);
  const table = batch.resourceTable;
  table.attrEnd[row] = batch.resourceAttrs.count;
  table.dropped[row] = resource.droppedAttributes;
  table.schemaUrls[row] = batch.strings.internText(resource.schemaUrl);
  if (resource.entityRefs.length > 0) {
    table.entityRefs[row * 2] = batch.appendHeap(resource.entityRefs, 0, resource.entityRefs.length);
    table.entityRefs[row * 2 + 1] = resource.entityRefs.length;
  }
  return row;
}

/** Adds a scope row of `resource` and returns it. */
export function appendScope(batch: SpanBatch, resource: number, scope: PlainScope): number {
  const row = batch.scopeTable.add(resource, batch.scopeAttrs.count);
  appendAttributes(batch, batch.scopeAttrs, scope.attributes);
  const table = batch.scopeTable;
  table.attrEnd[row] = batch.scopeAttrs.count;
  table.names[row] = batch.strings.internText(scope.name);
  table.versions[row] = batch.strings.internText(scope.version);
  table.schemaUrls[row] = batch.strings.internText(scope.schemaUrl);
  table.dropped[row] = scope.droppedAttributes;
  return row;
}

/** A span's own fields and attributes, without what lies in other tables. */
export type PlainSpanFields = Omit<PlainSpan, 'resource' | 'scope' | 'events' | 'links'>;

/** Adds a span of `scope` with its attributes and returns its row; follow with its events and links, then `batch.endSpan(row)`. */
export function appendSpan(batch: SpanBatch, scope: number, span: PlainSpanFields): number {
  const row = batch.addSpan(scope);
  writeTraceId(span.traceId, batch.traceIds, row * 16);
  writeSpanId(span.spanId, batch.spanIds, row * 8);
  writeSpanId(span.parentSpanId, batch.parentIds, row * 8);
  batch.times[row * 4] = lowWord(span.startUnixNano);
  batch.times[row * 4 + 1] = highWord(span.startUnixNano);
  batch.times[row * 4 + 2] = lowWord(span.endUnixNano);
  batch.times[row * 4 + 3] = highWord(span.endUnixNano);
  batch.names[row] = batch.strings.internText(span.name);
  batch.kinds[row] = span.kind;
  batch.statusCodes[row] = span.statusCode;
  batch.statusMessages[row] = batch.strings.internText(span.statusMessage);
  batch.traceStates[row] = batch.strings.internText(span.traceState);
  batch.flags[row] = span.flags;
  batch.droppedAttributes[row] = span.droppedAttributes;
  batch.droppedEvents[row] = span.droppedEvents;
  batch.droppedLinks[row] = span.droppedLinks;
  appendAttributes(batch, batch.spanAttrs, span.attributes);
  batch.endSpan(row);
  return row;
}

/** Adds an event to the last span. */
export function appendEvent(batch: SpanBatch, event: PlainEvent): void {
  const table = batch.events;
  const row = table.add(batch.eventAttrs.count);
  table.times[row * 2] = lowWord(event.timeUnixNano);
  table.times[row * 2 + 1] = highWord(event.timeUnixNano);
  table.names[row] = batch.strings.internText(event.name);
  table.dropped[row] = event.droppedAttributes;
  appendAttributes(batch, batch.eventAttrs, event.attributes);
  table.attrEnd[row] = batch.eventAttrs.count;
}

/** Adds a link to the last span. */
export function appendLink(batch: SpanBatch, link: PlainLink): void {
  const table = batch.links;
  const row = table.add(batch.linkAttrs.count);
  writeTraceId(link.traceId, table.traceIds, row * 16);
  writeSpanId(link.spanId, table.spanIds, row * 8);
  table.states[row] = batch.strings.internText(link.traceState);
  table.flags[row] = link.flags;
  table.dropped[row] = link.droppedAttributes;
  appendAttributes(batch, batch.linkAttrs, link.attributes);
  table.attrEnd[row] = batch.linkAttrs.count;
}

/** Adds attributes to the row of `table` that is being written; its owner's `attrEnd` is the caller's to set. */
export function appendAttributes(batch: SpanBatch, table: AttributeTable, attributes: readonly KeyValue[]): void {
  for (const { key, value } of attributes) appendAttribute(batch, table, batch.strings.internText(key), value);
}

/** Adds one attribute to the row of `table` that is being written. */
export function appendAttribute(batch: SpanBatch, table: AttributeTable, key: number, value: AttributeValue): void {
  writeValueWords(batch, value, scratch);
  table.push(key, valueTypeOf(value), scratch[0]!, scratch[1]!);
}

/** Puts `value` as it lies in an attribute table into `words` (lo, hi); what needs bytes is appended to the heap. */
export function writeValueWords(batch: SpanBatch, value: AttributeValue, words: Uint32Array): void {
  words[0] = 0;
  words[1] = 0;
  switch (valueTypeOf(value)) {
    case ValueType.BOOL:
      words[0] = value === true ? 1 : 0;
      return;
    case ValueType.INT:
      words[0] = lowWord(value as bigint);
      words[1] = highWord(value as bigint);
      return;
    case ValueType.DOUBLE:
      writeDoubleWords(value as number, words, 0);
      return;
    case ValueType.EMPTY:
      return;
    default: {
      const bytes = bytesOfValue(value);
      words[0] = batch.appendHeap(bytes, 0, bytes.length);
      words[1] = bytes.length;
    }
  }
}

const scratch = new Uint32Array(2);

/** The heap bytes of a string, bytes, array or map. */
function bytesOfValue(value: AttributeValue): Uint8Array {
  if (typeof value === 'string') return bytesOfText(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'object' || value === null) return new Uint8Array(0);
  return isArray(value) ? encodeArray(value) : encodeKeyValueList(value);
}
