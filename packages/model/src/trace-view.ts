import type { SpanBatch } from './batch/span-batch.ts';
import { SpanCursor } from './batch/span-cursor.ts';
import type { RowList } from './batch/gather.ts';
import { hexOf, isZero, readSpanId, readTraceId, type SpanId, type TraceId } from './ids.ts';
import { plainAt, attributesAt, type PlainSpan } from './plain.ts';
import { compareWords, elapsedNs, nanosOfWords, type UnixNano } from './times.ts';
import { linkSpans } from './trace-tree.ts';
import { Carrier } from './carrier.ts';
import type { IdUse, SharedIds } from './repair/shared-ids.ts';
import type { AttributeValue, KeyValue } from './values/value.ts';

/** Spans of one trace in one batch: all of it, or the rows named. */
export interface TracePart {
  readonly batch: SpanBatch;
  readonly rows?: RowList;
}

/**
 * One trace as decoded columns, for the query evaluator, analysis and API encoders: what is asked of every span is an array, what
 * is asked of few is decoded when asked for. Rows are spans in the order of the parts. Times, kinds and ids are as sent; spans that share
 * an id are told apart where it matters: in `parents` and by `idOf`.
 *
 * The parts are referred to, not copied, and must not change while the view lives. 100,000 spans take a fraction of a second.
 */
export class TraceView {
  /** Number of spans. */
  readonly count: number;
  /** The trace id of the first span; `''` when it has none or there are no spans. */
  readonly traceId: TraceId | '';
  /** Span ids; `''` where absent. */
  readonly spanIds: readonly (SpanId | '')[];
  /**
   * For each span the row of its parent, -1 when it has none, it is not here, or following it would lead in a circle. Which of several
   * spans with the parent's id it is, `repair/shared-ids.ts` says.
   */
  readonly parents: Int32Array;
  /** Names, shown text. */
  readonly names: readonly string[];
  /** `service.name` of each span's resource, shown text; `''` where absent. */
  readonly services: readonly string[];
  /** Earliest start, nanoseconds since 1970; 0 when there are no spans. */
  readonly startUnixNano: UnixNano;
  /** Latest end, nanoseconds since 1970, of spans that end after they start; at least the earliest start. */
  readonly endUnixNano: UnixNano;
  readonly startsUnixNano: BigUint64Array;
  readonly endsUnixNano: BigUint64Array;
  /** Starts as nanoseconds from the trace's start; exact within 104 days of it. */
  readonly startOffsetsNs: Float64Array;
  /** Ends minus starts in nanoseconds; negative where a span ends before it starts; exact below 104 days. */
  readonly durationsNs: Float64Array;
  /** OTLP `SpanKind` as sent. */
  readonly kinds: Int32Array;
  /** OTLP `Status.code` as sent. */
  readonly statusCodes: Int32Array;

  readonly #ids: SharedIds;
  readonly #cursors: readonly SpanCursor[];
  /** For each span the index of its part, and its row there. */
  readonly #partOf: Uint32Array;
  readonly #rowIn: Uint32Array;
  #childStarts: Uint32Array | undefined;
  #childRows: Uint32Array | undefined;

