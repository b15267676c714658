import { createHash } from 'node:crypto';
import { spanFlags } from '@clew/api';
import type { ApiWarning, SkeletonColumns, TraceSkeleton } from '@clew/api';
import { shownForm } from '@clew/model';
import type { ShownTrace, TraceView } from '@clew/model';
import { Dictionary } from './dictionary.ts';
import { RowMarks } from './labels.ts';

/** What is known of a trace beside its spans. */
export interface SkeletonFacts {
  /** Spans at most; beyond it the skeleton ends and says so. */
  readonly maxSpans: number;
  /** When the newest span arrived, milliseconds since 1970. */
  readonly lastReceivedUnixMs?: number;
  readonly nowUnixMs: number;
}

/** A trace whose newest span is younger than this may still grow. */
const growingMs = 10_000;
/** Distances up to here are exact as numbers. */
const exactNano = Number.MAX_SAFE_INTEGER;
const noSpanId = '0000000000000000';

/**
 * The shape of a trace as columns: rows by start, then longer first, then id. Runs over 100,000 spans in a fraction of a second: what is
 * asked of every span comes from the view's arrays.
 */
export function traceSkeleton(trace: ShownTrace, facts: SkeletonFacts): TraceSkeleton {
  const { view } = trace;
  const order = rowOrder(view).slice(0, facts.maxSpans);
  const rank = new Int32Array(view.count).fill(-1);
  order.forEach((row, i) => (rank[row] = i));
  const builder = new ColumnBuilder(trace, rank);
  for (const row of order) builder.add(row);
  const warnings = warningsOf(view, builder);
  const body = {
    traceId: view.traceId,
    spanCount: order.length,
    startUnixNano: String(builder.startUnixNano),
    durationNano: String(builder.endUnixNano - builder.startUnixNano),
    services: builder.services.values,
    names: builder.names.values,
    scopes: builder.scopes.values,
    missingParents: builder.missingParents.values,
    labels: builder.labels.values,
    columns: builder.columns(),
  };
  const more = order.length < view.count;
  return {
    ...body,
    etag: createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22),
    completeness: {
      growing: facts.lastReceivedUnixMs !== undefined && facts.nowUnixMs - facts.lastReceivedUnixMs < growingMs,
      ...(facts.lastReceivedUnixMs === undefined ? {} : { lastReceivedUnixMs: facts.lastReceivedUnixMs }),
      missingParentCount: builder.missingParents.values.length,
    },
    warnings,
    facts: {
      limit: facts.maxSpans,
      returned: order.length,
      more,
      stopReason: more ? 'limit' : 'complete',
      warnings: [],
    },
  };
}

/** Rows by start, then longer first, then id. Spans without a start come first, where they are drawn. */
export function rowOrder(view: TraceView): number[] {
  const order = Array.from({ length: view.count }, (_, row) => row);
  const { startsUnixNano, durationsNs, spanIds } = view;
  return order.sort((a, b) => {
    // Exact times decide: offsets are rounded when one span of the trace has no start.
    if (startsUnixNano[a] !== startsUnixNano[b]) return startsUnixNano[a]! < startsUnixNano[b]! ? -1 : 1;
    if (durationsNs[a] !== durationsNs[b]) return durationsNs[b]! - durationsNs[a]!;
    return spanIds[a]! < spanIds[b]! ? -1 : spanIds[a]! > spanIds[b]! ? 1 : 0;
  });
}

/** Gathers the columns row by row. */
class ColumnBuilder {
  readonly services = new Dictionary();
  readonly names = new Dictionary();
  readonly scopes = new Dictionary();
  readonly labels = new Dictionary();
  readonly missingParents = new Dictionary();
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  negativeDurations = 0;
  unsetStarts = 0;
  duplicateIds = 0;
  rounded = false;

