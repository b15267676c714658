import type { SpanBatch } from '@clew/model';

import { HotBit } from '../block/hot-attributes.ts';
import { dictionaryOf, fixedOf, runsOf, startOf, wordAt } from './attribute-reader.ts';
import { type DictionaryData, type NativeBlock, readNativeBlocks, type StringData } from './native-reader.ts';
import { readAll } from './read-all.ts';
import { type ReadOptions, readSpans, type TraceSource } from './read-traces.ts';
import { allOf, Sql } from './sql.ts';
import { boundConditions, boundsOf, lookUpTraces } from './trace-index.ts';

/**
 * What a waterfall draws of every span, as columns: enough to lay out a trace of 100,000 spans at once; attributes are asked for span by span
 * (`readSpanDetails`). Only stored spans.
 */
export interface TraceSkeleton {
  readonly count: number;
  /** Eight bytes a span; a parent of zeros is none. */
  readonly spanIds: Uint8Array;
  readonly parentIds: Uint8Array;
  /** Nanoseconds since 1970, and nanoseconds. */
  readonly startUnixNano: BigUint64Array;
  readonly durationNano: BigUint64Array;
  /** OTLP numbers; 255 for a number outside 0 to 254. */
  readonly kinds: Uint8Array;
  readonly statusCodes: Uint8Array;
  /** 1 for spans that failed. */
  readonly errors: Uint8Array;
  readonly eventCounts: Uint32Array;
  /** Indexes into `texts`. */
  readonly services: Uint32Array;
  readonly names: Uint32Array;
  readonly texts: readonly string[];
}

/** The skeleton of a stored trace (32 hex digits), spans by start; undefined when it is unknown. */
export async function readSkeleton(
  source: TraceSource,
  tenant: string,
  traceId: string,
  options: ReadOptions = {},
): Promise<TraceSkeleton | undefined> {
  const bounds = boundsOf(await lookUpTraces(source.client, tenant, [traceId], options.signal));
  if (bounds === undefined) return undefined;
  const sql = new Sql();
  const conditions = [
    ...boundConditions(sql, tenant, bounds),
    `trace_id = ${sql.value('FixedString(16)', Buffer.from(traceId, 'hex'))}`,
  ];
  const bytes = await readAll(
    source.client,
    'SELECT span_id, parent_id, start_ns, duration_ns, kind, status, service, name, hot, ev_time FROM spans ' +
      `WHERE ${allOf(conditions)} ORDER BY start_ns, span_id LIMIT 1 BY span_id, parent_id, start_ns, duration_ns, kind, service, name`,
    {
      class: 'point',
      comment: 'read the skeleton of a trace',
      params: sql.params,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  const blocks = readNativeBlocks(bytes);
  return blocks.length === 0 ? undefined : skeletonOf(blocks);
}

/** The whole spans with these ids (16 hex digits) of a stored trace, in no particular order. */
export async function readSpanDetails(
  source: TraceSource,
  tenant: string,
  traceId: string,
  spanIds: readonly string[],
  options: ReadOptions = {},
): Promise<SpanBatch | undefined> {
  const bounds = boundsOf(await lookUpTraces(source.client, tenant, [traceId], options.signal));
  if (bounds === undefined) return undefined;
  const sql = new Sql();
  const ids = spanIds.map((id) => Buffer.from(id, 'hex'));
  const conditions = [
    ...boundConditions(sql, tenant, bounds),
    `trace_id = ${sql.value('FixedString(16)', Buffer.from(traceId, 'hex'))}`,
    `span_id IN ${sql.value('Array(FixedString(8))', ids)}`,
  ];
  const traces = new Map<string, SpanBatch>();
  await readSpans(source, tenant, sql, conditions, options, traces);
  return traces.get(traceId);
}

function skeletonOf(blocks: readonly NativeBlock[]): TraceSkeleton {
  const count = blocks.reduce((sum, block) => sum + block.rows, 0);
  const texts = new TextPool();
  const skeleton = {
    count,
    spanIds: new Uint8Array(count * 8),
    parentIds: new Uint8Array(count * 8),
    startUnixNano: new BigUint64Array(count),
    durationNano: new BigUint64Array(count),
    kinds: new Uint8Array(count),
    statusCodes: new Uint8Array(count),
    errors: new Uint8Array(count),
    eventCounts: new Uint32Array(count),
    services: new Uint32Array(count),
    names: new Uint32Array(count),
    texts: texts.texts,
  };
  let at = 0;
  for (const block of blocks) {
    const { rows } = block;
    skeleton.spanIds.set(fixedOf(block, 'span_id').bytes, at * 8);
    skeleton.parentIds.set(fixedOf(block, 'parent_id').bytes, at * 8);
    copyWords(fixedOf(block, 'start_ns').bytes, skeleton.startUnixNano, at, rows);
    copyWords(fixedOf(block, 'duration_ns').bytes, skeleton.durationNano, at, rows);
    skeleton.kinds.set(fixedOf(block, 'kind').bytes, at);
    skeleton.statusCodes.set(fixedOf(block, 'status').bytes, at);
    const hot = fixedOf(block, 'hot').bytes;
    const events = runsOf(block, 'ev_time');
    const services = texts.resolve(dictionaryOf(block, 'service'));
    const names = texts.resolve(dictionaryOf(block, 'name'));
    for (let row = 0; row < rows; row++) {
      skeleton.errors[at + row] = (wordAt(hot, row * 4) & HotBit.ERROR) === 0 ? 0 : 1;
      skeleton.eventCounts[at + row] = events.ends[row]! - startOf(events, row);
      skeleton.services[at + row] = services[row]!;
      skeleton.names[at + row] = names[row]!;
    }
    at += rows;
  }
  return skeleton;
}

function copyWords(bytes: Uint8Array, target: BigUint64Array, at: number, rows: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let row = 0; row < rows; row++) target[at + row] = view.getBigUint64(row * 8, true);
}

/** Numbers texts of several dictionaries. */
class TextPool {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  resolve(data: DictionaryData): Uint32Array {
    const keys = data.keys as StringData;
    const numbers = Uint32Array.from(keys.starts, (start, i) =>
      this.#number(Buffer.from(keys.bytes.subarray(start, keys.ends[i])).toString('utf8')),
    );
    return data.indexes.map((index) => numbers[index]!);
  }

  #number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }
}
