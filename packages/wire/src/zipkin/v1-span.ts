import { ValueType } from '@clew/model';
import { limitError } from '../limits.ts';
import { TextBuffer } from '../json/text-buffer.ts';
import type { Micros } from './micros.ts';

/** Pools of more objects than this are given back after use. */
const KEEP_OBJECTS = 1024;

const EMPTY = new Uint8Array(0);

/** A range of bytes, empty when `start` equals `end`. */
export interface V1Range {
  start: number;
  end: number;
}

/** One side of a call. Addresses are text in `V1Span.addresses`. */
export class V1Endpoint {
  readonly service: V1Range = { start: 0, end: 0 };
  readonly ipv4: V1Range = { start: 0, end: 0 };
  readonly ipv6: V1Range = { start: 0, end: 0 };
  port = 0;
}

/** Something that happened at a time, as an endpoint saw it. */
export class V1Annotation {
  readonly time: Micros = { lo: 0, hi: 0 };
  readonly value: V1Range = { start: 0, end: 0 };
  endpoint: V1Endpoint | undefined;
}

/** A tag, or the address of another endpoint. */
export class V1BinaryAnnotation {
  readonly key: V1Range = { start: 0, end: 0 };
  type: ValueType = ValueType.STRING;
  /** As in `AttributeTable`, but that a string or bytes start in `source` rather than in a heap. */
  lo = 0;
  hi = 0;
  endpoint: V1Endpoint | undefined;
}

/** Objects of one class, used again from span to span. */
class Pool<T> {
  readonly items: T[] = [];
  count = 0;
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  take(): T {
    return (this.items[this.count++] ??= this.#make());
  }

  release(): void {
    this.count = 0;
    if (this.items.length > KEEP_OBJECTS) this.items.length = KEEP_OBJECTS;
  }
}

/**
 * A Zipkin v1 span as it was read: fields, and who said what when. Ranges are of `source` unless they say otherwise. One
 * object serves all spans of a request.
 */
export class V1Span {
  /** The bytes that texts are ranges of: the input, or `gathered`. */
  source: Uint8Array = EMPTY;
  /** What to add to a position in `source` to get its offset in the batch's heap; -1 when it is not there. */
  heapBase = -1;
  /** Texts that are not in the input as such. */
  readonly gathered: TextBuffer = new TextBuffer();
  readonly addresses: TextBuffer = new TextBuffer();

  readonly traceId: Uint8Array = new Uint8Array(16);
  readonly parentId: Uint8Array = new Uint8Array(8);
  readonly id: Uint8Array = new Uint8Array(8);
  readonly name: V1Range = { start: 0, end: 0 };
  readonly timestamp: Micros = { lo: 0, hi: 0 };
  readonly duration: Micros = { lo: 0, hi: 0 };
  isDebug = false;

  readonly #annotations = new Pool(() => new V1Annotation());
  readonly #binaries = new Pool(() => new V1BinaryAnnotation());
  readonly #endpoints = new Pool(() => new V1Endpoint());
  #maxChildren = 0;

  begin(maxChildren: number): void {
    this.#maxChildren = maxChildren;
  }

  release(): void {
    this.source = EMPTY;
    this.gathered.reset();
    this.addresses.reset();
    this.#annotations.release();
    this.#binaries.release();
    this.#endpoints.release();
  }

  /** Forgets the span before. */
  clear(): void {
    this.gathered.length = 0;
    this.addresses.length = 0;
    this.traceId.fill(0);
    this.parentId.fill(0);
    this.id.fill(0);
    this.name.start = this.name.end = 0;
    this.timestamp.lo = this.timestamp.hi = 0;
    this.duration.lo = this.duration.hi = 0;
    this.isDebug = false;
    this.#annotations.count = 0;
    this.#binaries.count = 0;
    this.#endpoints.count = 0;
  }

  get annotationCount(): number {
    return this.#annotations.count;
  }

  get binaryCount(): number {
    return this.#binaries.count;
  }

  annotation(at: number): V1Annotation {
    return this.#annotations.items[at]!;
  }

  binary(at: number): V1BinaryAnnotation {
    return this.#binaries.items[at]!;
  }

  /** Adds an annotation without content; `offset` is where the input stands. */
  addAnnotation(offset: number): V1Annotation {
    this.#checkRoom(this.#annotations.count, offset);
    const annotation = this.#annotations.take();
    annotation.time.lo = annotation.time.hi = 0;
    annotation.value.start = annotation.value.end = 0;
    annotation.endpoint = undefined;
    return annotation;
  }

  /** Adds a binary annotation that is an empty string; `offset` is where the input stands. */
  addBinary(offset: number): V1BinaryAnnotation {
    this.#checkRoom(this.#binaries.count, offset);
    const binary = this.#binaries.take();
    binary.key.start = binary.key.end = 0;
    binary.type = ValueType.STRING;
    binary.lo = binary.hi = 0;
    binary.endpoint = undefined;
    return binary;
  }

  #checkRoom(count: number, offset: number): void {
    if (count >= this.#maxChildren) throw limitError('too_many_children', offset, 'maxChildren', this.#maxChildren);
  }

  addEndpoint(): V1Endpoint {
    const endpoint = this.#endpoints.take();
    for (const range of [endpoint.service, endpoint.ipv4, endpoint.ipv6]) range.start = range.end = 0;
    endpoint.port = 0;
    return endpoint;
  }
}
