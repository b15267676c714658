import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { Evidence, Json2Reader } from './json-v2.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';

/** Decodes a JSON list of spans into a batch. */
class ZipkinJsonDecoder extends Json2Reader {
  decode(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions): number {
    const mark = batch.mark();
    const { sink } = this;
    try {
      this.bindInput(bytes);
      sink.begin(batch, options);
      this.maxDepth = sink.maxDepth;
      for (let more = this.openArray(); more; more = this.nextElement()) this.#span();
      if (this.peek() >= 0)
        throw inputError('invalid_json', this.pos, 'something follows the end of the list of spans');
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.release();
      sink.release();
    }
  }

  #span(): void {
    this.evidence = 0;
    this.span2();
    void Evidence;
    this.sink.close(false, this.pos);
  }
}

const decoder = new ZipkinJsonDecoder();
export function decodeZipkinV2Json(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  return decoder.decode(bytes, batch, options);
}
