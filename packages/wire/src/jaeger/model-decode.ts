import { ValueType, plainBytes } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { copy8, zero8 } from '../ids.ts';
import { resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { viewOf } from '../protobuf/protobuf-reader.ts';
import { ModelProcessReader } from './model-processes.ts';
import { TagOwner } from './span-sink.ts';

// Fields each message defines, as bit sets for `skipUnknown` (github.com/jaegertracing/jaeger-idl, proto/api_v2).
const KNOWN_REQUEST = 1 << 1;
const KNOWN_BATCH = 0b110;
const KNOWN_SPAN = 0b1_1111_1111_1110;
const KNOWN_REFERENCE = 0b1110;
const KNOWN_LOG = 0b110;
const KNOWN_TIME = 0b110;

const NONE = -1;

/**
 * Decodes `PostSpansRequest` and `Batch` of Jaeger's api_v2 (model.proto) into a batch. A span's own process counts rather than the
 * batch's; equal processes become one resource.
 *
 * A hot path, guarded by `bench/codec`: one pass, nothing is allocated per span.
 */
class ModelDecoder extends ModelProcessReader {
  /** The process of the batch being read: a range of the input. */
  #processStart = NONE;
  #processEnd = NONE;
  /** Seconds and nanoseconds of the time or duration read last. */
  #secondsLo = 0;
  #secondsHi = 0;
  #nanos = 0;

  decode(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits, isRequest: boolean): number {
    const mark = batch.mark();
    try {
      this.buf = bytes;
      this.view = viewOf(bytes);
      this.maxDepth = resolveLimits(limits).maxDepth;
      this.batch = batch;
      this.sink.bind(bytes, batch, limits);
      this.processes.clear();
      if (isRequest) this.#request(bytes.length);
      else this.#readBatch(0, bytes.length);
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.release();
    }
  }

  #request(end: number): void {
    let pos = 0;
    while (pos < end) {
      pos = this.tag(pos, end);
      if (this.lo !== 0x0a) {
        pos = this.skipUnknown(this.lo, pos, end, KNOWN_REQUEST);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      this.#readBatch(pos, stop);
      pos = stop;
    }
  }

  /** The process comes behind the spans that need it, so the fields are walked twice. */
  #readBatch(start: number, end: number): void {
    this.#processStart = NONE;
    this.#processEnd = NONE;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_BATCH);
        continue;
      }
      pos = this.length(pos, end);
      if (tag === 0x12) {
        this.#processStart = pos;
        this.#processEnd = this.stop;
      }
      pos = this.stop;
    }
    pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const isSpan = this.lo === 0x0a;
      if (!isSpan) {
        pos = this.skip(this.lo, pos, end, 1);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      this.#span(pos, stop);
      pos = stop;
    }
  }

  #span(start: number, end: number): void {
    const { buf } = this;
    const batch = this.batch;
    const sink = this.sink;
    const row = sink.beginSpan(start);
    zero8(batch.traceIds, row * 16);
    zero8(batch.traceIds, row * 16 + 8);
    zero8(batch.spanIds, row * 8);
    zero8(batch.parentIds, row * 8);
    this.guesser.previous = 0;
    sink.end.lo = 0;
    sink.end.hi = 0;
    let name = 0;
    let flags = 0;
    let durationLo = 0;
    let durationHi = 0;
    let durationNanos = 0;
    let processStart = this.#processStart;
    let processEnd = this.#processEnd;
    let processIdAt = NONE;
    let processIdLength = 0;
    let hasWarnings = false;
    let pos = start;
    while (pos < end) {
      let tag = buf[pos]!;
      if (tag < 0x80) pos++;
      else {
        pos = this.tag(pos, end);
        tag = this.lo;
      }
      if (tag === 0x28) {
        pos = this.varint(pos, end);
        flags = this.lo;
        continue;
      }
      if ((tag & 7) !== 2) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_SPAN);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      switch (tag >>> 3) {
        case 1:
          this.#traceId(pos, stop, batch.traceIds, row * 16);
          break;
        case 2:
          this.#spanId(pos, stop, batch.spanIds, row * 8);
          break;
        case 3:
          name = this.guesser.recurring(pos, stop);
          this.guesser.previous = name;
          break;
        case 4:
          if (!this.#plainParent(row, pos, stop)) this.#reference(pos, stop);
          break;
        case 6:
          this.#time(pos, stop);
          sink.start.setSeconds(this.#secondsLo, this.#secondsHi, this.#nanos);
          break;
        case 7:
          this.#time(pos, stop);
          durationLo = this.#secondsLo;
          durationHi = this.#secondsHi;
          durationNanos = this.#nanos;
          break;
        case 8:
          this.keyValue(TagOwner.SPAN, batch.spanAttrs, pos, stop);
          break;
        case 9:
          this.#log(pos, stop);
          break;
        case 10:
          processStart = pos;
          processEnd = stop;
          break;
        case 11:
          processIdAt = pos;
          processIdLength = stop - pos;
          break;
        case 12:
          hasWarnings = true;
          break;
        default:
          if (tag < 8) throw inputError('invalid_tag', pos, 'a field has the number 0');
          if (tag >>> 3 === 5) this.skipUnknown(tag, pos, end, KNOWN_SPAN);
      }
      pos = stop;
    }
    if (hasWarnings) this.#warnings(start, end);
    sink.end.lo = sink.start.lo;
    sink.end.hi = sink.start.hi;
    sink.end.addSeconds(durationLo, durationHi, durationNanos);
    this.findProcess(start, processStart, processEnd);
    sink.endSpan(start, row, this.resource, name, flags, this.isGo);
    if (processIdLength > 0) sink.processId(row, this.context.heapBase + processIdAt, processIdLength);
  }

  /** Copies a trace id of 16 bytes, or one of 8 as the low half; the target is zero. */
  #traceId(start: number, stop: number, target: Uint8Array, at: number): void {
    const length = stop - start;
    if (length === 8) copy8(this.buf, start, target, at + 8);
    else if (length === 16) {
      copy8(this.buf, start, target, at);
      copy8(this.buf, start + 8, target, at + 8);
    } else if (length !== 0) throw invalidId('trace', start, length, '0, 8 or 16');
  }

  /** Copies a span id; the target is zero. */
  #spanId(start: number, stop: number, target: Uint8Array, at: number): void {
    const length = stop - start;
    if (length === 8) copy8(this.buf, start, target, at);
    else if (length !== 0) throw invalidId('span', start, length, '0 or 8');
  }

  /**
   * Takes the reference in `[start, end)` for the parent when it has the layout every writer produces: `0a 10` trace id, `12 08` span id,
   * and no type, which is CHILD_OF.
   */
  #plainParent(row: number, start: number, end: number): boolean {
    const { buf } = this;
    const isPlain =
      end - start === 28 &&
      buf[start] === 0x0a &&
      buf[start + 1] === 16 &&
      buf[start + 18] === 0x12 &&
      buf[start + 19] === 8;
    return isPlain && this.sink.references.parent(row, buf, start + 2, start + 20);
  }

  #reference(start: number, end: number): void {
    const { references } = this.sink;
    const { links } = this.batch;
    const row = references.add(start);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag === 0x18) {
        pos = this.varint(pos, end);
        if (this.lo !== 0) references.setFollowsFrom(row);
        continue;
      }
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_REFERENCE);
        continue;
      }
      pos = this.length(pos, end);
      if (tag === 0x0a) this.#traceId(pos, this.stop, links.traceIds, row * 16);
      else this.#spanId(pos, this.stop, links.spanIds, row * 8);
      pos = this.stop;
    }
  }

  /** Reads a `Timestamp` or `Duration`. */
  #time(start: number, end: number): void {
    this.#secondsLo = 0;
    this.#secondsHi = 0;
    this.#nanos = 0;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x08 && tag !== 0x10) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_TIME);
        continue;
      }
      pos = this.varint(pos, end);
      if (tag === 0x10) this.#nanos = this.lo | 0;
      else {
        this.#secondsLo = this.lo;
        this.#secondsHi = this.hi;
      }
    }
  }

  #log(start: number, end: number): void {
    const sink = this.sink;
    const { events, eventAttrs } = this.batch;
    const row = sink.beginLog(start);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_LOG);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x12) this.keyValue(TagOwner.LOG, eventAttrs, pos, stop);
      else {
        this.#time(pos, stop);
        sink.end.setSeconds(this.#secondsLo, this.#secondsHi, this.#nanos);
        events.times[row * 2] = sink.end.lo;
        events.times[row * 2 + 1] = sink.end.hi;
      }
      pos = stop;
    }
    sink.endLog(row);
  }

  /** Adds the warnings of the span in `[start, end)` as one attribute, a list of texts. */
  #warnings(start: number, end: number): void {
    const { context } = this.sink;
    const size = this.#eachWarning(start, end, NONE);
    const at = context.reserve(size);
    this.#eachWarning(start, end, at);
    this.batch.spanAttrs.push(context.key('WARNINGS'), ValueType.ARRAY, at, size);
  }

  /** The bytes that an `ArrayValue` of the warnings takes; writes it to the heap at `at`, unless that is -1. */
  #eachWarning(start: number, end: number, at: number): number {
    const { heap } = this.batch;
    let size = 0;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const isWarning = this.lo === 0x62;
      const from = pos;
      pos = this.skip(this.lo, pos, end, 1);
      if (!isWarning) continue;
      const textStart = this.length(from, end);
      const length = pos - textStart;
      const valueLength = 1 + varintSize(length) + length;
      if (at !== NONE) {
        let to = writeDelimiter(heap, at + size, valueLength);
        to = writeDelimiter(heap, to, length);
        heap.set(this.buf.subarray(textStart, pos), to);
      }
      size += 1 + varintSize(valueLength) + valueLength;
    }
    return size;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest !== 0; rest >>>= 7) size++;
  return size;
}

/** Writes the tag of a length-delimited field 1 and a length; returns the position behind them. */
function writeDelimiter(target: Uint8Array, at: number, length: number): number {
  let pos = at;
  target[pos++] = 0x0a;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) target[pos++] = (rest & 0x7f) | 0x80;
  target[pos++] = rest;
  return pos;
}

function invalidId(what: string, at: number, length: number, wanted: string): Error {
  return inputError('invalid_id', at, `a ${what} id has ${length} bytes instead of ${wanted}`);
}

const decoder = new ModelDecoder();

/**
 * Appends the spans of an encoded `PostSpansRequest` (jaeger.api_v2, what Jaeger's collectors take over gRPC) to `batch` and returns their
 * number. The batch may borrow `bytes` as its heap: the caller must not write to them while the batch holds the spans.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodePostSpans(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decoder.decode(plainBytes(bytes), batch, limits, true);
}

/** Like {@link decodePostSpans} for a bare `Batch` of model.proto, as Jaeger's queues carry it. */
export function decodeModelBatch(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decoder.decode(plainBytes(bytes), batch, limits, false);
}
