import type { SpanBatch } from '@clew/model';
import { AttributeReader } from './protobuf-attributes.ts';

// Fields each message defines, as bit sets for `skipUnknown` (opentelemetry/proto/resource/v1/resource.proto and
// common.proto).
const KNOWN_RESOURCE = 0b1110;
const KNOWN_SCOPE = 0b1_1110;

/**
 * Reads who sent the spans: resources, whose entity references are kept as wire bytes in one run, and instrumentation
 * scopes.
 */
export class ResourceReader extends AttributeReader {
  /** Whether entity references of the current resource do not lie side by side. */
  #scatteredRefs = false;

  protected override bind(bytes: Uint8Array, batch: SpanBatch): void {
    super.bind(bytes, batch);
    this.#scatteredRefs = false;
  }

  /** Merges the `Resource` in `[start, end)` into resource `row`. */
  protected resource(row: number, start: number, end: number): void {
    const { batch } = this;
    let pos = start;
    while (pos < end) {
      const at = pos;
      pos = this.tag(pos, end);
      switch (this.lo) {
        case 0x0a: {
          pos = this.length(pos, end);
          const stop = this.stop;
          this.keyValue(batch.resourceAttrs, pos, stop);
          pos = stop;
          break;
        }
        case 0x10:
          pos = this.varint(pos, end);
          batch.resourceTable.dropped[row] = this.lo;
          break;
        case 0x1a: {
          pos = this.length(pos, end);
          const stop = this.stop;
          this.checkEntityRef(pos, stop);
          this.#entityRef(row, at, stop);
          pos = stop;
          break;
        }
        default:
          pos = this.skipUnknown(this.lo, pos, end, KNOWN_RESOURCE);
      }
    }
  }

  /**
   * Keeps the entity reference in `[start, stop)`, tag included; one that does not follow the last is left to
   * `finishResource`.
   */
  #entityRef(row: number, start: number, stop: number): void {
    const refs = this.batch.resourceTable.entityRefs;
    const at = this.heapBase + start;
    if (refs[row * 2 + 1] === 0) refs[row * 2] = at;
    else if (refs[row * 2]! + refs[row * 2 + 1]! !== at) this.#scatteredRefs = true;
    refs[row * 2 + 1] = this.heapBase + stop - refs[row * 2]!;
  }

  /**
   * To be called when resource `row`, whose `ResourceSpans` is `[start, end)`, has been read: brings its entity
   * references together.
   */
  protected finishResource(row: number, start: number, end: number): void {
    if (!this.#scatteredRefs) return;
    const { batch } = this;
    this.#scatteredRefs = false;
    const at = batch.heapLength;
    for (let pos = start; pos < end;) {
      pos = this.tag(pos, end);
      const isResource = this.lo === 0x0a;
      const from = pos;
      pos = this.skip(this.lo, pos, end, 1);
      if (isResource) this.#appendEntityRefs(this.length(from, end), pos);
    }
    const refs = batch.resourceTable.entityRefs;
    refs[row * 2] = at;
    refs[row * 2 + 1] = batch.heapLength - at;
  }

  #appendEntityRefs(start: number, end: number): void {
    for (let pos = start; pos < end;) {
      const from = pos;
      pos = this.tag(pos, end);
      const isRef = this.lo === 0x1a;
      pos = this.skip(this.lo, pos, end, 1);
      if (isRef) this.batch.appendHeap(this.buf, from, pos);
    }
  }

  /** Merges the `InstrumentationScope` in `[start, end)` into scope `row`. */
  protected scope(row: number, start: number, end: number): void {
    const { scopeTable, scopeAttrs, strings } = this.batch;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag === 0x20) {
        pos = this.varint(pos, end);
        scopeTable.dropped[row] = this.lo;
        continue;
      }
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_SCOPE);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      if (tag === 0x0a) scopeTable.names[row] = strings.intern(this.buf, pos, stop);
      else if (tag === 0x12) scopeTable.versions[row] = strings.intern(this.buf, pos, stop);
      else this.keyValue(scopeAttrs, pos, stop);
      pos = stop;
    }
  }
}
