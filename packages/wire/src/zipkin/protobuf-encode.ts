import type { SpanBatch } from '@clew/model';
import { ReverseWriter } from '../protobuf/reverse-writer.ts';
import { parseAddress, parsedAddress } from './addresses.ts';
import { ZipkinSpanView } from './span-view.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';

/** The output buffer kept between calls is at most this large. */
const KEEP_BYTES = 8 * 1024 * 1024;

const writer = new ReverseWriter();
const view = new ZipkinSpanView();

/**
 * The spans of `batch` as a `zipkin.proto3.ListOfSpans`.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV2Protobuf(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  const { rows } = options;
  view.open(batch, options, true);
  try {
    // Backwards, as the writer runs.
    for (let at = rows === undefined ? batch.count : rows.length; at-- > 0;) {
      view.load(rows === undefined ? at : rows[at]!);
      const mark = writer.written;
      writeSpan();
      writer.close(0x0a, mark);
    }
    return writer.finish();
  } finally {
    writer.reset(KEEP_BYTES);
    view.release();
  }
}

/** Writes fields in reverse of their numbers. */
function writeSpan(): void {
  const { batch, row, texts, tags, annotations } = view;
  if (view.isShared) writeVarint(0x68, 1, 0);
  if (view.isDebug) writeVarint(0x60, 1, 0);
  for (let at = tags.order.length; at-- > 0;) {
    const tag = tags.order[at]!;
    const mark = writer.written;
    writeText(0x12, texts.bytes, tags.textStart[tag]!, tags.textEnd[tag]!);
    writeText(0x0a, texts.bytes, tags.keyStart[tag]!, tags.keyEnd[tag]!);
    writer.close(0x5a, mark);
  }
  for (let at = annotations.order.length; at-- > 0;) {
    const annotation = annotations.order[at]!;
    const mark = writer.written;
    writeText(0x12, texts.bytes, annotations.textStart[annotation]!, annotations.textEnd[annotation]!);
    writeFixed(0x09, annotations.timeLo[annotation]!, annotations.timeHi[annotation]!);
    writer.close(0x52, mark);
  }
  writeEndpoint(0x4a, view.remote);
  writeEndpoint(0x42, view.local);
  writeVarint(0x38, view.durationLo, view.durationHi);
  writeFixed(0x31, view.timestampLo, view.timestampHi);
  writeText(0x2a, texts.bytes, view.nameStart, view.nameEnd);
  writeVarint(0x20, view.kind, 0);
  writeBytes(0x1a, batch.spanIds, row * 8, 8);
  if (!isZeros(batch.parentIds, row * 8)) writeBytes(0x12, batch.parentIds, row * 8, 8);
  const isShort = isZeros(batch.traceIds, row * 16);
  writeBytes(0x0a, batch.traceIds, isShort ? row * 16 + 8 : row * 16, isShort ? 8 : 16);
}

function writeEndpoint(tag: number, endpoint: EndpointView): void {
  if (endpoint.isEmpty) return;
  const { bytes } = view.texts;
  const mark = writer.written;
  writeVarint(0x20, endpoint.port, 0);
  writeAddress(0x1a, bytes, endpoint.ipv6Start, endpoint.ipv6End);
  writeAddress(0x12, bytes, endpoint.ipv4Start, endpoint.ipv4End);
  writeText(0x0a, bytes, endpoint.serviceStart, endpoint.serviceEnd);
  writer.close(tag, mark);
}

function writeAddress(tag: number, bytes: Uint8Array, start: number, end: number): void {
  const version = parseAddress(bytes, start, end);
  if (version !== 0) writeBytes(tag, parsedAddress, 0, version === 4 ? 4 : 16);
}

function writeText(tag: number, bytes: Uint8Array, start: number, end: number): void {
  if (end > start) writeBytes(tag, bytes, start, end - start);
}

function writeBytes(tag: number, bytes: Uint8Array, start: number, length: number): void {
  const mark = writer.written;
  writer.bytes(bytes, start, start + length);
  writer.close(tag, mark);
}

function writeVarint(tag: number, lo: number, hi: number): void {
  if ((lo | hi) === 0) return;
  writer.varint64(lo, hi);
  writer.varint(tag);
}

function writeFixed(tag: number, lo: number, hi: number): void {
  if ((lo | hi) === 0) return;
  writer.words(lo, hi);
  writer.varint(tag);
}

function isZeros(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 8; i++) if (bytes[i] !== 0) return false;
  return true;
}
