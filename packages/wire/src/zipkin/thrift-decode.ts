import { ValueType } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { BinaryReader } from '../thrift/binary-reader.ts';
import { NO_FIELD } from '../thrift/reader.ts';
import type { ThriftReader } from '../thrift/reader.ts';
import { ThriftType, thriftTypeName } from '../thrift/types.ts';
import { appendAddress } from './addresses.ts';
import { missingId } from './ids.ts';
import type { Micros } from './micros.ts';
import { SpanSink } from './span-sink.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';
import { V1Sink } from './v1-sink.ts';
import type { V1Binaries, V1Range, V1Span } from './v1-span.ts';

/** Types of binary annotations (zipkinCore.thrift, `AnnotationType`). */
export const AnnotationType = Object.freeze({
  BOOL: 0,
  BYTES: 1,
  I16: 2,
  I32: 3,
  I64: 4,
  DOUBLE: 5,
  STRING: 6,
} as const);

const ipv4 = new Uint8Array(4);
const range: V1Range = { start: 0, end: 0 };
const time: Micros = { lo: 0, hi: 0 };

/** Reads `zipkincore.Span` structs (openzipkin/zipkin-api, thrift/zipkinCore.thrift) into a batch. */
class ZipkinThriftDecoder {
  readonly #sink = new SpanSink();
  readonly #v1 = new V1Sink(this.#sink);
  #reader: ThriftReader = new BinaryReader();

  /** Reads a list of spans, header included, from where `reader` stands; `isAll`: nothing may follow it. */
  decode(reader: ThriftReader, batch: SpanBatch, options: ZipkinDecodeOptions, isAll: boolean): number {
    const mark = batch.mark();
    const sink = this.#sink;
    const { span } = this.#v1;
    this.#reader = reader;
    try {
      const start = reader.pos;
      const count = reader.list();
      if (count > 0 && reader.elementType !== ThriftType.STRUCT) {
        throw inputError(
          'wrong_thrift_type',
          start,
          `a list of spans holds values of type ${thriftTypeName(reader.elementType)} instead of structs`,
        );
      }
      sink.begin(batch, options);
      this.#v1.begin(options.limits ?? {});
      span.source = reader.buf;
      span.heapBase = batch.appendHeap(reader.buf, start, reader.end) - start;
      for (let left = count; left > 0; left--) {
        this.#span();
        this.#v1.put(reader.pos);
      }
      if (isAll && reader.pos < reader.end) {
        throw inputError('invalid_thrift', reader.pos, 'something follows the end of the list of spans');
      }
      return batch.count - mark.spans;
    } catch (error) {
      batch.rollback(mark);
      throw error;
    } finally {
      sink.release();
      this.#v1.release();
    }
  }

