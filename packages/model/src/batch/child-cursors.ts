import { readSpanId, readTraceId, type SpanId, type TraceId } from '../ids.ts';
import { nanosOfWords, type UnixNano } from '../times.ts';
import { AttributeCursor } from './attribute-cursor.ts';
import { AttributeLevel } from './edit-log.ts';
import type { SpanBatch } from './span-batch.ts';

/** Cursors over the child rows of one span; see `SpanCursor`, which owns and opens them. Hot paths, guarded by `bench/batch`. */

/** Reads the events of one span in order. */
export class EventCursor {
  /** The current row of `batch.events`. */
  row = -1;
  readonly #batch: SpanBatch;
  readonly #attributes: AttributeCursor;
  #start = 0;
  #end = 0;

  constructor(batch: SpanBatch) {
    this.#batch = batch;
    this.#attributes = new AttributeCursor(batch, batch.eventAttrs, AttributeLevel.EVENT);
  }

  /** Stands before the first of rows `[start, end)`. */
  open(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    this.rewind();
  }

  /** Stands before the first event again. */
  rewind(): void {
    this.row = this.#start - 1;
  }

  /** Moves to the next event; false when there is none. */
  next(): boolean {
    if (this.row + 1 >= this.#end) return false;
    this.row++;
    this.#attributes.owner = -1;
    return true;
  }

  get count(): number {
    return this.#end - this.#start;
  }

  /** Attributes of the current event, standing before the first after each move. */
  get attributes(): AttributeCursor {
    const { row } = this;
    if (this.#attributes.owner !== row) {
      const ends = this.#batch.events.attrEnd;
      this.#attributes.open(row, row === 0 ? 0 : ends[row - 1]!, ends[row]!);
    }
    return this.#attributes;
  }

  get name(): number {
    return this.#batch.events.names[this.row]!;
  }

  get timeLo(): number {
    return this.#batch.events.times[this.row * 2]!;
  }

  get timeHi(): number {
    return this.#batch.events.times[this.row * 2 + 1]!;
  }

  get droppedAttributes(): number {
    return this.#batch.events.dropped[this.row]!;
  }

  decodeTime(): UnixNano {
    return nanosOfWords(this.timeLo, this.timeHi);
  }

  /** The event's name as shown text. */
  decodeName(): string {
    return this.#batch.strings.text(this.name);
  }
}

/** Reads the links of one span in order. */
export class LinkCursor {
  /** The current row of `batch.links`. */
  row = -1;
  readonly #batch: SpanBatch;
  readonly #attributes: AttributeCursor;
  #start = 0;
  #end = 0;

  constructor(batch: SpanBatch) {
    this.#batch = batch;
    this.#attributes = new AttributeCursor(batch, batch.linkAttrs, AttributeLevel.LINK);
  }

  /** Stands before the first of rows `[start, end)`. */
  open(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    this.rewind();
  }

  /** Stands before the first link again. */
  rewind(): void {
    this.row = this.#start - 1;
  }

  /** Moves to the next link; false when there is none. */
  next(): boolean {
    if (this.row + 1 >= this.#end) return false;
    this.row++;
    this.#attributes.owner = -1;
    return true;
  }

  get count(): number {
    return this.#end - this.#start;
  }

  /** Attributes of the current link, standing before the first after each move. */
  get attributes(): AttributeCursor {
    const { row } = this;
    if (this.#attributes.owner !== row) {
      const ends = this.#batch.links.attrEnd;
      this.#attributes.open(row, row === 0 ? 0 : ends[row - 1]!, ends[row]!);
    }
    return this.#attributes;
  }

  get traceState(): number {
    return this.#batch.links.states[this.row]!;
  }

  get flags(): number {
    return this.#batch.links.flags[this.row]!;
  }

  get droppedAttributes(): number {
    return this.#batch.links.dropped[this.row]!;
  }

  decodeTraceId(): TraceId | '' {
    return readTraceId(this.#batch.links.traceIds, this.row * 16);
  }

  decodeSpanId(): SpanId | '' {
    return readSpanId(this.#batch.links.spanIds, this.row * 8);
  }
}
