import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { limitError, resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { JsonValueReader } from './json-values.ts';
import {
  ENTITY_REF_NAMES,
  EVENT_NAMES,
  LINK_NAMES,
  REQUEST_NAMES,
  RESOURCE_NAMES,
  RESOURCE_SPANS_NAMES,
  SCOPE_NAMES,
  SCOPE_SPANS_NAMES,
  SPAN_KIND_NAMES,
  SPAN_NAMES,
  STATUS_CODE_NAMES,
  STATUS_NAMES,
} from './json-names.ts';

/**
 * Decodes OTLP/JSON requests into a batch. Unknown members are skipped at any depth, `null` is absent, members may
 * come in any order.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span.
 */
class TraceJsonDecoder extends JsonValueReader {
  #maxSpans = 0;
  #maxChildren = 0;
  #firstSpan = 0;
  #children = 0;

  /** `many`: any number of requests, one after the other, else exactly one. */
  decode(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits, many: boolean): number {
    const mark = batch.mark();
    const { maxDepth, maxSpans, maxChildren } = resolveLimits(limits);
    this.maxDepth = maxDepth;
    this.#maxSpans = maxSpans;
    this.#maxChildren = maxChildren;
    try {
      this.bindInput(bytes);
      this.batch = batch;
      if (many) while (this.peek() >= 0) this.#request();
      else this.#request();
      if (this.peek() >= 0) throw inputError('invalid_json', this.pos, 'something follows the end of the JSON value');
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.release();
    }
  }

  #request(): void {
    this.#firstSpan = this.batch.count;
    this.#children = 0;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      if (this.name(REQUEST_NAMES) === 0) this.skipValue(0);
      else if (!this.takeNull()) {
        for (let another = this.openArray(); another; another = this.nextElement()) {
          if (!this.takeNull()) this.#resourceSpans();
        }
      }
    }
  }

  #resourceSpans(): void {
    const { batch } = this;
    this.#countChild();
    const row = batch.resourceTable.add(batch.resourceAttrs.count);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(RESOURCE_SPANS_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.#resource(row);
      else if (field === 3) batch.resourceTable.schemaUrls[row] = this.internString();
      else {
        for (let another = this.openArray(); another; another = this.nextElement()) {
          if (!this.takeNull()) this.#scopeSpans(row);
        }
      }
    }
    batch.resourceTable.attrEnd[row] = batch.resourceAttrs.count;
  }

  #resource(row: number): void {
    const { batch } = this;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(RESOURCE_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.attributes(batch.resourceAttrs);
      else if (field === 2) batch.resourceTable.dropped[row] = this.uint32();
      else this.#entityRefs(row);
    }
  }

  /** Stores entity references as the protobuf fields they are kept as. */
  #entityRefs(row: number): void {
    const { batch, encoded } = this;
    const { entityRefs } = batch.resourceTable;
    const from = entityRefs[row * 2]!;
    encoded.length = 0;
    encoded.append(batch.heap, from, from + entityRefs[row * 2 + 1]!);
    for (let more = this.openArray(); more; more = this.nextElement()) {
      if (this.takeNull()) continue;
      const body = encoded.beginField(0x1a);
      this.#entityRef();
      encoded.endField(body);
    }
    entityRefs[row * 2] = batch.appendHeap(encoded.bytes, 0, encoded.length);
    entityRefs[row * 2 + 1] = encoded.length;
  }

  #entityRef(): void {
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ENTITY_REF_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field <= 2) this.#encodedString(field);
      else {
        for (let another = this.openArray(); another; another = this.nextElement()) {
          if (!this.takeNull()) this.#encodedString(field);
        }
      }
    }
  }

  #encodedString(field: number): void {
    const body = this.encoded.beginField((field << 3) | 2);
    this.encodeText();
    this.encoded.endField(body);
  }

  #scopeSpans(resource: number): void {
    const { batch } = this;
    this.#countChild();
    const row = batch.scopeTable.add(resource, batch.scopeAttrs.count);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(SCOPE_SPANS_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.#scope(row);
      else if (field === 3) batch.scopeTable.schemaUrls[row] = this.internString();
      else {
        for (let another = this.openArray(); another; another = this.nextElement()) {
          if (!this.takeNull()) this.#span(row);
        }
      }
    }
    batch.scopeTable.attrEnd[row] = batch.scopeAttrs.count;
  }

  #scope(row: number): void {
    const { scopeTable, scopeAttrs } = this.batch;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(SCOPE_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) scopeTable.names[row] = this.internString();
      else if (field === 2) scopeTable.versions[row] = this.internString();
      else if (field === 3) this.attributes(scopeAttrs);
      else scopeTable.dropped[row] = this.uint32();
    }
  }

  #span(scope: number): void {
    const { batch, words } = this;
    if (batch.count - this.#firstSpan >= this.#maxSpans) {
      throw limitError('too_many_spans', this.pos, 'maxSpans', this.#maxSpans);
    }
    const row = batch.addSpan(scope);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(SPAN_NAMES);
      if (field === 0) {
        this.skipValue(0);
        continue;
      }
      if (this.takeNull()) continue;
      switch (field) {
        case 1:
          this.id(batch.traceIds, row * 16, 16);
          break;
        case 2:
          this.id(batch.spanIds, row * 8, 8);
          break;
        case 3:
          batch.traceStates[row] = this.internString();
          break;
        case 4:
          this.id(batch.parentIds, row * 8, 8);
          break;
        case 5:
          batch.names[row] = this.internString();
          break;
        case 6:
          batch.kinds[row] = this.enumeration(SPAN_KIND_NAMES);
          break;
        case 7:
        case 8: {
          this.integer64(false);
          const at = row * 4 + (field === 7 ? 0 : 2);
          batch.times[at] = words.lo;
          batch.times[at + 1] = words.hi;
          break;
        }
        case 9:
          this.attributes(batch.spanAttrs);
          break;
        case 10:
          batch.droppedAttributes[row] = this.uint32();
          break;
        case 11:
          for (let another = this.openArray(); another; another = this.nextElement()) {
            if (!this.takeNull()) this.#event();
          }
          break;
        case 12:
          batch.droppedEvents[row] = this.uint32();
          break;
        case 13:
          for (let another = this.openArray(); another; another = this.nextElement()) {
            if (!this.takeNull()) this.#link();
          }
          break;
        case 14:
          batch.droppedLinks[row] = this.uint32();
          break;
        case 15:
          this.#status(row);
          break;
        default:
          batch.flags[row] = this.uint32();
      }
    }
    batch.endSpan(row);
  }

  #status(row: number): void {
    const { batch } = this;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(STATUS_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 2) batch.statusMessages[row] = this.internString();
      else batch.statusCodes[row] = this.enumeration(STATUS_CODE_NAMES);
    }
  }

  #event(): void {
    const { batch, words } = this;
    const { events, eventAttrs } = batch;
    this.#countChild();
    const row = events.add(eventAttrs.count);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(EVENT_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) {
        this.integer64(false);
        events.times[row * 2] = words.lo;
        events.times[row * 2 + 1] = words.hi;
      } else if (field === 2) events.names[row] = this.internString();
      else if (field === 3) this.attributes(eventAttrs);
      else events.dropped[row] = this.uint32();
    }
    events.attrEnd[row] = eventAttrs.count;
  }

  #link(): void {
    const { batch } = this;
    const { links, linkAttrs } = batch;
    this.#countChild();
    const row = links.add(linkAttrs.count);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(LINK_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.id(links.traceIds, row * 16, 16);
      else if (field === 2) this.id(links.spanIds, row * 8, 8);
      else if (field === 3) links.states[row] = this.internString();
      else if (field === 4) this.attributes(linkAttrs);
      else if (field === 5) links.dropped[row] = this.uint32();
      else links.flags[row] = this.uint32();
    }
    links.attrEnd[row] = linkAttrs.count;
  }

  #countChild(): void {
    if (++this.#children > this.#maxChildren) {
      throw limitError('too_many_children', this.pos, 'maxChildren', this.#maxChildren);
    }
  }
}

const decoder = new TraceJsonDecoder();

/**
 * Appends the spans of an OTLP/JSON request, UTF-8 bytes, to `batch` and returns their number. The bytes are copied as
 * needed.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeTracesJson(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decoder.decode(bytes, batch, limits, false);
}

/**
 * Appends the spans of any number of `TracesData` JSON objects, one after the other with white space or line ends
 * between, as the Collector's file exporter writes them. Returns the number of spans; the limits hold for each object.
 * Fails as {@link decodeTracesJson} does.
 */
export function decodeTracesJsonLines(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decoder.decode(bytes, batch, limits, true);
}
