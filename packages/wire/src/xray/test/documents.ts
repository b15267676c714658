import { SpanBatch, toPlain } from '@clew/model';
import type { AttributeValue, KeyValue, PlainSpan } from '@clew/model';
import { decodeSegment } from '../decode-segment.ts';
import { encodeSegments } from '../encode-segments.ts';
import type { EncodeSegmentsOptions } from '../encode-segments.ts';

/** UTF-8 of a JSON text, or of the JSON text of anything else. */
export function documentBytes(document: unknown): Uint8Array {
  return new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document));
}

/** The spans of documents, each decoded into one batch after the other. */
export function decodedSpans(...documents: readonly (Uint8Array | object | string)[]): PlainSpan[] {
  return toPlain(decodedBatch(...documents));
}

export function decodedBatch(...documents: readonly (Uint8Array | object | string)[]): SpanBatch {
  const batch = new SpanBatch();
  for (const document of documents) {
    decodeSegment(document instanceof Uint8Array ? document : documentBytes(document), batch);
  }
  return batch;
}

/** The documents of a batch, parsed. */
export function encodedDocuments(batch: SpanBatch, options: EncodeSegmentsOptions = {}): Record<string, unknown>[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return encodeSegments(batch, undefined, options).map(
    (bytes) => JSON.parse(decoder.decode(bytes)) as Record<string, unknown>,
  );
}

/** The last value under each key. */
export function attributesOf(attributes: readonly KeyValue[]): Record<string, AttributeValue> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value]));
}

/** A segment with what every segment must have. */
export function minimal(more: object = {}): object {
  return {
    name: 'shop',
    id: '70de5b6f19ff9a0a',
    trace_id: '1-581cf771-a006649127e371903a2de979',
    start_time: 1478293361.271,
    end_time: 1478293361.449,
    ...more,
  };
}
