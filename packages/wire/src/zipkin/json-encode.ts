import type { SpanBatch } from '@clew/model';
import { appendUnsigned } from '../json/decimal.ts';
import { JsonListWriter } from './json-list-writer.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';

const writer = new JsonListWriter();

const COMMA = 0x2c;
const KIND_MEMBERS = ['', ',"kind":"CLIENT"', ',"kind":"SERVER"', ',"kind":"PRODUCER"', ',"kind":"CONSUMER"'] as const;

/**
 * The spans of `batch` as a Zipkin v2 JSON list, members in the order of Zipkin's own writer and absent ones left out.
 *
 * Fails with `WireError` (`invalid_id`) when a span has no trace or span id.
 */
export function encodeZipkinV2Json(batch: SpanBatch, options: ZipkinEncodeOptions = {}): Uint8Array {
  return writer.list(batch, options, writeSpan);
}

function writeSpan(): void {
  const { out, view } = writer;
  writer.ids();
  out.ascii(KIND_MEMBERS[view.kind]!);
  if (view.nameEnd > view.nameStart) {
    out.ascii(',"name":');
    writer.text(view.nameStart, view.nameEnd);
  }
  writer.times();
  writer.endpoint('localEndpoint', view.local);
  writer.endpoint('remoteEndpoint', view.remote);
  writeAnnotations();
  writeTags();
  if (view.isDebug) out.ascii(',"debug":true');
  if (view.isShared) out.ascii(',"shared":true');
  out.byte(0x7d);
}

function writeAnnotations(): void {
  const { out, view } = writer;
  const { order, timeLo, timeHi, textStart, textEnd } = view.annotations;
  if (order.length === 0) return;
  out.ascii(',"annotations":[');
  for (const [at, row] of order.entries()) {
    if (at > 0) out.byte(COMMA);
    out.ascii('{"timestamp":');
    appendUnsigned(out, timeLo[row]!, timeHi[row]!);
    out.ascii(',"value":');
    writer.text(textStart[row]!, textEnd[row]!);
    out.byte(0x7d);
  }
  out.byte(0x5d);
}

function writeTags(): void {
  const { out, view } = writer;
  const { order, keyStart, keyEnd, textStart, textEnd } = view.tags;
  if (order.length === 0) return;
  out.ascii(',"tags":{');
  for (const [at, row] of order.entries()) {
    if (at > 0) out.byte(COMMA);
    writer.text(keyStart[row]!, keyEnd[row]!);
    out.byte(0x3a);
    writer.text(textStart[row]!, textEnd[row]!);
  }
  out.byte(0x7d);
}
