import { limitError } from '../limits.ts';
import { ProtobufReader, WireType } from '../protobuf/protobuf-reader.ts';

/**
 * Fields of `KeyValue` as a bit set, for `skipUnknown`; `key_strindex` (3) belongs to profiles
 * only.
 */
export const KNOWN_KEY_VALUE = (1 << 1) | (1 << 2);
/** Fields of `AnyValue` as a bit set; `string_value_strindex` (8) belongs to profiles only. */
export const KNOWN_ANY_VALUE = 0b1111_1110;

const KNOWN_ENTITY_REF = 0b1_1110;

/**
 * Checks messages that a batch keeps encoded: nested values and entity references.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class NestedReader extends ProtobufReader {
  /**
   * Checks that `[start, end)` is the body of an `ArrayValue` (`keyed` false) or `KeyValueList` (`keyed` true) down to
   * every leaf, so that the bytes can be kept and read later without a further check.
   */
  protected checkNested(start: number, end: number, keyed: boolean, depth: number): void {
    if (depth > this.maxDepth) throw limitError('too_deep', start, 'maxDepth', this.maxDepth);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      if (this.lo !== 0x0a) {
        pos = this.skipUnknown(this.lo, pos, end, 1 << 1);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (keyed) this.#checkKeyValue(pos, stop, depth);
      else this.#checkAnyValue(pos, stop, depth);
      pos = stop;
    }
  }

  #checkKeyValue(start: number, end: number, depth: number): void {
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_KEY_VALUE);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x12) this.#checkAnyValue(pos, stop, depth);
      pos = stop;
    }
  }

  #checkAnyValue(start: number, end: number, depth: number): void {
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      switch (tag) {
        case 0x10:
        case 0x18:
          pos = this.varint(pos, end);
          break;
        case 0x21:
          pos = this.fixed(pos, 8, end);
          break;
        case 0x0a:
        case 0x2a:
        case 0x32:
        case 0x3a: {
          pos = this.length(pos, end);
          const stop = this.stop;
          if (tag === 0x2a || tag === 0x32) this.checkNested(pos, stop, tag === 0x32, depth + 1);
          pos = stop;
          break;
        }
        default:
          pos = this.skipUnknown(tag, pos, end, KNOWN_ANY_VALUE);
      }
    }
  }

  /**
   * Checks that `[start, end)` is an `EntityRef`: four kinds of strings, so that the bytes can be kept and read later.
   */
  protected checkEntityRef(start: number, end: number): void {
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      const isString = (tag & 7) === WireType.LEN && tag >>> 3 <= 4;
      pos = this.skipUnknown(tag, pos, end, isString ? 0 : KNOWN_ENTITY_REF);
    }
  }
}
