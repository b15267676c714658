import { ValueType, grownCapacity, grownI32, grownU32, grownU8 } from '@clew/model';
import { limitError } from '../limits.ts';
import { TextBuffer } from '../json/text-buffer.ts';
import type { Micros } from './micros.ts';

/** Tables of more rows than this are given back after use. */
const KEEP_ROWS = 4096;

const EMPTY = new Uint8Array(0);
const NO_WORDS = new Uint32Array(0);
const NO_INTS = new Int32Array(0);

/** A range of bytes, empty when `start` equals `end`. */
export interface V1Range {
  start: number;
  end: number;
}

/** The endpoint of what has none, the annotation after the last, and such. */
export const NONE = -1;

/** Sides of calls, a row each. Addresses are text in `V1Span.addresses`. */
export class V1Endpoints {
  count = 0;
  serviceStart: Uint32Array = NO_WORDS;
  serviceEnd: Uint32Array = NO_WORDS;
  ipv4Start: Uint32Array = NO_WORDS;
  ipv4End: Uint32Array = NO_WORDS;
  ipv6Start: Uint32Array = NO_WORDS;
  ipv6End: Uint32Array = NO_WORDS;
  ports: Uint32Array = NO_WORDS;

  /** Adds a row without content and returns it. */
  add(): number {
    const row = this.count++;
    if (row === this.ports.length) this.#grow(grownCapacity(row, row + 1));
    this.serviceStart[row] = this.serviceEnd[row] = 0;
    this.ipv4Start[row] = this.ipv4End[row] = 0;
    this.ipv6Start[row] = this.ipv6End[row] = 0;
    this.ports[row] = 0;
    return row;
  }

  #grow(capacity: number): void {
    this.serviceStart = grownU32(this.serviceStart, capacity);
    this.serviceEnd = grownU32(this.serviceEnd, capacity);
    this.ipv4Start = grownU32(this.ipv4Start, capacity);
    this.ipv4End = grownU32(this.ipv4End, capacity);
    this.ipv6Start = grownU32(this.ipv6Start, capacity);
    this.ipv6End = grownU32(this.ipv6End, capacity);
    this.ports = grownU32(this.ports, capacity);
  }
}

/** What happened at a time (microseconds, as two words), as an endpoint saw it, a row each. */
export class V1Annotations {
  count = 0;
  timeLo: Uint32Array = NO_WORDS;
  timeHi: Uint32Array = NO_WORDS;
  start: Uint32Array = NO_WORDS;
  end: Uint32Array = NO_WORDS;
  endpoint: Int32Array = NO_INTS;
  /** The next annotation of the same piece. */
  next: Int32Array = NO_INTS;

  /** Adds a row without content and returns it. */
  add(): number {
    const row = this.count++;
    if (row === this.start.length) this.#grow(grownCapacity(row, row + 1));
    this.timeLo[row] = this.timeHi[row] = 0;
    this.start[row] = this.end[row] = 0;
    this.endpoint[row] = this.next[row] = NONE;
    return row;
  }

  #grow(capacity: number): void {
    this.timeLo = grownU32(this.timeLo, capacity);
    this.timeHi = grownU32(this.timeHi, capacity);
    this.start = grownU32(this.start, capacity);
    this.end = grownU32(this.end, capacity);
    this.endpoint = grownI32(this.endpoint, capacity);
    this.next = grownI32(this.next, capacity);
  }
}

/** Tags, and addresses of other endpoints, a row each. */
export class V1Binaries {
  count = 0;
  keyStart: Uint32Array = NO_WORDS;
  keyEnd: Uint32Array = NO_WORDS;
  types: Uint8Array = EMPTY;
  /** As in `AttributeTable`, but that a string or bytes start in `V1Span.source` rather than in a heap. */
  lo: Uint32Array = NO_WORDS;
  hi: Uint32Array = NO_WORDS;
  endpoint: Int32Array = NO_INTS;
  /** The next one of the same piece. */
  next: Int32Array = NO_INTS;

  /** Adds a row that is an empty string and returns it. */
  add(): number {
    const row = this.count++;
    if (row === this.types.length) this.#grow(grownCapacity(row, row + 1));
    this.keyStart[row] = this.keyEnd[row] = 0;
    this.set(row, ValueType.STRING, 0, 0);
    this.endpoint[row] = this.next[row] = NONE;
    return row;
  }

  set(row: number, type: ValueType, lo: number, hi: number): void {
    this.types[row] = type;
    this.lo[row] = lo;
    this.hi[row] = hi;
  }

  #grow(capacity: number): void {
    this.keyStart = grownU32(this.keyStart, capacity);
    this.keyEnd = grownU32(this.keyEnd, capacity);
    this.types = grownU8(this.types, capacity);
    this.lo = grownU32(this.lo, capacity);
    this.hi = grownU32(this.hi, capacity);
    this.endpoint = grownI32(this.endpoint, capacity);
    this.next = grownI32(this.next, capacity);
  }
}

/**
 * A Zipkin v1 span as it was read: fields, and who said what when. Ranges are of `source` unless they say otherwise. One
 * object serves all spans of a request; it holds columns, as a span can have very many annotations.
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

  annotations: V1Annotations = new V1Annotations();
  binaries: V1Binaries = new V1Binaries();
  endpoints: V1Endpoints = new V1Endpoints();
  #maxChildren = 0;

  begin(maxChildren: number): void {
    this.#maxChildren = maxChildren;
  }

  release(): void {
    this.source = EMPTY;
    this.gathered.reset();
    this.addresses.reset();
    if (this.annotations.start.length > KEEP_ROWS) this.annotations = new V1Annotations();
    if (this.binaries.types.length > KEEP_ROWS) this.binaries = new V1Binaries();
    if (this.endpoints.ports.length > KEEP_ROWS) this.endpoints = new V1Endpoints();
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
    this.annotations.count = 0;
    this.binaries.count = 0;
    this.endpoints.count = 0;
  }

  /** Adds an annotation without content and returns its row; `offset` is where the input stands. */
  addAnnotation(offset: number): number {
    this.#checkRoom(this.annotations.count, offset);
    return this.annotations.add();
  }

  /** Adds a binary annotation that is an empty string and returns its row. */
  addBinary(offset: number): number {
    this.#checkRoom(this.binaries.count, offset);
    return this.binaries.add();
  }

  #checkRoom(count: number, offset: number): void {
    if (count >= this.#maxChildren) throw limitError('too_many_children', offset, 'maxChildren', this.#maxChildren);
  }
}
