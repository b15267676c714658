import { ValueType, bytesOfText, isZero } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import type { DecodeLimits } from '../limits.ts';
import { resolveLimits } from '../limits.ts';
import { zeroId } from './ids.ts';
import type { EndpointFields } from './endpoint-fields.ts';
import type { SpanSink } from './span-sink.ts';
import { isText } from './special-tags.ts';
import { V1Pieces } from './v1-pieces.ts';
import type { V1Piece } from './v1-pieces.ts';
import { V1Span } from './v1-span.ts';
import type { V1Endpoint } from './v1-span.ts';

const COMPONENT = bytesOfText('component');

/** Puts Zipkin v1 spans, read into `span`, into a batch through a {@link SpanSink}. */
export class V1Sink {
  readonly span: V1Span = new V1Span();
  readonly #pieces = new V1Pieces();
  readonly #sink: SpanSink;

  constructor(sink: SpanSink) {
    this.#sink = sink;
  }

  /** Must follow the sink's own `begin`. */
  begin(limits: DecodeLimits): void {
    this.span.begin(resolveLimits(limits).maxChildren);
  }

  release(): void {
    this.span.release();
    this.#pieces.release();
  }

  /** Appends what `span` holds; `offset` is where the input stands. */
  put(offset: number): void {
    const { span } = this;
    if (isZero(span.traceId, 0, 16)) throw zeroId('traceId', 'v1', offset);
    if (isZero(span.id, 0, 8)) throw zeroId('id', 'v1', offset);
    this.#pieces.split(span);
    for (let at = 0; at < this.#pieces.count; at++) this.#piece(this.#pieces.items[at]!, offset);
  }

  #piece(piece: V1Piece, offset: number): void {
    const { span } = this;
    const sink = this.#sink;
    const row = sink.open(offset);
    const { batch } = sink;
    batch.traceIds.set(span.traceId, row * 16);
    batch.spanIds.set(span.id, row * 8);
    batch.parentIds.set(span.parentId, row * 8);
    batch.names[row] = batch.strings.intern(span.source, span.name.start, span.name.end);
    batch.kinds[row] = piece.kind;
    sink.timestampLo = piece.timestamp.lo;
    sink.timestampHi = piece.timestamp.hi;
    sink.durationLo = piece.duration.lo;
    sink.durationHi = piece.duration.hi;
    sink.isShared = piece.isShared;
    sink.isDebug = span.isDebug;
    if (piece.local !== undefined) {
      const { service } = piece.local;
      sink.local.service = sink.services.indexOf(span.source, service.start, service.end);
      this.#address(piece.local, sink.local);
    }
    if (piece.remote !== undefined) {
      const { service } = piece.remote;
      if (!piece.dropsRemoteService) {
        sink.remote.serviceAt = this.#place(batch, service.start, service.end - service.start);
        sink.remote.serviceLength = service.end - service.start;
      }
      this.#address(piece.remote, sink.remote);
    }
    for (const { time, value } of piece.annotations) {
      sink.annotation(time.lo, time.hi, span.source, value.start, value.end, offset);
    }
    this.#tags(piece);
    sink.close(true, offset);
  }

  #address(endpoint: V1Endpoint, target: EndpointFields): void {
    const { batch } = this.#sink;
    const { bytes } = this.span.addresses;
    const { ipv4, ipv6 } = endpoint;
    target.ipv4At = batch.appendHeap(bytes, ipv4.start, ipv4.end);
    target.ipv4Length = ipv4.end - ipv4.start;
    target.ipv6At = batch.appendHeap(bytes, ipv6.start, ipv6.end);
    target.ipv6Length = ipv6.end - ipv6.start;
    target.port = endpoint.port;
  }

  /** Where in the heap `length` bytes of the source from `start` on are, having put them there if need be. */
  #place(batch: SpanBatch, start: number, length: number): number {
    const { source, heapBase } = this.span;
    return heapBase >= 0 ? heapBase + start : batch.appendHeap(source, start, start + length);
  }

  #tags(piece: V1Piece): void {
    const sink = this.#sink;
    const { source } = this.span;
    const renames = this.#renamesComponent(piece);
    for (const { key, type, lo, hi } of piece.binaries) {
      const isComponent = renames && isText(source, key.start, key.end - key.start, 'lc');
      if (isComponent) sink.tagKey(COMPONENT, 0, COMPONENT.length, false);
      else sink.tagKey(source, key.start, key.end, false);
      const inHeap = type === ValueType.STRING || type === ValueType.BYTES;
      sink.tagValue(type, inHeap ? this.#place(sink.batch, lo, hi) : lo, hi);
    }
    sink.isLocalComponent = renames;
  }

  /** Whether the one `lc` can become `component`, and back: so it can when there is no other `component`. */
  #renamesComponent({ binaries }: V1Piece): boolean {
    const { source } = this.span;
    let count = 0;
    for (const { key } of binaries) {
      if (isText(source, key.start, key.end - key.start, 'lc')) count++;
      else if (isText(source, key.start, key.end - key.start, 'component')) return false;
    }
    return count === 1;
  }
}
