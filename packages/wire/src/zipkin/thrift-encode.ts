import { ValueType, bytesOfText } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { BinaryWriter } from '../thrift/binary-writer.ts';
import { ThriftType } from '../thrift/types.ts';
import type { ThriftWriter } from '../thrift/writer.ts';
import { parseAddress, parsedAddress } from './addresses.ts';
import { ZipkinSpanView } from './span-view.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';
import { AnnotationType } from './thrift-decode.ts';
import { V1SpanView, isRenamedTag, v1TypeOf } from './v1-view.ts';

/** The output buffer kept between calls is at most this large. */
const KEEP_BYTES = 8 * 1024 * 1024;

const view = new ZipkinSpanView();
const v1 = new V1SpanView();
const binaryWriter = new BinaryWriter();
const LC = bytesOfText('lc');
const TRUE = Uint8Array.of(1);
const NOTHING = new Uint8Array(0);
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * The spans of `batch` as a `list<zipkincore.Span>` in Thrift's binary protocol. Attributes keep the types v1 knows: booleans,
 * integers, doubles and bytes.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV1Thrift(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  try {
    writeZipkinThriftSpans(binaryWriter, batch, options);
    return binaryWriter.finish();
  } finally {
    binaryWriter.reset(KEEP_BYTES);
  }
}

/** Writes the spans of `batch` as a `list<zipkincore.Span>`, header included, to `writer`; as {@link encodeZipkinV1Thrift}. */
export function writeZipkinThriftSpans(
  writer: ThriftWriter,
  batch: SpanBatch,
  options: ZipkinEncodeOptions = {},
): void {
  const { rows } = options;
  const count = rows === undefined ? batch.count : rows.length;
  view.open(batch, options, true);
  try {
    writer.list(ThriftType.STRUCT, count);
    for (let at = 0; at < count; at++) {
      view.load(rows === undefined ? at : rows[at]!);
      v1.load(view);
      writeSpan(writer);
    }
  } finally {
    view.release();
  }
}

function writeSpan(writer: ThriftWriter): void {
  const { batch, row, texts } = view;
  writer.field(ThriftType.I64, 1, 0);
  writeId(writer, batch.traceIds, row * 16 + 8);
  writer.field(ThriftType.STRING, 3, 1);
  writer.binary(texts.bytes, view.nameStart, view.nameEnd);
  writer.field(ThriftType.I64, 4, 3);
  writeId(writer, batch.spanIds, row * 8);
  let previous = 4;
  if (!isZeros(batch.parentIds, row * 8)) {
    writer.field(ThriftType.I64, 5, previous);
    writeId(writer, batch.parentIds, row * 8);
    previous = 5;
  }
  writer.field(ThriftType.LIST, 6, previous);
  writeAnnotations(writer);
  writer.field(ThriftType.LIST, 8, 6);
  writeBinaryAnnotations(writer);
  previous = 8;
  if (view.isDebug) {
    writer.boolField(true, 9, previous);
    previous = 9;
  }
  if (v1.hasOwnTimes) {
    previous = writeMicros(writer, 10, previous, view.timestampLo, view.timestampHi);
    previous = writeMicros(writer, 11, previous, view.durationLo, view.durationHi);
  }
  if (!isZeros(batch.traceIds, row * 16)) {
    writer.field(ThriftType.I64, 12, previous);
    writeId(writer, batch.traceIds, row * 16);
  }
  writer.stop();
}

function writeMicros(writer: ThriftWriter, id: number, previous: number, lo: number, hi: number): number {
  if ((lo | hi) === 0) return previous;
  writer.field(ThriftType.I64, id, previous);
  writer.i64(lo, hi);
  return id;
}

