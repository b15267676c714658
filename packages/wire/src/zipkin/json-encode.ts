import type { SpanBatch } from '@clew/model';
import { appendUnsigned } from '../json/decimal.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { ZipkinSpanView } from './span-view.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';

const out = new JsonWriter();
const view = new ZipkinSpanView();

const COMMA = 0x2c;
const KIND_MEMBERS = ['', ',"kind":"CLIENT"', ',"kind":"SERVER"', ',"kind":"PRODUCER"', ',"kind":"CONSUMER"'] as const;

/**
 * The spans of `batch` as a Zipkin v2 JSON list, members in the order of Zipkin's own writer and absent ones left out.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV2Json(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  const { rows } = options;
  const count = rows === undefined ? batch.count : rows.length;
  view.open(batch, options, false);
  try {
    out.byte(0x5b);
    for (let at = 0; at < count; at++) {
      if (at > 0) out.byte(COMMA);
      view.load(rows === undefined ? at : rows[at]!);
      writeSpan();
    }
    out.byte(0x5d);
    return out.bytes.slice(0, out.length);
  } finally {
    out.reset();
    view.release();
  }
}

function writeSpan(): void {
  const { batch, row, texts } = view;
  out.ascii('{"traceId":');
  writeTraceId(out, batch, row);
  writeId(',"parentId":', batch.parentIds, row * 8);
  writeId(',"id":', batch.spanIds, row * 8);
  out.ascii(KIND_MEMBERS[view.kind]!);
  if (view.nameEnd > view.nameStart) {
    out.ascii(',"name":');
    out.string(texts.bytes, view.nameStart, view.nameEnd);
  }
  writeMicros(',"timestamp":', view.timestampLo, view.timestampHi);
  writeMicros(',"duration":', view.durationLo, view.durationHi);
  writeEndpoint(',"localEndpoint":{', view.local);
  writeEndpoint(',"remoteEndpoint":{', view.remote);
  writeAnnotations();
  writeTags();
  if (view.isDebug) out.ascii(',"debug":true');
  if (view.isShared) out.ascii(',"shared":true');
  out.byte(0x7d);
}

/** Writes a trace id: 16 digits when the upper half is zero. */
export function writeTraceId(to: JsonWriter, batch: SpanBatch, row: number): void {
  const { traceIds } = batch;
  let high = 0;
  for (let i = row * 16; i < row * 16 + 8; i++) high |= traceIds[i]!;
  to.hex(traceIds, high === 0 ? row * 16 + 8 : row * 16, row * 16 + 16);
}

function writeId(name: string, ids: Uint8Array, at: number): void {
  let any = 0;
  for (let i = at; i < at + 8; i++) any |= ids[i]!;
  if (any === 0) return;
  out.ascii(name);
  out.hex(ids, at, at + 8);
}

function writeMicros(name: string, lo: number, hi: number): void {
  if ((lo | hi) === 0) return;
  out.ascii(name);
  appendUnsigned(out, lo, hi);
}

/** Separates members: none was written when the object was just opened. */
function comma(to: JsonWriter): void {
  if (to.bytes[to.length - 1] !== 0x7b) to.byte(COMMA);
}

function writeEndpoint(name: string, endpoint: EndpointView): void {
  if (endpoint.isEmpty) return;
  out.ascii(name);
  writeEndpointMembers(out, view.texts.bytes, endpoint);
  out.byte(0x7d);
}

/** Writes what an endpoint has, between the braces. */
export function writeEndpointMembers(to: JsonWriter, texts: Uint8Array, endpoint: EndpointView): void {
  const member = (name: string, start: number, end: number): void => {
    if (end === start) return;
    comma(to);
    to.ascii(name);
    to.string(texts, start, end);
  };
  member('"serviceName":', endpoint.serviceStart, endpoint.serviceEnd);
  member('"ipv4":', endpoint.ipv4Start, endpoint.ipv4End);
  member('"ipv6":', endpoint.ipv6Start, endpoint.ipv6End);
  if (endpoint.port === 0) return;
  comma(to);
  to.ascii('"port":');
  appendUnsigned(to, endpoint.port, 0);
}

function writeAnnotations(): void {
  const { annotations, texts } = view;
  const { order, timeLo, timeHi, textStart, textEnd } = annotations;
  if (order.length === 0) return;
  out.ascii(',"annotations":[');
  for (const [at, row] of order.entries()) {
    if (at > 0) out.byte(COMMA);
    out.ascii('{"timestamp":');
    appendUnsigned(out, timeLo[row]!, timeHi[row]!);
    out.ascii(',"value":');
    out.string(texts.bytes, textStart[row]!, textEnd[row]!);
    out.byte(0x7d);
  }
  out.byte(0x5d);
}

function writeTags(): void {
  const { tags, texts } = view;
  const { order, keyStart, keyEnd, textStart, textEnd } = tags;
  if (order.length === 0) return;
  out.ascii(',"tags":{');
  for (const [at, row] of order.entries()) {
    if (at > 0) out.byte(COMMA);
    out.string(texts.bytes, keyStart[row]!, keyEnd[row]!);
    out.byte(0x3a);
    out.string(texts.bytes, textStart[row]!, textEnd[row]!);
  }
  out.byte(0x7d);
}
