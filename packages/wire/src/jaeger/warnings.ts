import { WireError } from '../errors.ts';
import { MAX_DEPTH } from '../limits.ts';
import { ProtobufReader, viewOf } from '../protobuf/protobuf-reader.ts';

/**
 * Warnings about a span are an attribute whose value is a list of texts: in a batch, the body of an OTLP `ArrayValue`. They are rare, so this
 * is written for clarity.
 */
class WarningsReader extends ProtobufReader {
  constructor() {
    super();
    this.maxDepth = MAX_DEPTH;
  }

  read(heap: Uint8Array, start: number, end: number, ranges: number[]): boolean {
    this.buf = heap;
    this.view = viewOf(heap);
    try {
      for (let pos = start; pos < end; pos = this.stop) {
        pos = this.#delimited(pos, end);
        const valueEnd = this.stop;
        if (pos < 0) return false;
        const textStart = this.#delimited(pos, valueEnd);
        if (textStart < 0 || this.stop !== valueEnd) return false;
        ranges.push(textStart, valueEnd);
      }
      return ranges.length > 0;
    } finally {
      this.release();
    }
  }

  /** Where the bytes of a length-delimited field 1 at `pos` begin, -1 when there is another field; sets `stop`. */
  #delimited(pos: number, end: number): number {
    if (pos >= end) return -1;
    const at = this.tag(pos, end);
    return this.lo === 0x0a ? this.length(at, end) : -1;
  }
}

const reader = new WarningsReader();

/**
 * Sets `ranges` to where each text of the `ArrayValue` in `heap[start, end)` begins and ends. Returns false when it has anything but
 * texts in it, or nothing at all.
 */
export function readWarnings(heap: Uint8Array, start: number, end: number, ranges: number[]): boolean {
  ranges.length = 0;
  try {
    return reader.read(heap, start, end, ranges);
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
