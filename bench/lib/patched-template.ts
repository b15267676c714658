import type { SpanBatch } from '@clew/model';

/** A request that can be sent again and again as a different one. */
export interface Template {
  readonly bytes: Uint8Array;
  readonly spans: number;
  renew(nowUnixNano: bigint): Uint8Array;
  /** The first trace id as it now stands, lower-case hex. */
  firstTraceId(): string;
}

/**
 * A request of any format whose trace ids lie in it as 16 hexadecimal digits or as 8 bytes of their high half: they are found by their
 * value and rewritten in place. Times stay as they were encoded.
 */
export class PatchedTemplate implements Template {
  readonly bytes: Uint8Array;
  readonly spans: number;
  readonly #places: readonly number[];
  readonly #asText: boolean;
  readonly #rest: string;
  #counter: number;

  /**
   * @param bytes the encoded request, owned by the template from now on
   * @param batch what was encoded
   * @param run tells runs apart
   */
  constructor(bytes: Uint8Array, batch: SpanBatch, run: number, asText: boolean) {
    this.bytes = bytes;
    this.spans = batch.count;
    this.#asText = asText;
    this.#counter = run << 20;
    const ids = Array.from({ length: batch.count }, (_, row) =>
      Buffer.from(batch.traceIds.subarray(row * 16, row * 16 + 16)).toString('hex'),
    );
    this.#rest = ids[0]!.slice(8);
    const high = new Set(ids.map((id) => id.slice(0, 16)));
    this.#places = [...high].flatMap((half) => this.#find(Buffer.from(half, asText ? 'latin1' : 'hex')));
  }

  renew(): Uint8Array {
    const mark = ++this.#counter;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    const digits = Buffer.from(markText(mark), 'latin1');
    for (const at of this.#places) {
      if (this.#asText) this.bytes.set(digits, at);
      else view.setUint32(at, mark);
    }
    return this.bytes;
  }

  firstTraceId(): string {
    return markText(this.#counter) + this.#rest;
  }

  #find(needle: Buffer): number[] {
    const found: number[] = [];
    const haystack = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) found.push(at);
    return found;
  }
}

function markText(mark: number): string {
  return (mark >>> 0).toString(16).padStart(8, '0');
}
