import { ValueType, bytesOfText, canonicalJson, decodeArray, decodeKeyValueList } from '@clew/model';
import { MAX_DEPTH } from '../limits.ts';

/**
 * The array or map in `heap[lo, lo + hi)` as JSON text, which is how Jaeger's tags hold what they have no type for. Such
 * values are rare, so this may allocate.
 */
export function jsonOfNested(heap: Uint8Array, type: number, lo: number, hi: number): Uint8Array {
  // One level more than any decoder lets in, as a limit counts the levels within a value.
  const depth = MAX_DEPTH + 1;
  const value =
    type === ValueType.ARRAY ? decodeArray(heap, lo, lo + hi, depth) : decodeKeyValueList(heap, lo, lo + hi, depth);
  return bytesOfText(canonicalJson(value));
}
