import { writeId } from './id-bytes.ts';
import type { TextStart } from './text-start.ts';
import { varintBytes, writeVarint } from './varint.ts';
import type { WallClock } from './wall-clock.ts';

/**
 * Spans as the bytes of an OTLP request, written once and in the order they are sent. Hot path, guarded by `bench/gateway-telemetry`:
 * what is known beforehand is copied in one go, text goes straight from strings into the buffer, and nothing is allocated for a span.
 *
 * The length of a message is written when its end is known. One byte is left for it (two for a span's), which nearly always is what it
 * needs; where it is not, the message is moved, so that every length has its shortest form, as `encodeTraces` of `@clew/wire/otlp` has.
 *
 * In front of the spans there is room for what encloses them, which is written last and ends where they begin:
 *
 *     | unused | 0a length, resource | 12 length, scope | 12 length, span | 12 length, span | …
 */

const INITIAL_BYTES = 64 * 1024;
const SPAN_TAG = 0x12;
/** Tag and length of a span. */
const SPAN_HEAD = 3;
/** The longest varint of a length. */
const MAX_LENGTH_BYTES = 5;
/** UTF-8 bytes for one UTF-16 unit. */
const MAX_UTF8 = 3;
/** Up to here a loop is faster than calling the engine's own functions. */
const LOOP_BYTES = 24;

/** Who sends the spans: the `resource` of `ResourceSpans` and the `scope` of `ScopeSpans`, each with tag and length. */
export interface OriginBytes {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
}

/** A batch of spans that grows. */
export class SpanBytes {
  readonly #origin: OriginBytes;
  /** Where the first span begins. */
  readonly #start: number;
  #bytes: Buffer<ArrayBuffer>;
  /** Where what is being written ends. */
  #at: number;
  /** Where the last span ends that was ended. */
  #end: number;
  #count = 0;

  constructor(origin: OriginBytes = { resource: new Uint8Array(0), scope: new Uint8Array(0) }) {
    this.#origin = origin;
    this.#start = 2 * (1 + MAX_LENGTH_BYTES) + origin.resource.length + origin.scope.length;
    this.#bytes = Buffer.alloc(INITIAL_BYTES);
    this.#at = this.#end = this.#start;
  }

  /** Spans that were ended. */
  get count(): number {
    return this.#count;
  }