function writeId(writer: ThriftWriter, bytes: Uint8Array, at: number): void {
  writer.i64(wordAt(bytes, at + 4) >>> 0, wordAt(bytes, at) >>> 0);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function isZeros(bytes: Uint8Array, at: number): boolean {
  return (wordAt(bytes, at) | wordAt(bytes, at + 4)) === 0;
}

function writeAnnotations(writer: ThriftWriter): void {
  const { annotations, texts } = view;
  writer.list(ThriftType.STRUCT, v1.coreCount + annotations.order.length);
  for (let at = 0; at < v1.coreCount; at++) {
    const name = bytesOfText(v1.coreNames[at]!);
    const time = v1.coreTimes[at as 0 | 1];
    writeAnnotation(writer, time.lo, time.hi, name, 0, name.length);
  }
  for (const at of annotations.order) {
    const { timeLo, timeHi, textStart, textEnd } = annotations;
    writeAnnotation(writer, timeLo[at]!, timeHi[at]!, texts.bytes, textStart[at]!, textEnd[at]!);
  }
}

function writeAnnotation(
  writer: ThriftWriter,
  lo: number,
  hi: number,
  text: Uint8Array,
  start: number,
  end: number,
): void {
  writer.field(ThriftType.I64, 1, 0);
  writer.i64(lo, hi);
  writer.field(ThriftType.STRING, 2, 1);
  writer.binary(text, start, end);
  writeHost(writer, 3, 2, view.local);
  writer.stop();
}

function writeHost(writer: ThriftWriter, id: number, previous: number, endpoint: EndpointView): void {
  if (endpoint.isEmpty) return;
  const { bytes } = view.texts;
  writer.field(ThriftType.STRUCT, id, previous);
  writer.field(ThriftType.I32, 1, 0);
  const hasIpv4 = parseAddress(bytes, endpoint.ipv4Start, endpoint.ipv4End) === 4;
  writer.i32(hasIpv4 ? wordAt(parsedAddress, 0) : 0);
  writer.field(ThriftType.I16, 2, 1);
  // Ports above 32,767 are negative here.
  writer.i16((endpoint.port << 16) >> 16);
  writer.field(ThriftType.STRING, 3, 2);
  writer.binary(bytes, endpoint.serviceStart, endpoint.serviceEnd);
  if (parseAddress(bytes, endpoint.ipv6Start, endpoint.ipv6End) === 6) {
    writer.field(ThriftType.STRING, 4, 3);
    writer.binary(parsedAddress, 0, 16);
  }
  writer.stop();
}

function writeBinaryAnnotations(writer: ThriftWriter): void {
  const { local, remote, tags, texts } = view;
  const others = (v1.needsMarker ? 1 : 0) + (v1.addressKey === '' ? 0 : 1);
  writer.list(ThriftType.STRUCT, tags.order.length + others);
  for (const tag of tags.order) {
    writer.field(ThriftType.STRING, 1, 0);
    if (isRenamedTag(view, tag)) writer.binary(LC, 0, LC.length);
    else writer.binary(texts.bytes, tags.keyStart[tag]!, tags.keyEnd[tag]!);
    writeTyped(writer, tag);
    writeHost(writer, 4, 3, local);
    writer.stop();
  }
  if (v1.needsMarker) {
    writer.field(ThriftType.STRING, 1, 0);
    writer.binary(LC, 0, LC.length);
    writeValue(writer, NOTHING, 0, 0, AnnotationType.STRING);
    writeHost(writer, 4, 3, local);
    writer.stop();
  }
  if (v1.addressKey === '') return;
  const key = bytesOfText(v1.addressKey);
  writer.field(ThriftType.STRING, 1, 0);
  writer.binary(key, 0, key.length);
  writeValue(writer, TRUE, 0, 1, AnnotationType.BOOL);
  writeHost(writer, 4, 3, remote);
  writer.stop();
}

function writeValue(writer: ThriftWriter, bytes: Uint8Array, start: number, end: number, type: number): void {
  writer.field(ThriftType.STRING, 2, 1);
  writer.binary(bytes, start, end);
  writer.field(ThriftType.I32, 3, 2);
  writer.i32(type);
}

function writeTyped(writer: ThriftWriter, tag: number): void {
  const { batch, tags, texts } = view;
  const { spanAttrs, heap } = batch;
  const attribute = tags.attribute[tag]!;
  const lo = spanAttrs.lo[attribute]!;
  const hi = spanAttrs.hi[attribute]!;
  const type = v1TypeOf(view, tag);
  switch (type) {
    case ValueType.BOOL:
      scratchBytes[0] = lo;
      writeValue(writer, scratchBytes, 0, 1, AnnotationType.BOOL);
      break;
    case ValueType.INT:
    case ValueType.DOUBLE:
      scratch.setUint32(0, hi);
      scratch.setUint32(4, lo);
      writeValue(writer, scratchBytes, 0, 8, type === ValueType.INT ? AnnotationType.I64 : AnnotationType.DOUBLE);
      break;
    case ValueType.BYTES:
      writeValue(writer, heap, lo, lo + hi, AnnotationType.BYTES);
      break;
    default:
      writeValue(writer, texts.bytes, tags.textStart[tag]!, tags.textEnd[tag]!, AnnotationType.STRING);
  }
}
