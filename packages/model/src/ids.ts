import { ModelError } from './errors.ts';

declare const traceIdBrand: unique symbol;
declare const spanIdBrand: unique symbol;

/** A trace id: 32 lower-case hexadecimal digits, not all zero. */
export type TraceId = string & { readonly [traceIdBrand]: true };
/** A span id: 16 lower-case hexadecimal digits, not all zero. */
export type SpanId = string & { readonly [spanIdBrand]: true };

/** Bytes of a trace id. */
export const TRACE_ID_BYTES = 16;
/** Bytes of a span id. */
export const SPAN_ID_BYTES = 8;

/**
 * The trace id in `text`: hexadecimal digits of either case, shorter forms padded on the left with zeros (64-bit ids and the
 * unpadded ids of Jaeger headers are the same trace as their 128-bit form). `undefined` when it is none, or zero.
 */
export function parseTraceId(text: string): TraceId | undefined {
  return normalHex(text, TRACE_ID_BYTES * 2) as TraceId | undefined;
}

/** The span id in `text`, read like {@link parseTraceId}. */
export function parseSpanId(text: string): SpanId | undefined {
  return normalHex(text, SPAN_ID_BYTES * 2) as SpanId | undefined;
}

/** Like {@link parseTraceId}; throws `invalid_id` instead of returning `undefined`. */
export function traceIdOf(text: string): TraceId {
  return parseTraceId(text) ?? refuseId('trace', text, TRACE_ID_BYTES * 2);
}

/** Like {@link parseSpanId}; throws `invalid_id` instead of returning `undefined`. */
export function spanIdOf(text: string): SpanId {
  return parseSpanId(text) ?? refuseId('span', text, SPAN_ID_BYTES * 2);
}

/** The trace id in the 16 bytes at `offset`, or `''` when they are zero, which means absent. */
export function readTraceId(bytes: Uint8Array, offset: number): TraceId | '' {
  return isZero(bytes, offset, TRACE_ID_BYTES) ? '' : (hexOf(bytes, offset, TRACE_ID_BYTES) as TraceId);
}

/** The span id in the 8 bytes at `offset`, or `''` when they are zero, which means absent. */
export function readSpanId(bytes: Uint8Array, offset: number): SpanId | '' {
  return isZero(bytes, offset, SPAN_ID_BYTES) ? '' : (hexOf(bytes, offset, SPAN_ID_BYTES) as SpanId);
}

/** Writes 16 bytes at `offset`; `''` writes zeros. */
export function writeTraceId(id: TraceId | '', target: Uint8Array, offset: number): void {
  writeHex(id, target, offset, TRACE_ID_BYTES);
}

/** Writes 8 bytes at `offset`; `''` writes zeros. */
export function writeSpanId(id: SpanId | '', target: Uint8Array, offset: number): void {
  writeHex(id, target, offset, SPAN_ID_BYTES);
}

/** Whether `length` bytes at `offset` are all zero. */
export function isZero(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Lower-case hexadecimal text of `length` bytes at `offset`. */
export function hexOf(bytes: Uint8Array, offset: number, length: number): string {
  let text = '';
  for (let i = offset; i < offset + length; i++) text += hexPairs[bytes[i]!]!;
  return text;
}

/**
 * Reads hexadecimal digits of either case into bytes: exactly two digits a byte.
 * Returns false, with `target` partly written, when `text` has another length or another character.
 */
export function readHex(text: string, target: Uint8Array, offset: number, byteCount: number): boolean {
  if (text.length !== byteCount * 2) return false;
  for (let i = 0; i < byteCount; i++) {
    const high = digitOf(text.charCodeAt(i * 2));
    const low = digitOf(text.charCodeAt(i * 2 + 1));
    if ((high | low) < 0) return false;
    target[offset + i] = (high << 4) | low;
  }
  return true;
}

function writeHex(id: string, target: Uint8Array, offset: number, byteCount: number): void {
  if (id === '') {
    target.fill(0, offset, offset + byteCount);
    return;
  }
  if (!readHex(id, target, offset, byteCount)) refuseId(byteCount === 16 ? 'trace' : 'span', id, byteCount * 2);
}

function normalHex(text: string, digits: number): string | undefined {
  if (text.length === 0 || text.length > digits) return undefined;
  let nonZero = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return undefined;
    nonZero |= digit;
  }
  return nonZero === 0 ? undefined : text.toLowerCase().padStart(digits, '0');
}

/** The value of a hexadecimal digit, or -1. */
function digitOf(code: number): number {
  return code < 128 ? digitValues[code]! : -1;
}

function refuseId(what: 'trace' | 'span', text: string, digits: number): never {
  throw new ModelError(
    'invalid_id',
    `cannot read "${text.slice(0, 80)}" as a ${what} id: expected 1 to ${digits} hexadecimal digits that are not all zero`,
  );
}

const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const digitValues: Int8Array = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  digitValues[text.charCodeAt(0)] = digit;
  digitValues[text.toUpperCase().charCodeAt(0)] = digit;
}
