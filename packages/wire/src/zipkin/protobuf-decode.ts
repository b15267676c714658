import { ValueType } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { TextBuffer } from '../json/text-buffer.ts';
import { ProtobufReader, viewOf } from '../protobuf/protobuf-reader.ts';
import { StringGuesser } from '../string-guesser.ts';
import { appendAddress } from './addresses.ts';
import { missingId, zeroId } from './ids.ts';
import type { IdName } from './ids.ts';
import { SpanSink } from './span-sink.ts';
import { KIND_OF_NUMBER, checkedPort } from './span-values.ts';
import type { EndpointFields } from './endpoint-fields.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';

// Fields each message defines, as bit sets for `skipUnknown` (openzipkin/zipkin-api, zipkin.proto).
const KNOWN_LIST = 1 << 1;
const KNOWN_SPAN = 0b11_1111_1111_1110;
const KNOWN_ENDPOINT = 0b1_1110;
const KNOWN_PAIR = 0b110;

/** Decodes `zipkin.proto3.ListOfSpans` into a batch. A hot path, guarded by `bench/codec`: nothing is allocated per span. */
class ZipkinProtobufDecoder extends ProtobufReader {
  readonly #sink = new SpanSink();
  readonly #address = new TextBuffer();
  readonly #guesser = new StringGuesser();
  #heapBase = 0;
  #marksDebug = false;

  decode(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions): number {
    const mark = batch.mark();
    const sink = this.#sink;
    try {
      this.buf = bytes;
      this.view = viewOf(bytes);
      sink.begin(batch, options);
      this.#guesser.bind(this.buf, this.view, batch.strings);
      this.maxDepth = sink.maxDepth;
      this.#marksDebug = options.debug ?? false;
      // Copied rather than borrowed: addresses and the name of the format have to be added to it in any case.
      this.#heapBase = batch.appendHeap(bytes, 0, bytes.length);
      for (let pos = 0; pos < bytes.length;) {
        pos = this.tag(pos, bytes.length);
        if (this.lo !== 0x0a) {
          pos = this.skipUnknown(this.lo, pos, bytes.length, KNOWN_LIST);
          continue;
        }
        pos = this.length(pos, bytes.length);
        const { stop } = this;
        this.#span(pos, stop);
        pos = stop;
      }
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.release();
      sink.release();
      this.#guesser.release();
    }
  }

