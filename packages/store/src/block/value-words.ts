import { ValueType } from '@clew/model';

/**
 * Reads pieces of OTLP `AnyValue` messages as value words (see `AttributeTable`) without decoding them: strings and bytes stay where they lie. A
 * hot path, guarded by `bench/block`: results are fields, so that nothing is allocated.
 */
export class ValueWords {
  /** Where the last length-delimited body begins. */
  next = 0;
  /** The last value read. */
  type: number = ValueType.EMPTY;
  lo = 0;
  hi = 0;

  /** The length behind the one-byte field tag at `at`, -1 when another tag stands there or the body ends beyond `end`. */
  delimited(bytes: Uint8Array, at: number, tag: number, end: number): number {
    if (at >= end || bytes[at] !== tag) return -1;
    let length = 0;
    // Four bytes hold 2^28, more than any value has.
    for (let i = 0; i < 4 && at + 1 + i < end; i++) {
      const byte = bytes[at + 1 + i]!;
      length |= (byte & 0x7f) << (i * 7);
      if (byte > 0x7f) continue;
      this.next = at + 2 + i;
      return this.next + length <= end ? length : -1;
    }
    return -1;
  }

  /** Reads the scalar that an `AnyValue` body `[start, end)` is; false when it is none, or not in the usual encoding. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const tag = start === end ? 0 : bytes[start]!;
    switch (tag) {
      case 0:
        return this.#set(ValueType.EMPTY, 0, 0, start === end);
      case 0x0a:
      case 0x3a: {
        const length = this.delimited(bytes, start, tag, end);
        const type = tag === 0x0a ? ValueType.STRING : ValueType.BYTES;
        return this.#set(type, this.next, length, length >= 0 && this.next + length === end);
      }
      case 0x10:
        return this.#set(ValueType.BOOL, bytes[start + 1]!, 0, end === start + 2 && bytes[start + 1]! <= 1);
      case 0x18:
        return this.#readInt(bytes, start + 1, end);
      case 0x21:
        if (end !== start + 9) return false;
        return this.#set(ValueType.DOUBLE, wordAt(bytes, start + 1), wordAt(bytes, start + 5), true);
      default:
        return false;
    }
  }

  #readInt(bytes: Uint8Array, start: number, end: number): boolean {
    let lo = 0;
    let hi = 0;
    for (let at = start, shift = 0; at < end && shift < 70; at++, shift += 7) {
      const part = bytes[at]! & 0x7f;
      if (shift < 28) lo |= part << shift;
      else if (shift === 28) {
        lo |= part << 28;
        hi |= part >>> 4;
      } else hi |= part << (shift - 32);
      if (bytes[at]! <= 0x7f) return this.#set(ValueType.INT, lo >>> 0, hi >>> 0, at + 1 === end);
    }
    return false;
  }

  #set(type: number, lo: number, hi: number, isGood: boolean): boolean {
    this.type = type;
    this.lo = lo;
    this.hi = hi;
    return isGood;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
