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
import { NONE, V1Span } from './v1-span.ts';

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
    this.#endpoints(piece);
    const { annotations, source } = span;
    for (let at = piece.firstAnnotation; at !== NONE; at = annotations.next[at]!) {
      const { timeLo, timeHi, start, end } = annotations;
      sink.annotation(timeLo[at]!, timeHi[at]!, source, start[at]!, end[at]!, offset);
    }
    this.#tags(piece);
    sink.close(true, offset);
  }

  #endpoints({ local, remote, dropsRemoteService }: V1Piece): void {
    const sink = this.#sink;
    const { endpoints, source } = this.span;
    if (local !== NONE) {
      sink.local.service = sink.services.indexOf(source, endpoints.serviceStart[local]!, endpoints.serviceEnd[local]!);
      this.#address(local, sink.local);
    }
    if (remote === NONE) return;
    if (!dropsRemoteService) {
      const start = endpoints.serviceStart[remote]!;
      sink.remote.serviceLength = endpoints.serviceEnd[remote]! - start;
      sink.remote.serviceAt = this.#place(sink.batch, start, sink.remote.serviceLength);
    }
    this.#address(remote, sink.remote);
  }

  #address(endpoint: number, target: EndpointFields): void {
    const { batch } = this.#sink;
    const { addresses, endpoints } = this.span;
    const { ipv4Start, ipv4End, ipv6Start, ipv6End, ports } = endpoints;
    target.ipv4At = batch.appendHeap(addresses.bytes, ipv4Start[endpoint]!, ipv4End[endpoint]!);
    target.ipv4Length = ipv4End[endpoint]! - ipv4Start[endpoint]!;
    target.ipv6At = batch.appendHeap(addresses.bytes, ipv6Start[endpoint]!, ipv6End[endpoint]!);
    target.ipv6Length = ipv6End[endpoint]! - ipv6Start[endpoint]!;
    target.port = ports[endpoint]!;
  }

  /** Where in the heap `length` bytes of the source from `start` on are, having put them there if need be. */
  #place(batch: SpanBatch, start: number, length: number): number {
    const { source, heapBase } = this.span;
    return heapBase >= 0 ? heapBase + start : batch.appendHeap(source, start, start + length);
  }

  #tags(piece: V1Piece): void {
    const sink = this.#sink;
    const { binaries, source } = this.span;
    const renames = this.#renamesComponent(piece);
    for (let at = piece.firstBinary; at !== NONE; at = binaries.next[at]!) {
      const type = binaries.types[at] as ValueType;
      const lo = binaries.lo[at]!;
      const hi = binaries.hi[at]!;
      if (renames && this.#isKey(at, 'lc')) sink.tagKey(COMPONENT, 0, COMPONENT.length, false);
      else sink.tagKey(source, binaries.keyStart[at]!, binaries.keyEnd[at]!, false);
      const inHeap = type === ValueType.STRING || type === ValueType.BYTES;
      sink.tagValue(type, inHeap ? this.#place(sink.batch, lo, hi) : lo, hi);
    }
    sink.isLocalComponent = renames;
  }

  /** Whether the one `lc` can become `component`, and back: so it can when there is no other `component`. */
  #renamesComponent(piece: V1Piece): boolean {
    const { next } = this.span.binaries;
    let count = 0;
    for (let at = piece.firstBinary; at !== NONE; at = next[at]!) {
      if (this.#isKey(at, 'lc')) count++;
      else if (this.#isKey(at, 'component')) return false;
    }
    return count === 1;
  }

  #isKey(binary: number, key: string): boolean {
    const { binaries, source } = this.span;
    const start = binaries.keyStart[binary]!;
    return isText(source, start, binaries.keyEnd[binary]! - start, key);
  }
}