  #span(start: number, end: number): void {
    const sink = this.#sink;
    const { batch } = sink;
    const row = sink.open(start);
    let hasTraceId = false;
    let hasId = false;
    sink.isDebug = this.#marksDebug;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      switch (tag) {
        case 0x20:
          pos = this.varint(pos, end);
          batch.kinds[row] = (this.hi === 0 ? KIND_OF_NUMBER[this.lo] : undefined) ?? 0;
          continue;
        case 0x31:
          sink.timestampLo = this.word((pos = this.fixed(pos, 8, end)) - 8);
          sink.timestampHi = this.word(pos - 4);
          continue;
        case 0x38:
          pos = this.varint(pos, end);
          sink.durationLo = this.lo;
          sink.durationHi = this.hi;
          continue;
        case 0x60:
          pos = this.varint(pos, end);
          sink.isDebug = this.#marksDebug || (this.lo | this.hi) !== 0;
          continue;
        case 0x68:
          pos = this.varint(pos, end);
          sink.isShared = (this.lo | this.hi) !== 0;
          continue;
        default:
      }
      if ((tag & 7) !== 2 || !isMessageOrText(tag >>> 3)) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_SPAN);
        continue;
      }
      pos = this.length(pos, end);
      const { stop } = this;
      switch (tag) {
        case 0x0a:
          hasTraceId = stop > pos;
          if (!this.#id(pos, stop, batch.traceIds, row * 16, 16, 'traceId')) throw zeroId('traceId', 'v2', pos);
          break;
        case 0x12:
          this.#id(pos, stop, batch.parentIds, row * 8, 8, 'parentId');
          break;
        case 0x1a:
          hasId = stop > pos;
          if (!this.#id(pos, stop, batch.spanIds, row * 8, 8, 'id')) throw zeroId('id', 'v2', pos);
          break;
        case 0x2a:
          batch.names[row] = this.#guesser.recurring(pos, stop);
          break;
        case 0x42:
          this.#endpoint(pos, stop, sink.local, true);
          break;
        case 0x4a:
          this.#endpoint(pos, stop, sink.remote, false);
          break;
        case 0x52:
          this.#annotation(pos, stop);
          break;
        default:
          this.#tag(pos, stop);
      }
      pos = stop;
    }
    if (!hasTraceId) throw missingId('traceId', start);
    if (!hasId) throw missingId('id', start);
    sink.close(false, end);
  }

  /** Reads an id of up to `width` bytes, padding it on the left; returns whether it is other than zero. */
  #id(start: number, stop: number, target: Uint8Array, at: number, width: number, name: IdName): boolean {
    const length = stop - start;
    if (length > width) {
      throw inputError('invalid_id', start, `${name} has ${length} bytes, but may have ${width} at most`);
    }
    target.fill(0, at, at + width - length);
    let any = 0;
    for (let i = 0; i < length; i++) any |= target[at + width - length + i] = this.buf[start + i]!;
    return any !== 0 || length === 0;
  }

  #endpoint(start: number, end: number, endpoint: EndpointFields, isLocal: boolean): void {
    const { services } = this.#sink;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag === 0x20) {
        pos = this.varint(pos, end);
        endpoint.port = checkedPort(this.lo, this.hi, 'wrong_wire_type', pos);
        continue;
      }
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_ENDPOINT);
        continue;
      }
      pos = this.length(pos, end);
      const { stop } = this;
      if (tag !== 0x0a) this.#addressText(endpoint, pos, stop, tag === 0x12 ? 4 : 16);
      else if (isLocal) endpoint.service = services.indexOf(this.buf, pos, stop);
      else {
        endpoint.serviceAt = this.#heapBase + pos;
        endpoint.serviceLength = stop - pos;
      }
      pos = stop;
    }
  }

  /** Keeps an address as text; bytes that are no address of their version are left out, as Zipkin does. */
  #addressText(endpoint: EndpointFields, start: number, stop: number, width: 4 | 16): void {
    if (stop - start !== width) return;
    const address = this.#address;
    address.length = 0;
    appendAddress(address, this.buf, start, width);
    const at = this.#sink.batch.appendHeap(address.bytes, 0, address.length);
    if (width === 4) {
      endpoint.ipv4At = at;
      endpoint.ipv4Length = address.length;
    } else {
      endpoint.ipv6At = at;
      endpoint.ipv6Length = address.length;
    }
  }

  #annotation(start: number, end: number): void {
    let lo = 0;
    let hi = 0;
    let textStart = start;
    let textEnd = start;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      if (this.lo === 0x09) {
        pos = this.fixed(pos, 8, end);
        lo = this.word(pos - 8);
        hi = this.word(pos - 4);
      } else if (this.lo === 0x12) {
        textStart = this.length(pos, end);
        textEnd = pos = this.stop;
      } else pos = this.skipUnknown(this.lo, pos, end, KNOWN_PAIR);
    }
    this.#sink.annotation(lo, hi, this.buf, textStart, textEnd, start);
  }

  #tag(start: number, end: number): void {
    let keyStart = start;
    let keyEnd = start;
    let valueStart = start;
    let valueEnd = start;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      if (this.lo === 0x0a) {
        keyStart = this.length(pos, end);
        keyEnd = pos = this.stop;
      } else if (this.lo === 0x12) {
        valueStart = this.length(pos, end);
        valueEnd = pos = this.stop;
      } else pos = this.skipUnknown(this.lo, pos, end, KNOWN_PAIR);
    }
    const sink = this.#sink;
    sink.tagOfKey(this.#guesser.key(keyStart, keyEnd), this.buf, keyStart, keyEnd);
    sink.tagValue(ValueType.STRING, this.#heapBase + valueStart, valueEnd - valueStart);
  }
}

/** Whether field `number` of a span is length-delimited. */
function isMessageOrText(number: number): boolean {
  return number > 0 && number <= 11 && number !== 4 && number !== 6 && number !== 7;
}

const decoder = new ZipkinProtobufDecoder();

/**
 * Appends the spans of a `zipkin.proto3.ListOfSpans` to `batch` and returns their number. The bytes are copied.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeZipkinV2Protobuf(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  return decoder.decode(bytes, batch, options);
}
