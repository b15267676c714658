import { signedOfWords } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import type { DecodeLimits } from '../limits.ts';
import { BinaryReader } from '../thrift/binary-reader.ts';
import { copy8, zero8 } from '../ids.ts';
import { CompactReader } from '../thrift/compact-reader.ts';
import { NO_FIELD } from '../thrift/reader.ts';
import type { ThriftReader } from '../thrift/reader.ts';
import { ThriftType } from '../thrift/types.ts';
import { SpanSink, TagOwner } from './span-sink.ts';
import { TagReader } from './thrift-tags.ts';

/** What a client says of its own losses since it started (`ClientStats` of jaeger.thrift), signed 64-bit counters. */
export interface ClientStats {
  readonly fullQueueDroppedSpans: bigint;
  readonly tooLargeDroppedSpans: bigint;
  readonly failedToEmitSpans: bigint;
}

/** What a Thrift `Batch` says beside its spans. */
export interface ThriftBatchResult {
  /** Spans appended. */
  readonly spans: number;
  /** The client's number of the batch, when it sent one. */
  readonly sequenceNumber: bigint | undefined;
  /** The client's own count of losses, when it sent one. */
  readonly clientStats: ClientStats | undefined;
}

const NONE = -1;
const noReader: ThriftReader = new BinaryReader();

/**
 * Decodes `Batch` of jaeger.thrift (github.com/jaegertracing/jaeger-idl, thrift/jaeger.thrift) from either protocol into
 * a batch.
 *
 * A hot path, guarded by `bench/codec`: one pass, nothing is allocated per span.
 */
export class ThriftBatchDecoder {
  readonly #sink = new SpanSink();
  readonly #guesser = this.#sink.context.guesser;
  readonly #tag = new TagReader(this.#sink.context, this.#guesser);
  #reader = noReader;
  #isCompact = false;
  #batch: SpanBatch = this.#sink.context.batch;
  #resource = NONE;
  #isGo = false;
  #sequenceNumber: bigint | undefined;
  #clientStats: ClientStats | undefined;

  /** Decodes the struct `reader` stands before, whose input is `bytes`. */
  decode(reader: ThriftReader, bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits): ThriftBatchResult {
    const mark = batch.mark();
    try {
      this.#bind(reader, bytes, batch, limits);
      this.#readBatch();
      return {
        spans: batch.count - mark.spans,
        sequenceNumber: this.#sequenceNumber,
        clientStats: this.#clientStats,
      };
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      this.#release();
    }
  }

