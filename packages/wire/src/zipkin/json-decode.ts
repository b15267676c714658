import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { Json1Reader } from './json-v1.ts';
import { Evidence } from './json-v2.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';

/** A version of Zipkin's JSON; `any`: to be found out for each span. */
export type JsonVersion = 'v1' | 'v2' | 'any';

/**
 * Decodes a JSON list of spans into a batch. Unknown members are skipped at any depth, `null` is absent, members may come in any
 * order.
 *
 * When the version is to be found out, a span is read as the last one was, and read again when it turns out to be of the other
 * version: it is v2 if it has a member only v2 spans have, else v1 if it has one only v1 spans have, else as the one before
 * it, at first v2.
 */
class ZipkinJsonDecoder extends Json1Reader {
  /** Whether a span of the current request was v1. */
  sawV1 = false;
  #version: JsonVersion = 'any';
  /** The version of the span read last. */
  #last: 'v1' | 'v2' = 'v2';

  decode(bytes: Uint8Array, batch: SpanBatch, version: JsonVersion, options: ZipkinDecodeOptions): number {
    const mark = batch.mark();
    const { v1 } = this;
    this.sawV1 = false;
    this.#version = version;
    this.#last = version === 'v1' ? 'v1' : 'v2';
    try {
      this.begin(bytes, batch, options);
      v1.begin(options.limits ?? {});
      this.#list();
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.release();
      v1.release();
    }
  }

  #list(): void {
    if (this.peek() === 0x7b) {
      throw inputError(
        'wrong_json_type',
        this.pos,
        'Expected a list of spans, but found a single object: put it in [ ]',
      );
    }
    for (let more = this.openArray(); more; more = this.nextElement()) {
      if (!this.takeNull()) this.#span();
    }
    if (this.peek() >= 0) throw inputError('invalid_json', this.pos, 'something follows the end of the list of spans');
  }

  #span(): void {
    const start = this.pos;
    this.evidence = 0;
    if (this.#last === 'v2') {
      this.span2();
      if (this.#version === 'any' && this.evidence === Evidence.V1) {
        this.sink.discard();
        this.pos = start;
        this.span1();
        this.#last = 'v1';
      }
    } else {
      this.span1();
      if (this.#version === 'any' && (this.evidence & Evidence.V2) !== 0) {
        this.pos = start;
        this.span2();
        this.#last = 'v2';
      }
    }
    if (this.#last === 'v2') this.sink.close(false, this.pos);
    else {
      this.sawV1 = true;
      this.v1.put(this.pos);
    }
  }
}

const decoder = new ZipkinJsonDecoder();

/** Whether the list of spans {@link decodeZipkinJson} decoded last had one of v1 in it. */
export function lastJsonHadV1(): boolean {
  return decoder.sawV1;
}

/** Appends the spans of a JSON list whose spans may be of either version, each found out by its members; see {@link decodeZipkinV2Json}. */
export function decodeZipkinJson(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  return decoder.decode(bytes, batch, 'any', options);
}

/** Appends the spans of a v1 JSON list, one or several for each; see {@link decodeZipkinV2Json}. */
export function decodeZipkinV1Json(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  return decoder.decode(bytes, batch, 'v1', options);
}

/**
 * Appends the spans of a v2 JSON list to `batch` and returns their number. The bytes are copied as needed.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeZipkinV2Json(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  return decoder.decode(bytes, batch, 'v2', options);
}
