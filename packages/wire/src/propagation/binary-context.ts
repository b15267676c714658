import { isZero, readSpanId, readTraceId, writeSpanId, writeTraceId } from '@clew/model';
import type { CarrierGetter } from './carriers/carrier.ts';
import { ContextFormat } from './context.ts';
import type { TraceContext } from './context.ts';

/**
 * The binary trace context of OpenCensus and of the W3C drafts for AMQP and MQTT: a version byte 0, then fields, each an id byte and
 * its bytes: 0 trace id (16), 1 span id (8), 2 flags (1). https://w3c.github.io/trace-context-binary/
 */
export const BINARY_CONTEXT_BYTES = 29;

/** The gRPC metadata key in which OpenCensus sends it, as base64. */
export const GRPC_TRACE_BIN = 'grpc-trace-bin';

/** Base64 digits beyond which nothing is decoded: there may be fields behind those that are known. */
const MAX_BASE64_LENGTH = 1024;

const SPAN_FIELD = 18;
const FLAGS_FIELD = 27;

/**
 * Reads a binary context. The fields stand in the order of their ids; flags and unknown fields behind them may be missing.
 * False, and `into` is untouched, when it has another version or an id is missing or zero.
 */
export function parseBinaryContext(bytes: Uint8Array, into: TraceContext): boolean {
  if (bytes.length < FLAGS_FIELD || bytes[0] !== 0 || bytes[1] !== 0 || bytes[SPAN_FIELD] !== 1) return false;
  if (isZero(bytes, 2, 16) || isZero(bytes, SPAN_FIELD + 1, 8)) return false;
  const hasFlags = bytes.length >= BINARY_CONTEXT_BYTES && bytes[FLAGS_FIELD] === 2;
  const flags = hasFlags ? bytes[FLAGS_FIELD + 1]! : 0;
  into.assign(ContextFormat.OPEN_CENSUS, readTraceId(bytes, 2), readSpanId(bytes, SPAN_FIELD + 1), flags, hasFlags);
  return true;
}

/** The binary form of a context that has ids. */
export function formatBinaryContext(context: Readonly<TraceContext>): Uint8Array {
  const bytes = new Uint8Array(BINARY_CONTEXT_BYTES);
  writeTraceId(context.traceId, bytes, 2);
  bytes[SPAN_FIELD] = 1;
  writeSpanId(context.spanId, bytes, SPAN_FIELD + 1);
  bytes[FLAGS_FIELD] = 2;
  bytes[FLAGS_FIELD + 1] = context.flags;
  return bytes;
}

/** Reads `grpc-trace-bin`. False, and `into` is untouched, when there is none or it is invalid. */
export function extractOpenCensus<C>(carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  const text = getter.get(carrier, GRPC_TRACE_BIN);
  const bytes = text === undefined ? undefined : bytesOfBase64(text);
  return bytes !== undefined && parseBinaryContext(bytes, into);
}

/** The bytes of base64 with or without padding, `undefined` when it is too long or none. */
function bytesOfBase64(text: string): Uint8Array | undefined {
  if (text.length > MAX_BASE64_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const digits = text.replace(/=+$/, '');
  if (digits.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
}
