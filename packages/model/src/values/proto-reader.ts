import { ModelError } from '../errors.ts';

/**
 * Reads the protobuf wire format for nested attribute values. Requests as a whole are decoded by `@clew/wire`, which
 * is built for speed; this reader is for one value at a time and prefers to be short.
 */
export class ProtoReader {
  /** Words of the number read last. */
  lo = 0;
  hi = 0;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    if (start < 0 || start > end || end > bytes.length) this.#refuse('the value lies outside its buffer');
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Reads a tag: field number times eight plus wire type. */
  tag(): number {
    this.varint();
    if (this.hi !== 0 || this.lo >>> 3 === 0) this.#refuse('a field number is out of range');
    return this.lo;
  }

  /** Reads a varint of up to ten bytes into `lo` and `hi`. */
  varint(): void {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) this.#refuse('a number is cut off');
      const byte = this.#bytes[this.#at++]!;
      const part = byte & 0x7f;
      if (shift < 32) lo |= part << shift;
      if (shift === 28) hi = part >>> 4;
      else if (shift > 28) hi |= part << (shift - 32);
      if (byte < 0x80) {
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    this.#refuse('a number is longer than ten bytes');
  }

  /** Reads eight bytes into `lo` and `hi`. */
  fixed64(): void {
    this.lo = this.#word();
    this.hi = this.#word();
  }

  /** Reads a length and that many bytes: a view, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reads a length and gives a reader over that many bytes. */
  message(): ProtoReader {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return new ProtoReader(this.#bytes, start, this.#at);
  }

  /** Skips the field of `tag`. A `known` field arrives here only with the wrong wire type, which is malformed. */
  skip(tag: number, known: boolean): void {
    if (known) this.#refuse(`field ${tag >>> 3} has wire type ${tag & 7}`);
    const open: number[] = [];
    let current = tag;
    for (;;) {
      const wireType = current & 7;
      if (wireType === 0) this.varint();
      else if (wireType === 1) this.fixed64();
      else if (wireType === 2) this.bytes();
      else if (wireType === 5) this.#word();
      else if (wireType === 3) open.push(current >>> 3);
      else if (wireType !== 4 || open.pop() !== current >>> 3) this.#refuse(`wire type ${wireType} does not fit here`);
      if (open.length === 0) return;
      current = this.tag();
    }
  }

  #length(): number {
    this.varint();
    if (this.hi !== 0 || this.lo > this.#end - this.#at) this.#refuse('a length points past the end');
    return this.lo;
  }

  #word(): number {
    if (this.#end - this.#at < 4) this.#refuse('a number is cut off');
    const at = this.#at;
    this.#at += 4;
    const bytes = this.#bytes;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  #refuse(rule: string): never {
    throw new ModelError('invalid_value', `cannot read a nested attribute value: ${rule} at byte ${this.#at}`, {
      details: { offset: this.#at },
    });
  }
}
