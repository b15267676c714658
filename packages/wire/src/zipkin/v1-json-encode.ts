import { ValueType, doubleOfWords } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { appendSigned, appendUnsigned } from '../json/decimal.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { writeEndpointMembers, writeTraceId } from './json-encode.ts';
import { ZipkinSpanView } from './span-view.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';
import { V1SpanView, isRenamedTag, v1TypeOf } from './v1-view.ts';

const out = new JsonWriter();
const view = new ZipkinSpanView();
const v1 = new V1SpanView();

/**
 * The spans of `batch` as a Zipkin v1 JSON list. Attributes keep the types v1 knows: booleans, integers, doubles and bytes.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV1Json(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  const { rows } = options;
  const count = rows === undefined ? batch.count : rows.length;
  view.open(batch, options, false);
  try {
    out.byte(0x5b);
    for (let at = 0; at < count; at++) {
      if (at > 0) out.byte(0x2c);
      view.load(rows === undefined ? at : rows[at]!);
      v1.load(view);
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
  out.ascii(',"name":');
  out.string(texts.bytes, view.nameStart, view.nameEnd);
  if (v1.hasOwnTimes) {
    writeMicros(',"timestamp":', view.timestampLo, view.timestampHi);
    writeMicros(',"duration":', view.durationLo, view.durationHi);
  }
  writeAnnotations();
  writeBinaryAnnotations();
  if (view.isDebug) out.ascii(',"debug":true');
  out.byte(0x7d);
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

function separate(): void {
  if (out.bytes[out.length - 1] !== 0x5b) out.byte(0x2c);
}

/** Writes the endpoint of an annotation and ends the annotation. */
function endWith(endpoint: EndpointView): void {
  if (!endpoint.isEmpty) {
    out.ascii(',"endpoint":{');
    writeEndpointMembers(out, view.texts.bytes, endpoint);
    out.byte(0x7d);
  }
  out.byte(0x7d);
}

function writeAnnotations(): void {
  const { annotations, local, texts } = view;
  out.ascii(',"annotations":[');
  for (let at = 0; at < v1.coreCount; at++) {
    separate();
    out.ascii('{"timestamp":');
    appendUnsigned(out, v1.coreTimes[at as 0 | 1].lo, v1.coreTimes[at as 0 | 1].hi);
    out.ascii(`,"value":"${v1.coreNames[at]!}"`);
    endWith(local);
  }
  for (const at of annotations.order) {
    separate();
    out.ascii('{"timestamp":');
    appendUnsigned(out, annotations.timeLo[at]!, annotations.timeHi[at]!);
    out.ascii(',"value":');
    out.string(texts.bytes, annotations.textStart[at]!, annotations.textEnd[at]!);
    endWith(local);
  }
  out.byte(0x5d);
}

function writeBinaryAnnotations(): void {
  const { local, remote, tags, texts } = view;
  out.ascii(',"binaryAnnotations":[');
  for (const tag of tags.order) {
    separate();
    out.ascii('{"key":');
    if (isRenamedTag(view, tag)) out.ascii('"lc"');
    else out.string(texts.bytes, tags.keyStart[tag]!, tags.keyEnd[tag]!);
    out.ascii(',"value":');
    writeValue(tag);
    endWith(local);
  }
  if (v1.needsMarker) {
    separate();
    out.ascii('{"key":"lc","value":""');
    endWith(local);
  }
  if (v1.addressKey !== '') {
    separate();
    out.ascii(`{"key":"${v1.addressKey}","value":true`);
    endWith(remote);
  }
  out.byte(0x5d);
}

/** Writes a value, and the type when the value does not tell it. */
function writeValue(tag: number): void {
  const { batch, tags, texts } = view;
  const { spanAttrs, heap } = batch;
  const attribute = tags.attribute[tag]!;
  const lo = spanAttrs.lo[attribute]!;
  const hi = spanAttrs.hi[attribute]!;
  switch (v1TypeOf(view, tag)) {
    case ValueType.BOOL:
      out.ascii(lo === 0 ? 'false' : 'true');
      break;
    case ValueType.INT:
      appendSigned(out, lo, hi);
      out.ascii(',"type":"I64"');
      break;
    case ValueType.DOUBLE:
      out.double(doubleOfWords(lo, hi));
      out.ascii(',"type":"DOUBLE"');
      break;
    case ValueType.BYTES:
      out.base64(heap, lo, lo + hi);
      out.ascii(',"type":"BYTES"');
      break;
    default:
      out.string(texts.bytes, tags.textStart[tag]!, tags.textEnd[tag]!);
  }
}
