import { isZero, readSpanId, readTraceId, writeSpanId, writeTraceId } from '@clew/model';
import { baggageOf } from './baggage.ts';
import type { Baggage, BaggageMember } from './baggage.ts';
import { ContextFormat } from './context.ts';
import type { TraceContext } from './context.ts';
import { assignJaegerFlags, jaegerFlagsOf } from './jaeger.ts';

/**
 * The binary carrier of the Jaeger clients, big-endian: trace id (16 bytes), span id (8), parent id (8), flags (1), number of
 * baggage items (4), then for each item the lengths (4) and bytes of its key and its value.
 * https://github.com/jaegertracing/jaeger-client-python, `jaeger_client/codecs.py`
 */

const SPAN_OFFSET = 16;
const PARENT_OFFSET = 24;
const FLAGS_OFFSET = 32;
const COUNT_OFFSET = 33;
const ITEMS_OFFSET = 37;

/** Baggage of a carrier that has none. */
const NO_BAGGAGE: Baggage = Object.freeze({ members: [], dropped: 0, invalid: 0 });

/**
 * Reads a context and its baggage, which may be empty. `undefined`, and `into` is untouched, when an id is zero or the bytes end
 * inside a field. Bytes behind the last item are ignored.
 */
export function parseJaegerBinary(bytes: Uint8Array, into: TraceContext): Baggage | undefined {
  if (bytes.length < ITEMS_OFFSET || isZero(bytes, 0, SPAN_OFFSET) || isZero(bytes, SPAN_OFFSET, 8)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const baggage = itemsOf(view, view.getUint32(COUNT_OFFSET));
  if (baggage === undefined) return undefined;
  into.assign(ContextFormat.JAEGER, readTraceId(bytes, 0), readSpanId(bytes, SPAN_OFFSET), 0, true);
  into.parentSpanId = readSpanId(bytes, PARENT_OFFSET);
  assignJaegerFlags(bytes[FLAGS_OFFSET]!, into);
  return baggage;
}

/** The binary form of a context that has ids, with its baggage. The parent is written as 0. */
export function formatJaegerBinary(
  context: Readonly<TraceContext>,
  members: readonly BaggageMember[] = [],
): Uint8Array {
  const texts = members.flatMap(({ key, value }) => [encoder.encode(key), encoder.encode(value)]);
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, ITEMS_OFFSET));
  const view = new DataView(bytes.buffer);
  writeTraceId(context.traceId, bytes, 0);
  writeSpanId(context.spanId, bytes, SPAN_OFFSET);
  bytes[FLAGS_OFFSET] = jaegerFlagsOf(context);
  view.setUint32(COUNT_OFFSET, members.length);
  let at = ITEMS_OFFSET;
  for (const text of texts) {
    view.setUint32(at, text.length);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

function itemsOf(view: DataView, count: number): Baggage | undefined {
  if (count === 0) return NO_BAGGAGE;
  const members: BaggageMember[] = [];
  let at = ITEMS_OFFSET;
  // A count that cannot be true ends with the bytes, at the first item that is missing.
  for (let i = 0; i < count; i++) {
    const key = textAt(view, at);
    const value = key === undefined ? undefined : textAt(view, at + 4 + key.byteLength);
    if (key === undefined || value === undefined) return undefined;
    members.push({ key: decoder.decode(key), value: decoder.decode(value), properties: [] });
    at += 8 + key.byteLength + value.byteLength;
  }
  return baggageOf(members);
}

/** The bytes behind the length at `offset`; `undefined` when they reach beyond the end. */
function textAt(view: DataView, offset: number): Uint8Array | undefined {
  if (offset + 4 > view.byteLength) return undefined;
  const length = view.getUint32(offset);
  if (length > view.byteLength - offset - 4) return undefined;
  return new Uint8Array(view.buffer, view.byteOffset + offset + 4, length);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
