import { SpanExtra } from '../block/extra.ts';
import type { SpanBatch } from '@clew/model';
import { StoreError } from '../errors.ts';
import { wordAt } from './attribute-reader.ts';

/** Reads the `extra` columns (`block/extra.ts`) back. */
export class ExtraReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  word(): number {
    this.#at += 4;
    return wordAt(this.#bytes, this.#at - 4);
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** A string as an entry of the batch's strings. */
  entry(batch: SpanBatch): number {
    const [start, end] = this.range();
    return batch.strings.intern(this.#bytes, start, end);
  }

  /** Where the bytes of a string are. */
  range(): readonly [number, number] {
    const length = this.varint();
    this.#at += length;
    return [this.#at - length, this.#at];
  }
}

/** Applies the extra fields of a span to row `row` of the batch, whose events begin at `firstEvent` and links at `firstLink`. */
export function applySpanExtra(
  extra: ExtraReader,
  batch: SpanBatch,
  row: number,
  firstEvent: number,
  firstLink: number,
): void {
  while (!extra.done) {
    const tag = extra.byte();
    if (tag === SpanExtra.END) {
      batch.times[row * 4 + 2] = extra.word();
      batch.times[row * 4 + 3] = extra.word();
    } else if (tag === SpanExtra.KIND) {
      batch.kinds[row] = extra.word();
    } else if (tag === SpanExtra.STATUS) {
      batch.statusCodes[row] = extra.word();
    } else if (tag === SpanExtra.DROPPED) {
      batch.droppedAttributes[row] = extra.varint();
      batch.droppedEvents[row] = extra.varint();
      batch.droppedLinks[row] = extra.varint();
    } else if (tag === SpanExtra.EVENT_DROPPED) {
      for (let count = extra.varint(); count > 0; count--) {
        const event = firstEvent + extra.varint();
        batch.events.dropped[event] = extra.varint();
      }
    } else if (tag === SpanExtra.LINKS) {
      applyLinks(extra, batch, firstLink);
    } else {
      throw new StoreError('sql_error', `read a span: extra field ${tag} is none this version knows`);
    }
  }
}

function applyLinks(extra: ExtraReader, batch: SpanBatch, firstLink: number): void {
  const count = extra.varint();
  for (let link = firstLink; link < firstLink + count; link++) {
    batch.links.flags[link] = extra.varint();
    batch.links.dropped[link] = extra.varint();
    batch.links.states[link] = extra.entry(batch);
  }
}
