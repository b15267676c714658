import { randomFillSync } from 'node:crypto';
import type { SpanId, TraceId } from '@clew/model';

/** Ids of traces and spans. Hot path, guarded by `bench/gateway-telemetry`: an id is a slice of a text made for hundreds at once. */

/** Random bytes drawn at a time: enough for 340 requests with two spans, and little to hold for an id that lives long. */
const POOL_BYTES = 8192;
const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const ZEROS = '0'.repeat(TRACE_ID_DIGITS);

/** Draws random ids; none is zero. */
export class RandomIds {
  readonly #fill: (bytes: Buffer) => void;
  readonly #bytes = Buffer.alloc(POOL_BYTES);
  #digits = '';
  #at = 0;

  /** `fill` draws the random bytes; tests replace it. */
  constructor(fill: (bytes: Buffer) => void = (bytes) => void randomFillSync(bytes)) {
    this.#fill = fill;
  }

  traceId(): TraceId {
    return this.#take(TRACE_ID_DIGITS) as TraceId;
  }

  spanId(): SpanId {
    return this.#take(SPAN_ID_DIGITS) as SpanId;
  }

  #take(digits: number): string {
    for (;;) {
      if (this.#at + digits > this.#digits.length) {
        this.#fill(this.#bytes);
        this.#digits = this.#bytes.toString('hex');
        this.#at = 0;
      }
      const id = this.#digits.slice(this.#at, (this.#at += digits));
      if (id !== ZEROS.slice(0, digits)) return id;
    }
  }
}