  /** Where the next byte goes. */
  get at(): number {
    return this.#at;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Forgets all spans. */
  reset(): void {
    this.#at = this.#end = this.#start;
    this.#count = 0;
  }

  /** The request with all spans that were ended; a view, valid until the next span or {@link reset}. */
  finish(): Uint8Array {
    const { resource, scope } = this.#origin;
    const scopeSpans = scope.length + this.#end - this.#start;
    const resourceSpans = resource.length + 1 + varintBytes(scopeSpans) + scopeSpans;
    const bytes = this.#bytes;
    const from = this.#end - resourceSpans - varintBytes(resourceSpans) - 1;
    let at = from;
    bytes[at++] = 0x0a;
    at = writeVarint(bytes, at, resourceSpans);
    bytes.set(resource, at);
    at += resource.length;
    bytes[at++] = SPAN_TAG;
    at = writeVarint(bytes, at, scopeSpans);
    bytes.set(scope, at);
    return bytes.subarray(from, this.#end);
  }

  /** A copy of what has been written outside of spans. */
  taken(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(this.#start, this.#at));
  }

  /** Begins a span, instead of one that was not ended. */
  beginSpan(): void {
    this.#at = this.#end;
    this.#need(SPAN_HEAD);
    this.#bytes[this.#at] = SPAN_TAG;
    this.#at += SPAN_HEAD;
  }

  endSpan(): void {
    const start = this.#end;
    const length = this.#at - start - SPAN_HEAD;
    if (length >= 0x80 && length < 0x4000) {
      this.#bytes[start + 1] = (length & 0x7f) | 0x80;
      this.#bytes[start + 2] = length >> 7;
    } else this.#setLength(start + 1, SPAN_HEAD - 1, length);
    this.#end = this.#at;
    this.#count++;
  }

  /** An id, given as hexadecimal digits, as a field of bytes. */
  id(tag: number, digits: string): void {
    const size = digits.length >> 1;
    this.#need(2 + size);
    this.#bytes[this.#at] = tag;
    this.#bytes[this.#at + 1] = size;
    writeId(digits, this.#bytes, this.#at + 2);
    this.#at += 2 + size;
  }

  /** A field of a few bytes. */
  bytes(tag: number, value: Uint8Array): void {
    const { length } = value;
    this.#need(2 + length);
    const at = this.#at;
    this.#bytes[at] = tag;
    this.#bytes[at + 1] = length;
    this.#bytes.set(value, at + 2);
    this.#at = at + 2 + length;
  }

  /** Kind and times of a span; times are `performance.now()` milliseconds. */
  kindAndTimes(kind: number, startMs: number, endMs: number, clock: WallClock): void {
    this.#need(20);
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = 0x30;
    bytes[at + 1] = kind;
    bytes[at + 2] = 0x39;
    clock.write(startMs, bytes, at + 3);
    bytes[at + 11] = 0x41;
    clock.write(Math.max(startMs, endMs), bytes, at + 12);
    this.#at = at + 20;
  }

  /** A time of an event. */
  time(tag: number, atMs: number, clock: WallClock): void {
    this.#need(9);
    this.#bytes[this.#at] = tag;
    clock.write(atMs, this.#bytes, this.#at + 1);
    this.#at += 9;
  }

  /** A field of text. */
  field(tag: number, text: string): void {
    const opened = this.open(tag);
    this.#utf8(text);
    this.close(opened);
  }

  /**
   * A field of text whose tag, length (a zero) and beginning are in `head`; returns the bytes of `text`, which then end at {@link at}.
   */
  fieldFrom(head: Uint8Array, text: string): number {
    const start = this.#at;
    this.ready(head);
    const written = this.#utf8(text);
    this.close(start + 2);
    return written;
  }

  /** Begins a message or a text whose length is not known; returns what {@link close} takes. */
  open(tag: number): number {
    this.#need(2);
    this.#bytes[this.#at] = tag;
    this.#at += 2;
    return this.#at;
  }

  close(opened: number): void {
    const length = this.#at - opened;
    if (length < 0x80) this.#bytes[opened - 1] = length;
    else this.#setLength(opened - 1, 1, length);
  }

  /** Bytes that are ready. */
  ready(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What stands before a text, and its attribute; that is left out when the text is empty. */
  text(start: TextStart, text: string): void {
    if (text === '') return this.#withoutText(start);
    const at = this.#at;
    this.ready(start.bytes);
    this.#utf8(text);
    this.#closeText(at + start.attributeAt, at + start.textAt);
  }

  /** As {@link text}, for a text that lies at `from` as UTF-8. */
  copy(start: TextStart, from: number, length: number): void {
    if (length === 0) return this.#withoutText(start);
    const at = this.#at;
    this.ready(start.bytes);
    this.#need(length);
    const bytes = this.#bytes;
    const textAt = this.#at;
    if (length > LOOP_BYTES) bytes.copyWithin(textAt, from, from + length);
    else for (let i = 0; i < length; i++) bytes[textAt + i] = bytes[from + i]!;
    this.#at = textAt + length;
    this.#closeText(at + start.attributeAt, at + start.textAt);
  }

  /** What is known of a text may be all of it. */
  #withoutText({ bytes, attributeAt, textAt }: TextStart): void {
    const at = this.#at;
    this.ready(bytes);
    if (textAt === bytes.length) this.#at = at + attributeAt;
    else this.#closeText(at + attributeAt, at + textAt);
  }

  /** An attribute of an integer, 0 to 2^32 - 1. */
  int(head: Uint8Array, value: number): void {
    const start = this.#at;
    this.ready(head);
    this.#need(MAX_LENGTH_BYTES);
    const valueStart = this.#at;
    this.#at = writeVarint(this.#bytes, valueStart, value);
    const size = this.#at - valueStart;
    this.#bytes[valueStart - 2] = size + 1;
    this.#bytes[start + 1] = size + head.length - 2;
  }

  /** A number up to 2^32 - 1 as a field. */
  uint(tag: number, value: number): void {
    this.#need(1 + MAX_LENGTH_BYTES);
    this.#bytes[this.#at++] = tag;
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  /** The flags of a span, which are its last field. */
  flags(value: number): void {
    this.#need(6);
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = 0x85;
    bytes[at + 1] = 0x01;
    bytes[at + 2] = value;
    bytes[at + 3] = value >>> 8;
    bytes[at + 4] = value >>> 16;
    bytes[at + 5] = value >>> 24;
    this.#at = at + 6;
  }

  /** Writes a text and returns its bytes. */
  #utf8(text: string): number {
    const { length } = text;
    this.#need(length * MAX_UTF8);
    const at = this.#at;
    const written = length <= LOOP_BYTES && this.#ascii(text) ? length : this.#bytes.write(text, at);
    this.#at = at + written;
    return written;
  }

  /** Writes a short text if it is ASCII. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[at + i] = code;
    }
    return true;
  }

  /** The lengths of the attribute that begins at `start` and whose text, at `textAt`, has been written. */
  #closeText(start: number, textAt: number): void {
    const length = this.#at - textAt;
    const all = this.#at - start - 2;
    if (all >= 0x80) return this.#closeLongText(start, textAt, length);
    const bytes = this.#bytes;
    bytes[start + 1] = all;
    bytes[textAt - 3] = length + 2;
    bytes[textAt - 1] = length;
  }

  /** From the innermost outwards, since each may move what it stands before. */
  #closeLongText(start: number, textAt: number, length: number): void {
    this.#setLength(textAt - 1, 1, length);
    const value = this.#at - (textAt - 2);
    this.#setLength(textAt - 3, 1, value);
    this.#setLength(start + 1, 1, this.#at - (start + 2));
  }

  /** Writes the length of the last `length` bytes at `at`, where `room` bytes were left for it, and moves them if that is not its size. */
  #setLength(at: number, room: number, length: number): void {
    const size = varintBytes(length);
    if (size !== room) {
      this.#need(size);
      this.#bytes.copyWithin(at + size, at + room, at + room + length);
      this.#at += size - room;
    }
    writeVarint(this.#bytes, at, length);
  }

  #need(more: number): void {
    if (this.#at + more > this.#bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
