import { concatInto, dropEqualSpans, hexOf, SpanBatch } from '@clew/model';

import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import type { PendingSpans } from '../writer/pending-spans.ts';
import { DictionaryStrings, wordAt } from './attribute-reader.ts';
import { readNativeBlocks } from './native-reader.ts';
import { readAll } from './read-all.ts';
import { copyScope, missingResource, type ResourceCache } from './resource-cache.ts';
import { spanColumns, SpanReader } from './span-reader.ts';
import { allOf, Sql } from './sql.ts';
import { toStorageOrder } from './storage-order.ts';
import { boundConditions, boundsOf, lookUpTraces } from './trace-index.ts';

/** What trace reads need. */
export interface TraceSource {
  readonly client: SqlClient;
  readonly pending: PendingSpans;
  readonly resources: ResourceCache;
}

/** Limits and cancellation of a read. */
export interface ReadOptions {
  /** Spans of all traces together; beyond it the read fails with `result_limit`. */
  readonly maxSpans?: number;
  readonly signal?: AbortSignal;
}

/**
 * A trace lies in a handful of granules: a second thread, or reading the wide columns in a second step, costs more than it saves (20 against 38
 * CPU-ms at 10 M spans).
 */
const pointReadSettings = Object.freeze({ max_threads: 1, query_plan_optimize_lazy_materialization: 0 });

/** Spans one read of whole traces may give, unless configured: `clew_query.limits.max_spans_per_read`. */
export const DEFAULT_MAX_SPANS_PER_READ = 1_000_000;

/**
 * The spans of each trace, stored or only acknowledged, by trace id (32 lower-case hex digits). Unknown traces are missing in the answer. Spans that
 * are equal in everything are given once; they come in no particular order.
 */
export async function readTraces(
  source: TraceSource,
  tenant: string,
  traceIds: readonly string[],
  options: ReadOptions = {},
): Promise<Map<string, SpanBatch>> {
  const traces = new Map<string, SpanBatch>();
  // First what is not stored: a segment leaves the journal only once it is in the tables, so nothing is missed between the two.
  for (const traceId of traceIds) await addPending(source, tenant, traceId, traces);
  const bounds = boundsOf(await lookUpTraces(source.client, tenant, traceIds, options.signal));
  if (bounds !== undefined) {
    const sql = new Sql();
    const ids = sql.value(
      'Array(FixedString(16))',
      traceIds.map((id) => Buffer.from(id, 'hex')),
    );
    const conditions = [...boundConditions(sql, tenant, bounds), `trace_id IN ${ids}`];
    await readSpans(source, tenant, sql, conditions, options, traces);
  }
  for (const [traceId, batch] of traces) traces.set(traceId, dropEqualSpans(batch));
  return traces;
}

/** Reads the rows of `spans` that satisfy the conditions and adds each to the batch of its trace. */
export async function readSpans(
  source: TraceSource,
  tenant: string,
  sql: Sql,
  conditions: readonly string[],
  options: ReadOptions,
  traces: Map<string, SpanBatch>,
): Promise<void> {
  const maxSpans = options.maxSpans ?? DEFAULT_MAX_SPANS_PER_READ;
  const bytes = await readAll(
    source.client,
    `SELECT ${spanColumns.join(', ')} FROM spans WHERE ${allOf(conditions)} LIMIT ${maxSpans + 1}`,
    {
      class: 'point',
      comment: 'read spans',
      params: sql.params,
      maxResultRows: maxSpans + 1,
      settings: pointReadSettings,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  const readers = readNativeBlocks(bytes).map((block) => new SpanReader(block));
  const rows = readers.reduce((sum, reader) => sum + reader.rows, 0);
  if (rows > maxSpans) {
    throw new StoreError(
      'result_limit',
      `read traces: they have more than ${maxSpans} spans (setting clew_query.limits.max_spans_per_read); ask for fewer traces, or raise the setting`,
      { details: { limitSpans: maxSpans } },
    );
  }
  const ids = new Set(readers.flatMap((reader) => resourceIdsOf(reader)));
  const resources = await source.resources.load(tenant, ids, options.signal);
  const targets = new Map<string, TraceTarget>();
  for (const reader of readers) {
    for (const target of targets.values()) target.startBlock();
    fillTraces(reader, resources, traces, targets);
  }
}

/** A batch being filled from blocks. */
class TraceTarget {
  readonly batch: SpanBatch;
  strings: DictionaryStrings;
  readonly #scopes = new Map<string, number>();

  constructor(batch: SpanBatch) {
    this.batch = batch;
    this.strings = new DictionaryStrings(batch);
  }

  /** Lets go of the last block's dictionaries. */
  startBlock(): void {
    this.strings = new DictionaryStrings(this.batch);
  }

  scopeOf(id: string, resources: ReadonlyMap<string, SpanBatch>): number {
    const known = this.#scopes.get(id);
    if (known !== undefined) return known;
    const resource = resources.get(id);
    if (resource === undefined) throw missingResource(id);
    const scope = copyScope(this.batch, resource);
    this.#scopes.set(id, scope);
    return scope;
  }
}

function fillTraces(
  reader: SpanReader,
  resources: ReadonlyMap<string, SpanBatch>,
  traces: Map<string, SpanBatch>,
  targets: Map<string, TraceTarget>,
): void {
  const ids = resourceIdsOf(reader);
  for (let row = 0; row < reader.rows; row++) {
    const traceId = hexOf(reader.traceIds.bytes, row * 16, 16);
    let target = targets.get(traceId);
    if (target === undefined) {
      let batch = traces.get(traceId);
      if (batch === undefined) traces.set(traceId, (batch = new SpanBatch()));
      targets.set(traceId, (target = new TraceTarget(batch)));
    }
    reader.read(row, target.batch, target.strings, target.scopeOf(ids[row]!, resources));
  }
}

/** Ids of the rows' resources as decimal text; equal neighbours share one. */
function resourceIdsOf(reader: SpanReader): string[] {
  const { bytes } = reader.resourceIds;
  const ids: string[] = [];
  let lastLo = -1;
  let lastHi = -1;
  let last = '';
  for (let row = 0; row < reader.rows; row++) {
    const lo = wordAt(bytes, row * 8);
    const hi = wordAt(bytes, row * 8 + 4);
    if (lo !== lastLo || hi !== lastHi) {
      last = ((BigInt(hi) << 32n) | BigInt(lo)).toString();
      lastLo = lo;
      lastHi = hi;
    }
    ids.push(last);
  }
  return ids;
}

async function addPending(
  source: TraceSource,
  tenant: string,
  traceId: string,
  traces: Map<string, SpanBatch>,
): Promise<void> {
  const batches = await source.pending.findTrace(tenant, Buffer.from(traceId, 'hex'));
  if (batches.length === 0) return;
  const batch = new SpanBatch();
  for (const pending of batches) concatInto(batch, pending.batch, pending.rows);
  toStorageOrder(batch);
  traces.set(traceId, batch);
}
