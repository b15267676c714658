import { SpanBatch, toPlain } from '@clew/model';
import type { KeyValue, PlainSpan } from '@clew/model';
import { WireError } from '../../errors.ts';

/** What tests of Zipkin codecs share. */

/** A decoder of one format, or of any. */
export type Decode = (bytes: Uint8Array, batch: SpanBatch) => unknown;

/** The spans that `bytes` decode to. */
export function spansOf(decode: Decode, bytes: Uint8Array): PlainSpan[] {
  const batch = new SpanBatch();
  decode(bytes, batch);
  return toPlain(batch);
}

/** A batch with the spans that `bytes` decode to. */
export function batchOf(decode: Decode, bytes: Uint8Array): SpanBatch {
  const batch = new SpanBatch();
  decode(bytes, batch);
  return batch;
}

/** UTF-8 of a JSON text, or of the JSON text of anything else. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** What UTF-8 JSON means. */
export function parsedJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

/** Spans with their attributes in an order of their own, as formats keep them in different places. */
export function inOrder(spans: readonly PlainSpan[]): PlainSpan[] {
  return spans.map((span) => ({ ...span, attributes: sorted(span.attributes) }));
}

function sorted(attributes: readonly KeyValue[]): KeyValue[] {
  return attributes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Attributes as an object; of equal keys the last. */
export function attributesOf(span: PlainSpan): Record<string, unknown> {
  return Object.fromEntries(span.attributes.map(({ key, value }) => [key, value]));
}

/** The `WireError` that `run` fails with. */
export function wireErrorOf(run: () => unknown): WireError {
  try {
    run();
  } catch (caught) {
    if (caught instanceof WireError) return caught;
    throw caught;
  }
  throw new Error('nothing was thrown');
}
