import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { WireError } from '../../errors.ts';
import { decodeTraces } from '../protobuf-decode.ts';
import { decodeTracesJson } from '../json-decode.ts';

/** Writes protobuf field by field, valid or not, for tests that need exact bytes. */

/** Bytes, or nested lists of them. */
export type Part = Uint8Array | readonly Part[];

/** The parts one after the other. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...(part instanceof Uint8Array ? part : bytes(...part))]));
}

/** Raw bytes. */
export function raw(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** A varint; negative values as 64-bit two's complement. */
export function varint(value: number | bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.from([...out, Number(rest)]);
}

/** A varint field. */
export function number(field: number, value: number | bigint): Uint8Array {
  return bytes(varint(field << 3), varint(value));
}

/** A length-delimited field. */
export function message(field: number, ...parts: readonly Part[]): Uint8Array {
  const body = bytes(...parts);
  return bytes(varint((field << 3) | 2), varint(body.length), body);
}

/** A string field. */
export function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value));
}

/** A 64-bit field. */
export function fixed64(field: number, value: bigint): Uint8Array {
  const body = new DataView(new ArrayBuffer(8));
  body.setBigUint64(0, value, true);
  return bytes(varint((field << 3) | 1), new Uint8Array(body.buffer));
}

/** A 32-bit field. */
export function fixed32(field: number, value: number): Uint8Array {
  const body = new DataView(new ArrayBuffer(4));
  body.setUint32(0, value, true);
  return bytes(varint((field << 3) | 5), new Uint8Array(body.buffer));
}

/** A group with these fields inside. */
export function group(field: number, ...parts: readonly Part[]): Uint8Array {
  return bytes(varint((field << 3) | 3), ...parts, varint((field << 3) | 4));
}

/** A request with one resource and one scope around these parts of a span. */
export function requestOfSpan(...parts: readonly Part[]): Uint8Array {
  return message(1, message(2, message(2, ...parts)));
}

/** A `KeyValue` of a text, as field `field`. */
export function attribute(field: number, key: string, ...value: readonly Part[]): Uint8Array {
  return message(field, text(1, key), message(2, ...value));
}

/** The spans a protobuf request decodes to. */
export function decoded(request: Uint8Array): PlainSpan[] {
  const batch = new SpanBatch();
  decodeTraces(request, batch);
  return toPlain(batch);
}

/** The one span a protobuf request decodes to. */
export function decodedSpan(request: Uint8Array): PlainSpan {
  const [span] = decoded(request);
  if (span === undefined) throw new Error('the request holds no span');
  return span;
}

/** The spans a JSON request decodes to; anything but text is made JSON first. */
export function decodedJson(request: unknown): PlainSpan[] {
  const batch = new SpanBatch();
  decodeTracesJson(jsonBytes(request), batch);
  return toPlain(batch);
}

/** UTF-8 of a JSON text, or of the JSON text of anything else. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
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
