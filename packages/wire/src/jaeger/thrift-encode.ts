import { SpanBatch, ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { BinaryWriter } from '../thrift/binary-writer.ts';
import { CompactWriter } from '../thrift/compact-writer.ts';
import { ThriftType } from '../thrift/types.ts';
import type { ThriftWriter } from '../thrift/writer.ts';
import { JaegerTime } from './nanos.ts';
import { ProcessView } from './process-view.ts';
import { PARENT, SpanView } from './span-view.ts';
import { jsonOfNested } from './tag-json.ts';
import { isCarrierRole, tagKeyBytes } from './tag-keys.ts';
import { TagType } from './thrift-tag-type.ts';

const NO_BATCH = new SpanBatch();

/** The protocols an encoder writes. */
export type WrittenProtocol = 'compact' | 'binary';

/**
 * Writes spans and processes of jaeger.thrift, in either protocol. Fields are those of `Span`, `Process`, `Tag`, `Log` and `SpanRef`
 * (github.com/jaegertracing/jaeger-idl, thrift/jaeger.thrift); times finer than a microsecond are cut.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span but for values that are arrays or maps.
 */
export class ThriftSpanWriter {
  readonly out: ThriftWriter;
  readonly #view = new SpanView();
  readonly #process = new ProcessView();
  readonly #time = new JaegerTime();
  #batch: SpanBatch = NO_BATCH;

  constructor(protocol: WrittenProtocol) {
    this.out = protocol === 'compact' ? new CompactWriter() : new BinaryWriter();
  }

  bind(batch: SpanBatch): void {
    this.#batch = batch;
    this.#view.bind(batch);
  }

  /** Lets go of the batch and of what was written; a buffer larger than `keepBytes` is given back. */
  release(keepBytes: number): void {
    this.#batch = NO_BATCH;
    this.#view.release();
    this.#process.release();
    this.out.reset(keepBytes);
  }

  /** Writes the `Process` of a resource. */
  process(resource: number): void {
    const { out } = this;
    const process = this.#process;
    process.look(this.#batch, this.#view.roles, resource);
    out.field(ThriftType.STRING, 1, 0);
    out.binary(process.serviceSource, process.serviceStart, process.serviceEnd);
    if (process.tagCount > 0) {
      out.field(ThriftType.LIST, 2, 1);
      out.list(ThriftType.STRUCT, process.tagCount);
      for (let row = process.first; row < process.end; row++) if (!process.isService(row)) this.#processTag(row);
    }
    out.stop();
  }

  #processTag(row: number): void {
    const { resourceAttrs } = this.#batch;
    const process = this.#process;
    const renamed = process.renamed(row);
    const added = process.added(row);
    if (renamed === undefined) this.#attribute(resourceAttrs, row);
    else {
      const { types, lo, hi } = resourceAttrs;
      this.#key(renamed, 0, renamed.length);
      this.#value(types[row]!, lo[row]! + added, hi[row]! - added);
    }
  }

  /** Writes the `Span` in `row`. */
  span(row: number): void {
    const { out } = this;
    const view = this.#view;
    const batch = this.#batch;
    const { times, names, strings } = batch;
    view.look(row, false);
    this.#id(1, 0, batch.traceIds, row * 16 + 8);
    this.#id(2, 1, batch.traceIds, row * 16);
    this.#id(3, 2, batch.spanIds, row * 8);
    this.#id(4, 3, batch.parentIds, row * 8);
    out.field(ThriftType.STRING, 5, 4);
    out.binary(strings.bytes, strings.start(names[row]!), strings.ends[names[row]!]!);
    let previous = 5;
    if (view.referenceCount > 0) previous = this.#references(row);
    out.field(ThriftType.I32, 7, previous);
    out.i32(view.flags | 0);
    this.#micros(8, 7, times[row * 4]!, times[row * 4 + 1]!, false);
    this.#micros(9, 8, view.durationLo, view.durationHi, view.isNegative);
    previous = 9;
    const tags = view.tagCount + view.derivedCount;
    if (tags > 0) {
      out.field(ThriftType.LIST, 10, previous);
      out.list(ThriftType.STRUCT, tags);
      this.#tags();
      previous = 10;
    }
    this.#logs(row, previous);
    out.stop();
  }

  #references(row: number): number {
    const { out } = this;
    const { referenceLinks, referenceIsChildOf, referenceCount } = this.#view;
    const { links, traceIds, parentIds } = this.#batch;
    out.field(ThriftType.LIST, 6, 5);
    out.list(ThriftType.STRUCT, referenceCount);
    for (let i = 0; i < referenceCount; i++) {
      const link = referenceLinks[i]!;
      const isParent = link === PARENT;
      const traceAt = isParent ? row * 16 : link * 16;
      out.field(ThriftType.I32, 1, 0);
      out.i32(referenceIsChildOf[i] === true ? 0 : 1);
      this.#id(2, 1, isParent ? traceIds : links.traceIds, traceAt + 8);
      this.#id(3, 2, isParent ? traceIds : links.traceIds, traceAt);
      this.#id(4, 3, isParent ? parentIds : links.spanIds, isParent ? row * 8 : link * 8);
      out.stop();
    }
    return 6;
  }

  #tags(): void {
    const view = this.#view;
    const { spanAttrs } = this.#batch;
    for (let i = 0; i < view.derivedLeading; i++) this.#derived(i);
    for (let at = view.firstAttribute; at < view.lastAttribute; at++) this.#attribute(spanAttrs, at);
    for (let i = view.derivedLeading; i < view.derivedCount; i++) this.#derived(i);
  }

  #derived(i: number): void {
    const { out } = this;
    const { derivedKeys, derivedSources, derivedStarts, derivedEnds } = this.#view;
    const key = derivedKeys[i]!;
    this.#key(key, 0, key.length);
    if (key === tagKeyBytes.ERROR) this.#value(ValueType.BOOL, 1, 0);
    else {
      this.#tagType(TagType.STRING);
      out.field(ThriftType.STRING, 3, 2);
      out.binary(derivedSources[i]!, derivedStarts[i]!, derivedEnds[i]!);
      out.stop();
    }
  }

  #logs(row: number, previous: number): void {
    const { out } = this;
    const { eventEnd } = this.#batch;
    const first = row === 0 ? 0 : eventEnd[row - 1]!;
    const end = eventEnd[row]!;
    if (first === end) return;
    out.field(ThriftType.LIST, 11, previous);
    out.list(ThriftType.STRUCT, end - first);
    for (let event = first; event < end; event++) this.#log(event);
  }

  #log(event: number): void {
    const { out } = this;
    const view = this.#view;
    const { events, eventAttrs, strings } = this.#batch;
    this.#micros(1, 0, events.times[event * 2]!, events.times[event * 2 + 1]!, false);
    out.field(ThriftType.LIST, 2, 1);
    out.list(ThriftType.STRUCT, view.fieldCount(event));
    if (view.namesEvent(event)) {
      const name = events.names[event]!;
      this.#key(tagKeyBytes.EVENT, 0, tagKeyBytes.EVENT.length);
      this.#tagType(TagType.STRING);
      out.field(ThriftType.STRING, 3, 2);
      out.binary(strings.bytes, strings.start(name), strings.ends[name]!);
      out.stop();
    }
    for (let at = view.firstField(event); at < events.attrEnd[event]!; at++) this.#attribute(eventAttrs, at);
    out.stop();
  }

  /** Writes an attribute as a tag, unless it is a carrier. */
  #attribute(table: AttributeTable, row: number): void {
    const { strings } = this.#batch;
    const key = table.keys[row]!;
    if (isCarrierRole(this.#view.roles.of(key))) return;
    this.#key(strings.bytes, strings.start(key), strings.ends[key]!);
    this.#value(table.types[row]!, table.lo[row]!, table.hi[row]!);
  }

  #key(source: Uint8Array, start: number, end: number): void {
    this.out.field(ThriftType.STRING, 1, 0);
    this.out.binary(source, start, end);
  }

  /** Writes the rest of a tag. */
  #value(type: number, lo: number, hi: number): void {
    const { out } = this;
    const { heap } = this.#batch;
    switch (type) {
      case ValueType.BOOL:
        this.#tagType(TagType.BOOL);
        out.boolField(lo !== 0, 5, 2);
        break;
      case ValueType.INT:
        this.#tagType(TagType.LONG);
        out.field(ThriftType.I64, 6, 2);
        out.i64(lo, hi);
        break;
      case ValueType.DOUBLE:
        this.#tagType(TagType.DOUBLE);
        out.field(ThriftType.DOUBLE, 4, 2);
        out.double(lo, hi);
        break;
      case ValueType.BYTES:
        this.#tagType(TagType.BINARY);
        out.field(ThriftType.STRING, 7, 2);
        out.binary(heap, lo, lo + hi);
        break;
      default:
        this.#tagType(TagType.STRING);
        out.field(ThriftType.STRING, 3, 2);
        this.#text(type, lo, hi);
    }
    out.stop();
  }

  /** Writes a string; an empty value as an empty one, an array or map as JSON. */
  #text(type: number, lo: number, hi: number): void {
    const { heap } = this.#batch;
    if (type === ValueType.ARRAY || type === ValueType.KVLIST) {
      const json = jsonOfNested(heap, type, lo, hi);
      this.out.binary(json, 0, json.length);
    } else this.out.binary(heap, lo, lo + hi);
  }

  #tagType(type: number): void {
    this.out.field(ThriftType.I32, 2, 1);
    this.out.i32(type);
  }

  #micros(id: number, previous: number, lo: number, hi: number, isNegative: boolean): void {
    this.#time.micros(lo, hi, isNegative);
    this.out.field(ThriftType.I64, id, previous);
    this.out.i64(this.#time.lo, this.#time.hi);
  }

  /** Writes 64 bits of an id, in network order at `at`, as an i64. */
  #id(id: number, previous: number, bytes: Uint8Array, at: number): void {
    this.out.field(ThriftType.I64, id, previous);
    this.out.i64(wordAt(bytes, at + 4), wordAt(bytes, at));
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
