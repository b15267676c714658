import { ValueType, doubleOfWords } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { appendSigned, appendUnsigned } from '../json/decimal.ts';
import type { EndpointView } from './endpoint-view.ts';
import { JsonListWriter } from './json-list-writer.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';
import { V1SpanView, isRenamedTag, v1TypeOf } from './v1-view.ts';

const writer = new JsonListWriter();
const v1 = new V1SpanView();

/**
 * The spans of `batch` as a Zipkin v1 JSON list. Attributes keep the types v1 knows: booleans, integers, doubles and bytes.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV1Json(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  return writer.list(batch, options, writeSpan);
}

function writeSpan(): void {
  const { out, view } = writer;
  v1.load(view);
  writer.ids();
  out.ascii(',"name":');
  writer.text(view.nameStart, view.nameEnd);
  if (v1.hasOwnTimes) writer.times();
  writeAnnotations();
  writeBinaryAnnotations();
  if (view.isDebug) out.ascii(',"debug":true');
  out.byte(0x7d);
}

function separate(): void {
  const { out } = writer;
  if (out.bytes[out.length - 1] !== 0x5b) out.byte(0x2c);
}

/** Ends an annotation with its endpoint. */
function endWith(endpoint: EndpointView): void {
  writer.endpoint('endpoint', endpoint);
  writer.out.byte(0x7d);
}

function writeAnnotations(): void {
  const { out, view } = writer;
  const { annotations, local } = view;
  out.ascii(',"annotations":[');
  for (let at = 0; at < v1.coreCount; at++) {
    beginAnnotation(v1.coreTimes[at as 0 | 1].lo, v1.coreTimes[at as 0 | 1].hi);
    out.ascii(`"${v1.coreNames[at]!}"`);
    endWith(local);
  }
  for (const at of annotations.order) {
    beginAnnotation(annotations.timeLo[at]!, annotations.timeHi[at]!);
    writer.text(annotations.textStart[at]!, annotations.textEnd[at]!);
    endWith(local);
  }
  out.byte(0x5d);
}

function beginAnnotation(lo: number, hi: number): void {
  const { out } = writer;
  separate();
  out.ascii('{"timestamp":');
  appendUnsigned(out, lo, hi);
  out.ascii(',"value":');
}

function writeBinaryAnnotations(): void {
  const { out, view } = writer;
  const { local, remote, tags } = view;
  out.ascii(',"binaryAnnotations":[');
  for (const tag of tags.order) {
    separate();
    out.ascii('{"key":');
    if (isRenamedTag(view, tag)) out.ascii('"lc"');
    else writer.text(tags.keyStart[tag]!, tags.keyEnd[tag]!);
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
  const { out, view } = writer;
  const { batch, tags } = view;
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
      writer.text(tags.textStart[tag]!, tags.textEnd[tag]!);
  }
}
