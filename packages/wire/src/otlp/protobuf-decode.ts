import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { copy8, zero8 } from '../ids.ts';
import { limitError, resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { ResourceReader } from './protobuf-resources.ts';
import { truncated, wrongWireType } from '../protobuf/protobuf-reader.ts';

// Fields each message defines, as bit sets for `skipUnknown` (opentelemetry/proto/trace/v1/trace.proto).
const KNOWN_REQUEST = 1 << 1;
const KNOWN_RESOURCE_SPANS = 0b1110;
const KNOWN_SCOPE_SPANS = 0b1110;
const KNOWN_SPAN = 0b1_1111_1111_1111_1110;
const KNOWN_EVENT = 0b1_1110;
const KNOWN_LINK = 0b111_1110;
const KNOWN_STATUS = 0b1100;

/**
 * `instrumentation_library_spans`, which carried what `scope_spans` carries until OTLP 0.15: field 1000,
 * length-delimited.
 */
const TAG_LIBRARY_SPANS = (1000 << 3) | 2;

/**
 * Decodes `ExportTraceServiceRequest` (equally `TracesData`) into a batch.
 *
 * Rules beyond plain protobuf: an id has 0 or exactly 16 (8) bytes; strings are kept as bytes, valid UTF-8 or not;
 * enums out of range, duplicate keys and all flag bits are kept; `entity_refs` are kept as wire bytes.
 *
 * A hot path, guarded by `bench/codec`: one pass, nothing is allocated per span. A span's scalars are gathered in
 * local variables and written to the columns once, at its end. `#span` is long because calls would cost more than what
 * they do.
 */
class TraceDecoder extends ResourceReader {
  #maxSpans = 0;
  #maxChildren = 0;
  #firstSpan = 0;
  #children = 0;

  decode(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits): number {
    const mark = batch.mark();
    const { maxDepth, maxSpans, maxChildren } = resolveLimits(limits);
    this.maxDepth = maxDepth;
    this.#maxSpans = maxSpans;
    this.#maxChildren = maxChildren;
    this.#firstSpan = batch.count;
    this.#children = 0;
    try {
      this.bind(bytes, batch);
      this.#request(bytes.length);
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
      this.#resourceSpans(pos, stop);
      pos = stop;
    }
  }

  #resourceSpans(start: number, end: number): void {
    const { batch } = this;
    this.#countChild(start);
    const row = batch.resourceTable.add(batch.resourceAttrs.count);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a && tag !== TAG_LIBRARY_SPANS) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_RESOURCE_SPANS);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x0a) this.resource(row, pos, stop);
      else if (tag === 0x1a) batch.resourceTable.schemaUrls[row] = batch.strings.intern(this.buf, pos, stop);
      else this.#scopeSpans(row, pos, stop);
      pos = stop;
    }
    batch.resourceTable.attrEnd[row] = batch.resourceAttrs.count;
    this.finishResource(row, start, end);
  }

  #scopeSpans(resource: number, start: number, end: number): void {
    const { batch } = this;
    this.#countChild(start);
    const row = batch.scopeTable.add(resource, batch.scopeAttrs.count);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_SCOPE_SPANS);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x12) this.#span(pos, stop, row);
      else if (tag === 0x0a) this.scope(row, pos, stop);
      else batch.scopeTable.schemaUrls[row] = batch.strings.intern(this.buf, pos, stop);
      pos = stop;
    }
    batch.scopeTable.attrEnd[row] = batch.scopeAttrs.count;
  }

  #span(start: number, end: number, scope: number): void {
    const { buf, batch } = this;
    const row = batch.count;
    if (row - this.#firstSpan >= this.#maxSpans) throw limitError('too_many_spans', start, 'maxSpans', this.#maxSpans);
    if (row === batch.names.length) batch.reserveSpans(1);
    batch.statusCodes[row] = 0;
    batch.statusMessages[row] = 0;
    let traceAt = -1;
    let spanAt = -1;
    let parentAt = -1;
    let startAt = -1;
    let endAt = -1;
    let name = 0;
    let kind = 0;
    let traceState = 0;
    let flags = 0;
    let droppedAttributes = 0;
    let droppedEvents = 0;
    let droppedLinks = 0;
    this.guesser.previous = 0;
    let pos = start;
    while (pos < end) {
      let tag = buf[pos]!;
      if (tag < 0x80) pos++;
      else {
        pos = this.tag(pos, end);
        tag = this.lo;
      }
      if ((tag & 7) === 2) {
        let stop = end;
        const short = pos < end ? buf[pos]! : 0x80;
        if (short < 0x80 && pos + short < end) {
          pos++;
          stop = pos + short;
        } else {
          pos = this.length(pos, end);
          stop = this.stop;
        }
        switch (tag >>> 3) {
          case 1:
            traceAt = this.#idAt(pos, stop, 16);
            break;
          case 2:
            spanAt = this.#idAt(pos, stop, 8);
            break;
          case 3:
            traceState = this.guesser.recurring(pos, stop);
            break;
          case 4:
            parentAt = this.#idAt(pos, stop, 8);
            break;
          case 5:
            name = this.guesser.recurring(pos, stop);
            this.guesser.previous = name;
            break;
          case 9:
            this.keyValue(batch.spanAttrs, pos, stop);
            break;
          case 11:
            this.#event(pos, stop);
            break;
          case 13:
            this.#link(pos, stop);
            break;
          case 15:
            this.#status(row, pos, stop);
            break;
          default:
            if (tag < 8) throw inputError('invalid_tag', pos, 'a field has the number 0');
            if (tag >>> 3 <= 16) throw wrongWireType(tag, pos);
        }
        pos = stop;
        continue;
      }
      switch (tag) {
        case 0x30:
          pos = this.varint(pos, end);
          kind = this.lo;
          break;
        case 0x39:
          startAt = pos;
          pos = this.fixed(pos, 8, end);
          break;
        case 0x41:
          endAt = pos;
          pos = this.fixed(pos, 8, end);
          break;
        case 0x50:
          pos = this.varint(pos, end);
          droppedAttributes = this.lo;
          break;
        case 0x60:
          pos = this.varint(pos, end);
          droppedEvents = this.lo;
          break;
        case 0x70:
          pos = this.varint(pos, end);
          droppedLinks = this.lo;
          break;
        case 0x85:
          if (end - pos < 4) throw truncated(pos, 'the flags of a span', end);
          flags = this.word(pos);
          pos += 4;
          break;
        default:
          pos = this.skipUnknown(tag, pos, end, KNOWN_SPAN);
      }
    }
    copyId(buf, traceAt, batch.traceIds, row * 16, 16);
    copyId(buf, spanAt, batch.spanIds, row * 8, 8);
    copyId(buf, parentAt, batch.parentIds, row * 8, 8);
    const { times } = batch;
    const t = row * 4;
    times[t] = startAt < 0 ? 0 : this.word(startAt);
    times[t + 1] = startAt < 0 ? 0 : this.word(startAt + 4);
    times[t + 2] = endAt < 0 ? 0 : this.word(endAt);
    times[t + 3] = endAt < 0 ? 0 : this.word(endAt + 4);
    batch.names[row] = name;
    batch.kinds[row] = kind;
    batch.traceStates[row] = traceState;
    batch.flags[row] = flags;
    batch.scopes[row] = scope;
    batch.droppedAttributes[row] = droppedAttributes;
    batch.droppedEvents[row] = droppedEvents;
    batch.droppedLinks[row] = droppedLinks;
    batch.attrEnd[row] = batch.spanAttrs.count;
    batch.eventEnd[row] = batch.events.count;
    batch.linkEnd[row] = batch.links.count;
    batch.count = row + 1;
  }

  /** Where the id in `[start, stop)` begins, or -1 for an empty one. */
  #idAt(start: number, stop: number, width: 8 | 16): number {
    if (stop - start === width) return start;
    if (stop === start) return -1;
    const kind = width === 16 ? 'TraceID' : 'SpanID';
    throw inputError(
      'invalid_id',
      start,
      `unmarshal: invalid ${kind} length: ${stop - start} bytes instead of 0 or ${width}`,
    );
  }

  #status(row: number, start: number, end: number): void {
    const { batch } = this;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      if (this.lo === 0x12) {
        pos = this.length(pos, end);
        batch.statusMessages[row] = this.guesser.recurring(pos, this.stop);
        pos = this.stop;
      } else if (this.lo === 0x18) {
        pos = this.varint(pos, end);
        batch.statusCodes[row] = this.lo;
      } else pos = this.skipUnknown(this.lo, pos, end, KNOWN_STATUS);
    }
  }

  #event(start: number, end: number): void {
    const { batch } = this;
    const { events, eventAttrs } = batch;
    this.#countChild(start);
    const row = events.add(eventAttrs.count);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      switch (this.lo) {
        case 0x09:
          if (end - pos < 8) throw truncated(pos, 'the time of an event', end);
          events.times[row * 2] = this.word(pos);
          events.times[row * 2 + 1] = this.word(pos + 4);
          pos += 8;
          break;
        case 0x12:
          pos = this.length(pos, end);
          this.guesser.previous = this.guesser.recurring(pos, this.stop);
          events.names[row] = this.guesser.previous;
          pos = this.stop;
          break;
        case 0x1a: {
          pos = this.length(pos, end);
          const stop = this.stop;
          this.keyValue(eventAttrs, pos, stop);
          pos = stop;
          break;
        }
        case 0x20:
          pos = this.varint(pos, end);
          events.dropped[row] = this.lo;
          break;
        default:
          pos = this.skipUnknown(this.lo, pos, end, KNOWN_EVENT);
      }
    }
    events.attrEnd[row] = eventAttrs.count;
  }

  #link(start: number, end: number): void {
    const { batch } = this;
    const { links, linkAttrs } = batch;
    this.#countChild(start);
    const row = links.add(linkAttrs.count);
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag === 0x28) {
        pos = this.varint(pos, end);
        links.dropped[row] = this.lo;
        continue;
      }
      if (tag === 0x35) {
        if (end - pos < 4) throw truncated(pos, 'the flags of a link', end);
        links.flags[row] = this.word(pos);
        pos += 4;
        continue;
      }
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a && tag !== 0x22) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_LINK);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x0a) copyId(this.buf, this.#idAt(pos, stop, 16), links.traceIds, row * 16, 16);
      else if (tag === 0x12) copyId(this.buf, this.#idAt(pos, stop, 8), links.spanIds, row * 8, 8);
      else if (tag === 0x1a) links.states[row] = batch.strings.intern(this.buf, pos, stop);
      else this.keyValue(linkAttrs, pos, stop);
      pos = stop;
    }
    links.attrEnd[row] = linkAttrs.count;
  }

  #countChild(at: number): void {
    if (++this.#children > this.#maxChildren)
      throw limitError('too_many_children', at, 'maxChildren', this.#maxChildren);
  }
}

/** Copies an id of `width` bytes, or zeroes its place when there is none (`at` is -1). */
function copyId(source: Uint8Array, at: number, target: Uint8Array, targetAt: number, width: 8 | 16): void {
  if (at < 0) {
    zero8(target, targetAt);
    if (width === 16) zero8(target, targetAt + 8);
    return;
  }
  copy8(source, at, target, targetAt);
  if (width === 16) copy8(source, at + 8, target, targetAt + 8);
}

const decoder = new TraceDecoder();

/**
 * Appends the spans of an encoded `ExportTraceServiceRequest` or `TracesData` to `batch` and returns their number. An
 * empty batch borrows `bytes` as its heap: the caller must not write to them while the batch holds the spans.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeTraces(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  // A Buffer has another hidden class than the typed arrays it stands beside, which would slow every access.
  const plain =
    bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decoder.decode(plain, batch, limits);
}