  #bind(reader: ThriftReader, bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits): void {
    this.#reader = reader;
    this.#isCompact = reader instanceof CompactReader;
    this.#batch = batch;
    this.#sink.bind(bytes, batch, limits);
    this.#resource = NONE;
    this.#isGo = false;
    this.#sequenceNumber = undefined;
    this.#clientStats = undefined;
  }

  #release(): void {
    this.#sink.release();
    this.#reader = noReader;
    this.#batch = this.#sink.context.batch;
  }

  /** The process is needed before the spans; when these come first they are passed over and read at the end. */
  #readBatch(): void {
    const reader = this.#reader;
    const at = reader.pos;
    let hasSpans = false;
    let deferredAt = NONE;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          reader.expect(ThriftType.STRUCT);
          this.#process();
          break;
        case 2:
          reader.expect(ThriftType.LIST);
          hasSpans = true;
          if (this.#resource !== NONE) this.#spans();
          else {
            deferredAt = reader.pos;
            reader.skip();
          }
          break;
        case 3:
          reader.expect(ThriftType.I64);
          reader.i64();
          this.#sequenceNumber = signedOfWords(reader.lo, reader.hi);
          break;
        case 4:
          reader.expect(ThriftType.STRUCT);
          this.#stats();
          break;
        default:
          reader.skip();
      }
    }
    if (this.#resource === NONE) throw missing(at, 'process');
    if (!hasSpans) throw missing(at, 'spans');
    if (deferredAt === NONE) return;
    const end = reader.pos;
    reader.pos = deferredAt;
    reader.type = ThriftType.LIST;
    this.#spans();
    reader.pos = end;
  }

  #stats(): void {
    const reader = this.#reader;
    const counts = [0n, 0n, 0n];
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      if (id < 1 || id > 3) {
        reader.skip();
        continue;
      }
      reader.expect(ThriftType.I64);
      reader.i64();
      counts[id - 1] = signedOfWords(reader.lo, reader.hi);
    }
    const [fullQueueDroppedSpans, tooLargeDroppedSpans, failedToEmitSpans] = counts as [bigint, bigint, bigint];
    this.#clientStats = { fullQueueDroppedSpans, tooLargeDroppedSpans, failedToEmitSpans };
  }

  /** The name of the service is needed before the tags; when these come first they are passed over and read at the end. */
  #process(): void {
    const reader = this.#reader;
    const { processes, context } = this.#sink;
    let hasService = false;
    let deferredAt = NONE;
    this.#resource = processes.begin(reader.pos);
    this.#guesser.previous = 0;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      if (id === 1) {
        reader.expect(ThriftType.STRING);
        reader.binary();
        if (!hasService) processes.service(context.heapBase + reader.start, reader.stop - reader.start);
        hasService = true;
      } else if (id === 2) {
        reader.expect(ThriftType.LIST);
        if (hasService) this.#tags(TagOwner.PROCESS, this.#batch.resourceAttrs);
        else {
          deferredAt = reader.pos;
          reader.skip();
        }
      } else reader.skip();
    }
    if (deferredAt !== NONE) {
      const end = reader.pos;
      reader.pos = deferredAt;
      reader.type = ThriftType.LIST;
      this.#tags(TagOwner.PROCESS, this.#batch.resourceAttrs);
      reader.pos = end;
    }
    processes.end();
    this.#isGo = processes.isGo;
  }

  #spans(): void {
    for (let left = this.#reader.listOf(ThriftType.STRUCT); left > 0; left--) this.#span();
  }

  #span(): void {
    const reader = this.#reader;
    const sink = this.#sink;
    const at = reader.pos;
    const row = sink.beginSpan(at);
    const { traceIds, spanIds, parentIds } = this.#batch;
    this.#guesser.previous = 0;
    let name = 0;
    let flags = 0;
    let durationLo = 0;
    let durationHi = 0;
    const first = this.#isCompact ? 0 : this.#plainIds(row);
    if (first === 0) {
      zero8(traceIds, row * 16);
      zero8(traceIds, row * 16 + 8);
      zero8(spanIds, row * 8);
      zero8(parentIds, row * 8);
    }
    for (let id = reader.field(first); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          this.#i64();
          putWords(traceIds, row * 16 + 8, reader.lo, reader.hi);
          break;
        case 2:
          this.#i64();
          putWords(traceIds, row * 16, reader.lo, reader.hi);
          break;
        case 3:
          this.#i64();
          putWords(spanIds, row * 8, reader.lo, reader.hi);
          break;
        case 4:
          this.#i64();
          putWords(parentIds, row * 8, reader.lo, reader.hi);
          break;
        case 5:
          reader.expect(ThriftType.STRING);
          reader.binary();
          name = this.#guesser.recurring(reader.start, reader.stop);
          this.#guesser.previous = name;
          break;
        case 6:
          for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) this.#reference();
          break;
        case 7:
          reader.expect(ThriftType.I32);
          flags = reader.i32() >>> 0;
          break;
        case 8:
          this.#i64();
          sink.start.setMicros(reader.lo, reader.hi);
          break;
        case 9:
          this.#i64();
          durationLo = reader.lo;
          durationHi = reader.hi;
          break;
        case 10:
          this.#tags(TagOwner.SPAN, this.#batch.spanAttrs);
          break;
        case 11:
          for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) this.#log();
          break;
        default:
          reader.skip();
      }
    }
    sink.end.lo = sink.start.lo;
    sink.end.hi = sink.start.hi;
    sink.end.addMicros(durationLo, durationHi);
    sink.endSpan(at, row, this.#resource, name, flags, this.#isGo);
  }

  /**
   * Copies the ids of span `row` when they stand side by side, as generated code writes them in binary: `0a 0001` to `0a 0004`, each
   * with eight bytes in network order. Returns the last field read, 0 for any other layout.
   */
  #plainIds(row: number): number {
    const reader = this.#reader;
    const { buf, view, pos } = reader;
    if (reader.end - pos < 4 * 11) return 0;
    const isPlain =
      (view.getUint32(pos) & 0xffff_ff00) === 0x0a00_0100 &&
      (view.getUint32(pos + 11) & 0xffff_ff00) === 0x0a00_0200 &&
      (view.getUint32(pos + 22) & 0xffff_ff00) === 0x0a00_0300 &&
      (view.getUint32(pos + 33) & 0xffff_ff00) === 0x0a00_0400;
    if (!isPlain) return 0;
    const { traceIds, spanIds, parentIds } = this.#batch;
    copy8(buf, pos + 3, traceIds, row * 16 + 8);
    copy8(buf, pos + 14, traceIds, row * 16);
    copy8(buf, pos + 25, spanIds, row * 8);
    copy8(buf, pos + 36, parentIds, row * 8);
    reader.pos = pos + 4 * 11;
    return 4;
  }

  #reference(): void {
    const reader = this.#reader;
    const { references } = this.#sink;
    const { links } = this.#batch;
    const row = references.add(reader.pos);
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          reader.expect(ThriftType.I32);
          if (reader.i32() !== 0) references.setFollowsFrom(row);
          break;
        case 2:
          this.#i64();
          putWords(links.traceIds, row * 16 + 8, reader.lo, reader.hi);
          break;
        case 3:
          this.#i64();
          putWords(links.traceIds, row * 16, reader.lo, reader.hi);
          break;
        case 4:
          this.#i64();
          putWords(links.spanIds, row * 8, reader.lo, reader.hi);
          break;
        default:
          reader.skip();
      }
    }
  }

  #log(): void {
    const reader = this.#reader;
    const sink = this.#sink;
    const { events } = this.#batch;
    const row = sink.beginLog(reader.pos);
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          this.#i64();
          sink.end.setMicros(reader.lo, reader.hi);
          events.times[row * 2] = sink.end.lo;
          events.times[row * 2 + 1] = sink.end.hi;
          break;
        case 2:
          this.#tags(TagOwner.LOG, this.#batch.eventAttrs);
          break;
        default:
          reader.skip();
      }
    }
    sink.endLog(row);
  }

  #i64(): void {
    this.#reader.expect(ThriftType.I64);
    this.#reader.i64();
  }

  #tags(owner: number, table: AttributeTable): void {
    const sink = this.#sink;
    const reader = this.#reader;
    const tag = this.#tag;
    const isCompact = this.#isCompact;
    for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) {
      tag.read(reader, isCompact, table);
      sink.keep(owner, table);
    }
  }
}

/** Writes 64 bits, given as two words, in network order. */
function putWords(target: Uint8Array, at: number, lo: number, hi: number): void {
  target[at] = hi >>> 24;
  target[at + 1] = hi >>> 16;
  target[at + 2] = hi >>> 8;
  target[at + 3] = hi;
  target[at + 4] = lo >>> 24;
  target[at + 5] = lo >>> 16;
  target[at + 6] = lo >>> 8;
  target[at + 7] = lo;
}

function missing(at: number, field: string): Error {
  return inputError('missing_field', at, `a Batch of jaeger.thrift has no ${field}, which it must have`);
}