  constructor(parts: readonly TracePart[]) {
    this.count = parts.reduce((sum, part) => sum + sizeOf(part), 0);
    this.#cursors = parts.map((part) => new SpanCursor(part.batch));
    this.#partOf = new Uint32Array(this.count);
    this.#rowIn = new Uint32Array(this.count);
    this.kinds = new Int32Array(this.count);
    this.statusCodes = new Int32Array(this.count);
    this.startsUnixNano = new BigUint64Array(this.count);
    this.endsUnixNano = new BigUint64Array(this.count);
    this.startOffsetsNs = new Float64Array(this.count);
    this.durationsNs = new Float64Array(this.count);
    const spanIds: (SpanId | '')[] = [];
    const names: string[] = [];
    const services: string[] = [];
    let row = 0;
    parts.forEach((part, index) => {
      const serviceOf = serviceReader(part.batch);
      const count = sizeOf(part);
      for (let i = 0; i < count; i++, row++) {
        const { batch } = part;
        const at = part.rows === undefined ? i : part.rows[i]!;
        this.#partOf[row] = index;
        this.#rowIn[row] = at;
        this.kinds[row] = batch.kinds[at]!;
        this.statusCodes[row] = batch.statusCodes[at]!;
        spanIds.push(readSpanId(batch.spanIds, at * 8));
        names.push(batch.strings.text(batch.names[at]!));
        services.push(serviceOf(batch.scopeTable.resources[batch.scopes[at]!]!));
      }
    });
    this.spanIds = spanIds;
    this.names = names;
    this.services = services;
    this.traceId = this.count === 0 ? '' : readTraceId(this.batchOf(0).traceIds, this.#rowIn[0]! * 16);
    const { start, end } = this.#fillTimes();
    this.startUnixNano = start;
    this.endUnixNano = end;
    const links = linkSpans(this, (row) => this.#parentHex(row));
    this.parents = links.parents;
    this.#ids = links.ids;
  }

  /**
   * The id that names span `row` alone within the trace: the one it was sent with, unless another span keeps that (see
   * `repair/shared-ids.ts`); `''` when it was sent without.
   */
  idOf(row: number): string {
    return this.#ids.idOf(row);
  }

  /** Whether other spans were sent with the id of span `row`, and why. */
  idUseOf(row: number): IdUse {
    return this.#ids.useOf(row);
  }

  /** Whether some span was sent with this id (16 lower-case digits). */
  hasId(spanId: string): boolean {
    return this.#ids.has(spanId);
  }

  /** Whether the sender marked span `row` as the server half of an id it shares with its caller. */
  isMarkedShared(row: number): boolean {
    return this.attribute(row, Carrier.ZIPKIN_SHARED) === true;
  }

  /** The batch in which span `row` lies; its row there is {@link TraceView.rowInBatch}. */
  batchOf(row: number): SpanBatch {
    return this.#cursors[this.#partOf[row]!]!.batch;
  }

  /** The row of span `row` in its batch. */
  rowInBatch(row: number): number {
    return this.#rowIn[row]!;
  }

  /** The parent id as sent; `''` when absent. */
  parentId(row: number): SpanId | '' {
    return readSpanId(this.batchOf(row).parentIds, this.#rowIn[row]! * 8);
  }

  /** Exact duration in nanoseconds, negative when the span ends before it starts. */
  duration(row: number): bigint {
    return this.endsUnixNano[row]! - this.startsUnixNano[row]!;
  }

  /** Rows of the spans whose parent is `row`, or of those without one for -1, in row order. */
  children(row: number): Uint32Array {
    if (this.#childStarts === undefined || this.#childRows === undefined) {
      const { starts, rows } = childrenOf(this.parents);
      this.#childStarts = starts;
      this.#childRows = rows;
    }
    return this.#childRows.subarray(this.#childStarts[row + 1]!, this.#childStarts[row + 2]!);
  }

  /** Everything about a span, decoded now; texts are lossless text. */
  span(row: number): PlainSpan {
    return plainAt(this.batchOf(row), this.#rowIn[row]!);
  }

  /** The attributes of a span, decoded now. */
  attributes(row: number): KeyValue[] {
    return attributesAt(this.batchOf(row), this.cursor(row).attributes);
  }

  /** The value of one attribute of a span (the first of duplicates), `undefined` when it has none. */
  attribute(row: number, key: string): AttributeValue | undefined {
    const { attributes } = this.cursor(row);
    return attributes.findText(key) ? attributes.decodeValue() : undefined;
  }

  /** The value of one attribute of a span's resource, `undefined` when it has none. */
  resourceAttribute(row: number, key: string): AttributeValue | undefined {
    const attributes = this.cursor(row).resourceAttributes;
    return attributes.findText(key) ? attributes.decodeValue() : undefined;
  }

  /** A cursor on span `row`, valid until the next call on this view. */
  cursor(row: number): SpanCursor {
    return this.#cursors[this.#partOf[row]!]!.moveTo(this.#rowIn[row]!);
  }

  #parentHex(row: number): string {
    const { parentIds } = this.batchOf(row);
    const at = this.#rowIn[row]! * 8;
    return isZero(parentIds, at, 8) ? '' : hexOf(parentIds, at, 8);
  }

  /** Fills the time columns; their words are laid out as the batch's are (all supported platforms are little-endian). */
  #fillTimes(): { readonly start: UnixNano; readonly end: UnixNano } {
    const { count } = this;
    const starts = new Uint32Array(this.startsUnixNano.buffer);
    const ends = new Uint32Array(this.endsUnixNano.buffer);
    let [minLo, minHi, maxLo, maxHi] = [0xffff_ffff, 0xffff_ffff, 0, 0];
    for (let row = 0; row < count; row++) {
      const { times } = this.batchOf(row);
      const at = this.#rowIn[row]! * 4;
      const startLo = times[at]!;
      const startHi = times[at + 1]!;
      let endLo = times[at + 2]!;
      let endHi = times[at + 3]!;
      starts[row * 2] = startLo;
      starts[row * 2 + 1] = startHi;
      ends[row * 2] = endLo;
      ends[row * 2 + 1] = endHi;
      this.durationsNs[row] = elapsedNs(endLo, endHi, startLo, startHi);
      if (compareWords(startLo, startHi, minLo, minHi) < 0) [minLo, minHi] = [startLo, startHi];
      if (compareWords(endLo, endHi, startLo, startHi) < 0) [endLo, endHi] = [startLo, startHi];
      if (compareWords(endLo, endHi, maxLo, maxHi) > 0) [maxLo, maxHi] = [endLo, endHi];
    }
    if (count === 0) [minLo, minHi] = [0, 0];
    for (let row = 0; row < count; row++) {
      this.startOffsetsNs[row] = elapsedNs(starts[row * 2]!, starts[row * 2 + 1]!, minLo, minHi);
    }
    return { start: nanosOfWords(minLo, minHi), end: nanosOfWords(maxLo, maxHi) };
  }
}

/** A view of all spans of `batches`, which should be of one trace. */
export function traceViewOf(...batches: readonly SpanBatch[]): TraceView {
  return new TraceView(batches.map((batch) => ({ batch })));
}

function sizeOf(part: TracePart): number {
  return part.rows === undefined ? part.batch.count : part.rows.length;
}

/** Reads `service.name` once per resource. */
function serviceReader(batch: SpanBatch): (resource: number) => string {
  const known: (string | undefined)[] = [];
  const cursor = new SpanCursor(batch);
  return (resource) => (known[resource] ??= cursor.decodeServiceOf(resource) ?? '');
}

/** Children grouped by parent: those of row `r` are `rows[starts[r + 1], starts[r + 2])`, roots come first as those of -1. */
function childrenOf(parents: Int32Array): { readonly starts: Uint32Array; readonly rows: Uint32Array } {
  const starts = new Uint32Array(parents.length + 2);
  for (const parent of parents) starts[parent + 2]!++;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const next = starts.slice();
  const rows = new Uint32Array(parents.length);
  for (let row = 0; row < parents.length; row++) rows[next[parents[row]! + 1]!++] = row;
  return { starts, rows };
}