  #span(): void {
    const reader = this.#reader;
    const { span } = this.#v1;
    span.clear();
    let hasTraceId = false;
    let hasId = false;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          this.#id(span.traceId, 8);
          hasTraceId = true;
          break;
        case 3:
          this.#text(span.name);
          break;
        case 4:
          this.#id(span.id, 0);
          hasId = true;
          break;
        case 5:
          this.#id(span.parentId, 0);
          break;
        case 6:
          for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) this.#annotation(span);
          break;
        case 8:
          for (let left = reader.listOf(ThriftType.STRUCT); left > 0; left--) this.#binary(span);
          break;
        case 9:
          reader.expect(ThriftType.BOOL);
          span.isDebug = reader.bool();
          break;
        case 10:
          this.#micros(span.timestamp);
          break;
        case 11:
          this.#micros(span.duration);
          break;
        case 12:
          this.#id(span.traceId, 0);
          break;
        default:
          reader.skip();
      }
    }
    if (!hasTraceId) throw missingId('traceId', reader.pos);
    if (!hasId) throw missingId('id', reader.pos);
  }

  #id(target: Uint8Array, at: number): void {
    const reader = this.#reader;
    reader.expect(ThriftType.I64);
    reader.i64();
    for (let i = 0; i < 4; i++) {
      target[at + i] = reader.hi >>> (24 - 8 * i);
      target[at + 4 + i] = reader.lo >>> (24 - 8 * i);
    }
  }

  /** Reads a number of microseconds; a negative one is none. */
  #micros(target: Micros): void {
    const reader = this.#reader;
    reader.expect(ThriftType.I64);
    reader.i64();
    const isNegative = reader.hi > 0x7fffffff;
    target.lo = isNegative ? 0 : reader.lo;
    target.hi = isNegative ? 0 : reader.hi;
  }

  #text(range: V1Range): void {
    const reader = this.#reader;
    reader.expect(ThriftType.STRING);
    reader.binary();
    range.start = reader.start;
    range.end = reader.stop;
  }

  #annotation(span: V1Span): void {
    const reader = this.#reader;
    const row = span.addAnnotation(reader.pos);
    const { annotations } = span;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      if (id === 1) {
        this.#micros(time);
        annotations.timeLo[row] = time.lo;
        annotations.timeHi[row] = time.hi;
      } else if (id === 2) {
        this.#text(range);
        annotations.start[row] = range.start;
        annotations.end[row] = range.end;
      } else if (id === 3) annotations.endpoint[row] = this.#endpoint(span);
      else reader.skip();
    }
  }

  #binary(span: V1Span): void {
    const reader = this.#reader;
    const row = span.addBinary(reader.pos);
    const { binaries } = span;
    let start = 0;
    let stop = 0;
    let type: number = AnnotationType.STRING;
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1:
          this.#text(range);
          binaries.keyStart[row] = range.start;
          binaries.keyEnd[row] = range.end;
          break;
        case 2:
          reader.expect(ThriftType.STRING);
          reader.binary();
          start = reader.start;
          stop = reader.stop;
          break;
        case 3:
          reader.expect(ThriftType.I32);
          type = reader.i32();
          break;
        case 4:
          binaries.endpoint[row] = this.#endpoint(span);
          break;
        default:
          reader.skip();
      }
    }
    this.#typed(binaries, row, type, start, stop);
  }

  /** Gives a value its type. One that has not the length of its type stays bytes, so that nothing is lost. */
  #typed(binaries: V1Binaries, row: number, type: number, start: number, stop: number): void {
    const { view } = this.#reader;
    const length = stop - start;
    if (type === AnnotationType.STRING) binaries.set(row, ValueType.STRING, start, length);
    else if (type === AnnotationType.BOOL && length === 1) {
      binaries.set(row, ValueType.BOOL, view.getUint8(start) === 0 ? 0 : 1, 0);
    } else if (type === AnnotationType.I16 && length === 2) setInteger(binaries, row, view.getInt16(start));
    else if (type === AnnotationType.I32 && length === 4) setInteger(binaries, row, view.getInt32(start));
    else if (type === AnnotationType.I64 && length === 8) {
      binaries.set(row, ValueType.INT, view.getUint32(start + 4), view.getUint32(start));
    } else if (type === AnnotationType.DOUBLE && length === 8) {
      binaries.set(row, ValueType.DOUBLE, view.getUint32(start + 4), view.getUint32(start));
    } else binaries.set(row, ValueType.BYTES, start, length);
  }

  /** Reads an endpoint; returns its row. */
  #endpoint(span: V1Span): number {
    const reader = this.#reader;
    const { addresses, endpoints } = span;
    reader.expect(ThriftType.STRUCT);
    const row = endpoints.add();
    for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
      switch (id) {
        case 1: {
          reader.expect(ThriftType.I32);
          const address = reader.i32();
          for (let i = 0; i < 4; i++) ipv4[i] = address >>> (24 - 8 * i);
          endpoints.ipv4Start[row] = addresses.length;
          if (address !== 0) appendAddress(addresses, ipv4, 0, 4);
          endpoints.ipv4End[row] = addresses.length;
          break;
        }
        case 2:
          reader.expect(ThriftType.I16);
          endpoints.ports[row] = reader.i16() & 0xffff;
          break;
        case 3:
          this.#text(range);
          endpoints.serviceStart[row] = range.start;
          endpoints.serviceEnd[row] = range.end;
          break;
        case 4:
          reader.expect(ThriftType.STRING);
          reader.binary();
          endpoints.ipv6Start[row] = addresses.length;
          if (reader.stop - reader.start === 16) appendAddress(addresses, reader.buf, reader.start, 16);
          endpoints.ipv6End[row] = addresses.length;
          break;
        default:
          reader.skip();
      }
    }
    return row;
  }
}

function setInteger(binaries: V1Binaries, row: number, value: number): void {
  binaries.set(row, ValueType.INT, value >>> 0, value < 0 ? 0xffffffff : 0);
}

const decoder = new ZipkinThriftDecoder();
const binaryReader = new BinaryReader();

/**
 * Appends the spans of a `list<zipkincore.Span>`, whose header is what `reader` reads next, and returns their number: more
 * than the list has when one holds both sides of a call. The input is copied.
 *
 * Fails with `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeZipkinThriftSpans(reader: ThriftReader, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decoder.decode(reader, batch, { limits }, false);
}

/** Appends the spans of a v1 Thrift list in the binary protocol; as {@link decodeZipkinThriftSpans}. */
export function decodeZipkinV1Thrift(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions = {}): number {
  const { maxDepth } = resolveLimits(options.limits ?? {});
  binaryReader.bind(bytes, 0, maxDepth);
  try {
    return decoder.decode(binaryReader, batch, options, true);
  } finally {
    binaryReader.release();
  }
}
