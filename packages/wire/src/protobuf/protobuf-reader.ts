import { inputError } from '../errors.ts';
import type { WireError } from '../errors.ts';
import { limitError } from '../limits.ts';

/** Protobuf wire types (https://protobuf.dev/programming-guides/encoding/#structure). */
export const WireType = Object.freeze({ VARINT: 0, I64: 1, LEN: 2, GROUP_START: 3, GROUP_END: 4, I32: 5 } as const);

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/**
 * Reads protobuf primitives from `buf`. Positions are passed in and returned, so that callers keep them in local
 * variables; further results lie in fields (`lo` and `hi` of a varint, `stop` of a length). Every method takes the
 * `end` of the enclosing message and never reads at or past it.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated but errors.
 */
export class ProtobufReader {
  protected buf: Uint8Array = EMPTY;
  /** The same bytes, for reading words. */
  protected view: DataView = EMPTY_VIEW;
  /** Low and high word of the varint read last, unsigned. */
  protected lo = 0;
  protected hi = 0;
  /** End of the length-delimited field read last. */
  protected stop = 0;
  protected maxDepth = 0;

  /** Reads a varint into `lo` and `hi`; returns the position behind it. Bits above the 64th are dropped. */
  protected varint(start: number, end: number): number {
    const buf = this.buf;
    let pos = start;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw truncated(start, 'a varint', end);
      const byte = buf[pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 0x80) {
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return pos;
      }
    }
    throw inputError('invalid_varint', start, 'a varint is longer than 10 bytes');
  }

  /** Reads a tag of any length into `lo`; returns the position behind it. */
  protected tag(start: number, end: number): number {
    const pos = this.varint(start, end);
    if (this.hi !== 0) throw inputError('invalid_tag', start, 'a field number is larger than 2^29 - 1');
    return pos;
  }

  /** Reads a length, checks that the field ends within `end`, sets `stop`; returns where the field's bytes begin. */
  protected length(start: number, end: number): number {
    if (start < end) {
      const byte = this.buf[start]!;
      const stop = start + 1 + byte;
      if (byte < 0x80 && stop <= end) {
        this.stop = stop;
        return start + 1;
      }
    }
    const pos = this.varint(start, end);
    if (this.hi !== 0 || this.lo > end - pos) {
      throw truncated(start, `a field of ${this.hi === 0 ? this.lo : '2^32 or more'} bytes`, end);
    }
    this.stop = pos + this.lo;
    return pos;
  }

  /** Checks that a fixed-width field of `width` bytes fits; returns the position behind it. */
  protected fixed(start: number, width: number, end: number): number {
    if (end - start < width) throw truncated(start, `a fixed-width field of ${width} bytes`, end);
    return start + width;
  }

  /** Little-endian word at `pos`, unsigned; the caller has checked that it is there. */
  protected word(pos: number): number {
    return this.view.getUint32(pos, true);
  }

  /**
   * Skips the value of an unknown field; returns the position behind it. `known` has bit n set for each field number
   * n below 32 the message defines: such a field ends up here only when its wire type is wrong.
   */
  protected skipUnknown(tag: number, pos: number, end: number, known: number): number {
    const field = tag >>> 3;
    if (field < 32 && ((known >>> field) & 1) === 1) throw wrongWireType(tag, pos);
    return this.skip(tag, pos, end, 1);
  }

  #skipGroup(field: number, start: number, end: number, depth: number): number {
    if (depth > this.maxDepth) throw limitError('too_deep', start, 'maxDepth', this.maxDepth);
    let pos = start;
    while (pos < end) {
      const at = pos;
      pos = this.tag(pos, end);
      const tag = this.lo;
      if ((tag & 7) === WireType.GROUP_END) {
        if (tag >>> 3 === field) return pos;
        throw inputError('invalid_group', at, `group ${field} is ended by the end tag of field ${tag >>> 3}`);
      }
      pos = this.skip(tag, pos, end, depth + 1);
    }
    throw truncated(start, `group ${field}`, end);
  }

  /** Skips the value of the field `tag` names, whatever its type; returns the position behind it. */
  protected skip(tag: number, pos: number, end: number, depth: number): number {
    if (tag >>> 3 === 0) throw inputError('invalid_tag', pos, 'a field has the number 0');
    switch (tag & 7) {
      case WireType.VARINT:
        return this.varint(pos, end);
      case WireType.I64:
        return this.fixed(pos, 8, end);
      case WireType.LEN:
        this.length(pos, end);
        return this.stop;
      case WireType.GROUP_START:
        return this.#skipGroup(tag >>> 3, pos, end, depth);
      case WireType.I32:
        return this.fixed(pos, 4, end);
      case WireType.GROUP_END:
        throw inputError('invalid_group', pos, `field ${tag >>> 3} ends a group that was not begun`);
      default:
        throw inputError('invalid_tag', pos, `field ${tag >>> 3} has the wire type ${tag & 7}, which does not exist`);
    }
  }

  /** Lets go of the input. */
  protected release(): void {
    this.buf = EMPTY;
    this.view = EMPTY_VIEW;
  }
}

/** The error for a known field with another wire type than its definition's. */
export function wrongWireType(tag: number, pos: number): WireError {
  return inputError(
    'wrong_wire_type',
    pos,
    `field ${tag >>> 3} has the wire type ${tag & 7}, not the one of its definition`,
  );
}

/** The error for something that would end behind the message it is in. */
export function truncated(start: number, what: string, end: number): WireError {
  return inputError('truncated', start, `${what} runs past the end of its message (byte ${end})`);
}

/** A view of the same bytes, for reading and writing words at any offset. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