  readonly #trace: ShownTrace;
  readonly #view: TraceView;
  readonly #marks: RowMarks;
  readonly #rank: Int32Array;
  readonly #ids: string[] = [];
  readonly #columns: { readonly [K in Exclude<keyof SkeletonColumns, 'ids'>]: number[] } = {
    parents: [],
    startDeltaNano: [],
    durationNano: [],
    services: [],
    names: [],
    scopes: [],
    labels: [],
    kinds: [],
    statuses: [],
    flags: [],
    events: [],
    links: [],
    attributes: [],
  };
  #lastStart: bigint;

  constructor(trace: ShownTrace, rank: Int32Array) {
    const { view } = trace;
    this.#trace = trace;
    this.#view = view;
    this.#marks = new RowMarks(view);
    this.#rank = rank;
    const { start, end } = extent(view);
    this.startUnixNano = start;
    this.endUnixNano = end;
    this.#lastStart = start;
  }

  columns(): SkeletonColumns {
    return { ids: this.#ids.join(''), ...this.#columns };
  }

  add(row: number): void {
    const trace = this.#trace;
    const view = this.#view;
    const columns = this.#columns;
    const start = view.startsUnixNano[row]!;
    const placed = start === 0n ? this.startUnixNano : start;
    this.#ids.push(view.idOf(row) || noSpanId);
    columns.parents.push(this.#parentOf(row));
    columns.startDeltaNano.push(this.#exact(placed - this.#lastStart));
    this.#lastStart = placed;
    const duration = view.endsUnixNano[row]! - placed;
    columns.durationNano.push(duration > 0n ? this.#exact(duration) : 0);
    columns.services.push(this.services.indexOf(trace.service(row)));
    columns.names.push(this.names.indexOf(view.names[row]! || '(no name)'));
    columns.scopes.push(this.scopes.indexOf(scopeText(trace, row)));
    columns.labels.push(this.labels.indexOf(this.#marks.label(row)));
    columns.kinds.push(view.kinds[row]!);
    columns.statuses.push(trace.statusCode(row));
    columns.events.push(view.cursor(row).events.count);
    columns.links.push(view.cursor(row).links.count);
    columns.attributes.push(trace.attributeCount(row));
    columns.flags.push(this.#flagsOf(row, duration < 0n, start === 0n));
  }

  #parentOf(row: number): number {
    const parent = this.#view.parents[row]!;
    if (parent >= 0) return this.#rank[parent]!;
    const id = this.#view.parentId(row);
    // A parent that is here but was not linked would lead in a circle: the row is shown as a root.
    if (id === '' || this.#view.hasId(id)) return -1;
    return -2 - this.missingParents.indexOf(id);
  }

  #flagsOf(row: number, negative: boolean, unset: boolean): number {
    const view = this.#view;
    let flags = 0;
    if (negative && !unset) {
      flags |= spanFlags.negativeDuration;
      this.negativeDurations++;
    }
    if (unset) {
      flags |= spanFlags.unsetStart;
      this.unsetStarts++;
    }
    const use = view.idUseOf(row);
    if (use === 'half') flags |= spanFlags.sharedId;
    if (use === 'duplicate') {
      flags |= spanFlags.duplicateId;
      if (view.idOf(row) !== view.spanIds[row]) this.duplicateIds++;
    }
    const parentId = view.parentId(row);
    if (view.parents[row] === -1 && parentId !== '' && view.hasId(parentId)) flags |= spanFlags.parentCycle;
    if (this.#marks.followsFrom(row)) flags |= spanFlags.followsFrom;
    if (this.#marks.hasException(row)) flags |= spanFlags.exception;
    if (this.#marks.isDemo(row)) flags |= spanFlags.demo;
    return flags;
  }

  #exact(nanos: bigint): number {
    const value = Number(nanos);
    if (value > exactNano) this.rounded = true;
    return value;
  }
}

/** Earliest start that was set, and latest end of what ends after it starts. */
function extent(view: TraceView): { readonly start: bigint; readonly end: bigint } {
  let start: bigint | undefined;
  let end = 0n;
  for (let row = 0; row < view.count; row++) {
    const from = view.startsUnixNano[row]!;
    if (from === 0n) continue;
    if (start === undefined || from < start) start = from;
    const to = view.endsUnixNano[row]!;
    const last = to > from ? to : from;
    if (last > end) end = last;
  }
  return start === undefined ? { start: 0n, end: 0n } : { start, end };
}

function scopeText(trace: ShownTrace, row: number): string {
  const { name, version } = trace.scope(row);
  return shownForm(version === '' ? name : `${name}@${version}`);
}

function warningsOf(view: TraceView, builder: ColumnBuilder): ApiWarning[] {
  const warnings: ApiWarning[] = [];
  const warn = (code: string, count: number, message: string): void => {
    if (count > 0) warnings.push({ code, message, count });
  };
  const missing = builder.missingParents.values.length;
  warn(
    'missing_parent',
    missing,
    `${missing} parent spans are named and have not arrived; their children are shown as roots.`,
  );
  warn(
    'negative_duration',
    builder.negativeDurations,
    `${builder.negativeDurations} spans end before they start; they are shown without a duration.`,
  );
  warn(
    'unset_start',
    builder.unsetStarts,
    `${builder.unsetStarts} spans have no start time; they are shown at the start of the trace.`,
  );
  warn(
    'duplicate_id',
    builder.duplicateIds,
    `${builder.duplicateIds} spans share their id with another span; they are shown under ids of their own.`,
  );
  if (builder.rounded) warn('time_rounded', view.count, 'The trace lasts longer than 104 days; times are rounded.');
  return warnings;
}
