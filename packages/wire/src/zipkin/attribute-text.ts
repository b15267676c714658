import { ValueType, canonicalJson, decodeArray, decodeKeyValueList, doubleOfWords } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { appendSigned, appendUnsigned } from '../json/decimal.ts';
import { JsonWriter } from '../json/json-writer.ts';
import type { TextBuffer } from '../json/text-buffer.ts';
import { jsonOfDouble, jsonOfValue } from './attribute-json.ts';

/** Attributes, events and links as the texts that Zipkin's tags and annotations are. */

const encoder = new TextEncoder();
const json = new JsonWriter();
const PIPE = 0x7c;

function appendText(out: TextBuffer, text: string): void {
  const bytes = encoder.encode(text);
  out.append(bytes, 0, bytes.length);
}

/**
 * Appends attribute `row` as text: strings as they are, numbers in decimal, bytes as base64, arrays and maps as JSON, the
 * empty value as nothing.
 */
export function writeValueText(out: TextBuffer, batch: SpanBatch, table: AttributeTable, row: number): void {
  const lo = table.lo[row]!;
  const hi = table.hi[row]!;
  switch (table.types[row]) {
    case ValueType.STRING:
      out.append(batch.heap, lo, lo + hi);
      break;
    case ValueType.BOOL:
      out.ascii(lo === 0 ? 'false' : 'true');
      break;
    case ValueType.INT:
      appendSigned(out, lo, hi);
      break;
    case ValueType.DOUBLE:
      out.ascii(textOfDouble(doubleOfWords(lo, hi)));
      break;
    case ValueType.BYTES:
      json.length = 0;
      json.base64(batch.heap, lo, lo + hi);
      out.append(json.bytes, 1, json.length - 1);
      json.reset();
      break;
    case ValueType.ARRAY:
      appendText(out, canonicalJson(decodeArray(batch.heap, lo, lo + hi)));
      break;
    case ValueType.KVLIST:
      appendText(out, canonicalJson(decodeKeyValueList(batch.heap, lo, lo + hi)));
      break;
    default: // empty
  }
}

function textOfDouble(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Appends an event as the text of an annotation: its name, or `name|attributes|dropped`. */
export function writeEventText(out: JsonWriter, batch: SpanBatch, event: number): void {
  const { events, strings } = batch;
  const name = events.names[event]!;
  const first = event === 0 ? 0 : events.attrEnd[event - 1]!;
  const end = events.attrEnd[event]!;
  const dropped = events.dropped[event]!;
  out.append(strings.bytes, strings.start(name), strings.ends[name]!);
  if (first === end && dropped === 0) return;
  out.byte(PIPE);
  writeAttributesJson(out, batch, batch.eventAttrs, first, end);
  out.byte(PIPE);
  appendUnsigned(out, dropped, 0);
}

/** Appends a link as the text of its tag: `trace id|span id|trace state|attributes|dropped`. */
export function writeLinkText(out: JsonWriter, batch: SpanBatch, link: number): void {
  const { links, strings } = batch;
  const state = links.states[link]!;
  appendHex(out, links.traceIds, link * 16, 16);
  out.byte(PIPE);
  appendHex(out, links.spanIds, link * 8, 8);
  out.byte(PIPE);
  out.append(strings.bytes, strings.start(state), strings.ends[state]!);
  out.byte(PIPE);
  writeAttributesJson(out, batch, batch.linkAttrs, link === 0 ? 0 : links.attrEnd[link - 1]!, links.attrEnd[link]!);
  out.byte(PIPE);
  appendUnsigned(out, links.dropped[link]!, 0);
}

function appendHex(out: TextBuffer, bytes: Uint8Array, at: number, width: number): void {
  for (let i = at; i < at + width; i++) out.ascii(bytes[i]!.toString(16).padStart(2, '0'));
}

function writeAttributesJson(
  out: JsonWriter,
  batch: SpanBatch,
  table: AttributeTable,
  first: number,
  end: number,
): void {
  const { strings } = batch;
  out.byte(0x7b);
  for (let row = first; row < end; row++) {
    if (row > first) out.byte(0x2c);
    const key = table.keys[row]!;
    out.string(strings.bytes, strings.start(key), strings.ends[key]!);
    out.byte(0x3a);
    writeValueJson(out, batch, table, row);
  }
  out.byte(0x7d);
}

function writeValueJson(out: JsonWriter, batch: SpanBatch, table: AttributeTable, row: number): void {
  const lo = table.lo[row]!;
  const hi = table.hi[row]!;
  switch (table.types[row]) {
    case ValueType.STRING:
      out.string(batch.heap, lo, lo + hi);
      break;
    case ValueType.BOOL:
      out.ascii(lo === 0 ? 'false' : 'true');
      break;
    case ValueType.INT:
      appendSigned(out, lo, hi);
      break;
    case ValueType.DOUBLE:
      out.ascii(jsonOfDouble(doubleOfWords(lo, hi)));
      break;
    case ValueType.BYTES:
      out.base64(batch.heap, lo, lo + hi);
      break;
    case ValueType.ARRAY:
      appendText(out, jsonOfValue(decodeArray(batch.heap, lo, lo + hi)));
      break;
    case ValueType.KVLIST:
      appendText(out, jsonOfValue(decodeKeyValueList(batch.heap, lo, lo + hi)));
      break;
    default:
      out.ascii('null');
  }
}
