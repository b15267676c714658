import type { SpanBatch } from '@clew/model';

import {
  attributeMaps,
  type AttributeMaps,
  dictionaryOf,
  type DictionaryStrings,
  fixedOf,
  type MapData,
  mapOf,
  readAttributes,
  runsOf,
  startOf,
  stringsOf,
  wordAt,
} from './attribute-reader.ts';
import { applySpanExtra, ExtraReader } from './extra-reader.ts';
import type { DictionaryData, FixedData, NativeBlock, RunData, StringData } from './native-reader.ts';
import { pushBytes, pushTagged } from './tagged-reader.ts';
import { ValueType } from '@clew/model';

/** Columns of `spans` a {@link SpanReader} needs, in any order. */
export const spanColumns: readonly string[] = Object.freeze([
  'trace_id',
  'span_id',
  'parent_id',
  'start_ns',
  'duration_ns',
  'kind',
  'status',
  'name',
  'status_message',
  'trace_state',
  'flags',
  'res_id',
  'a_str',
  'a_int',
  'a_dbl',
  'a_bool',
  'a_arr',
  'a_other',
  'ev_time',
  'ev_name',
  'ev_str',
  'ev_other',
  'lk_trace',
  'lk_span',
  'lk_attrs',
  'extra',
]);

/** Turns rows of one block of `spans` back into spans of batches. */
export class SpanReader {
  readonly traceIds: FixedData;
  readonly resourceIds: FixedData;
  readonly rows: number;
  readonly #spanIds: FixedData;
  readonly #parentIds: FixedData;
  readonly #starts: FixedData;
  readonly #durations: FixedData;
  readonly #kinds: FixedData;
  readonly #statuses: FixedData;
  readonly #names: DictionaryData;
  readonly #messages: StringData;
  readonly #states: StringData;
  readonly #flags: FixedData;
  readonly #attributes: AttributeMaps;
  readonly #eventTimes: RunData;
  readonly #eventNames: RunData;
  readonly #eventText: RunData;
  readonly #eventOther: RunData;
  readonly #linkTraces: RunData;
  readonly #linkSpans: RunData;
  readonly #linkAttributes: RunData;
  readonly #extra: StringData;

  constructor(block: NativeBlock) {
    this.rows = block.rows;
    this.traceIds = fixedOf(block, 'trace_id');
    this.resourceIds = fixedOf(block, 'res_id');
    this.#spanIds = fixedOf(block, 'span_id');
    this.#parentIds = fixedOf(block, 'parent_id');
    this.#starts = fixedOf(block, 'start_ns');
    this.#durations = fixedOf(block, 'duration_ns');
    this.#kinds = fixedOf(block, 'kind');
    this.#statuses = fixedOf(block, 'status');
    this.#names = dictionaryOf(block, 'name');
    this.#messages = stringsOf(block, 'status_message');
    this.#states = stringsOf(block, 'trace_state');
    this.#flags = fixedOf(block, 'flags');
    this.#attributes = attributeMaps(block, 'a');
    this.#eventTimes = runsOf(block, 'ev_time');
    this.#eventNames = runsOf(block, 'ev_name');
    this.#eventText = runsOf(block, 'ev_str');
    this.#eventOther = runsOf(block, 'ev_other');
    this.#linkTraces = runsOf(block, 'lk_trace');
    this.#linkSpans = runsOf(block, 'lk_span');
    this.#linkAttributes = runsOf(block, 'lk_attrs');
    this.#extra = stringsOf(block, 'extra');
  }

  /** Appends row `row` to the batch as a span of `scope`. */
  read(row: number, batch: SpanBatch, strings: DictionaryStrings, scope: number): void {
    const span = batch.addSpan(scope);
    batch.traceIds.set(this.traceIds.bytes.subarray(row * 16, row * 16 + 16), span * 16);
    batch.spanIds.set(this.#spanIds.bytes.subarray(row * 8, row * 8 + 8), span * 8);
    batch.parentIds.set(this.#parentIds.bytes.subarray(row * 8, row * 8 + 8), span * 8);
    this.#readTimes(row, batch, span);
    batch.names[span] = strings.at(this.#names, row);
    batch.kinds[span] = this.#kinds.bytes[row]!;
    batch.statusCodes[span] = this.#statuses.bytes[row]!;
    batch.statusMessages[span] = entryOf(batch, this.#messages, row);
    batch.traceStates[span] = entryOf(batch, this.#states, row);
    batch.flags[span] = wordAt(this.#flags.bytes, row * 4);
    readAttributes(batch, batch.spanAttrs, strings, this.#attributes, row);
    const firstEvent = batch.events.count;
    const firstLink = batch.links.count;
    this.#readEvents(row, batch, strings);
    this.#readLinks(row, batch, strings);
    const extra = new ExtraReader(this.#extra.bytes, this.#extra.starts[row]!, this.#extra.ends[row]!);
    if (!extra.done) applySpanExtra(extra, batch, span, firstEvent, firstLink);
    batch.endSpan(span);
  }

  #readTimes(row: number, batch: SpanBatch, span: number): void {
    const lo = wordAt(this.#starts.bytes, row * 8);
    const hi = wordAt(this.#starts.bytes, row * 8 + 4);
    const endLo = lo + wordAt(this.#durations.bytes, row * 8);
    batch.times[span * 4] = lo;
    batch.times[span * 4 + 1] = hi;
    batch.times[span * 4 + 2] = endLo;
    batch.times[span * 4 + 3] = hi + wordAt(this.#durations.bytes, row * 8 + 4) + (endLo > 0xffff_ffff ? 1 : 0);
  }

  #readEvents(row: number, batch: SpanBatch, strings: DictionaryStrings): void {
    const times = (this.#eventTimes.inner[0] as FixedData).bytes;
    const names = this.#eventNames.inner[0] as DictionaryData;
    const text = mapOf(this.#eventText.inner[0] as RunData);
    const other = mapOf(this.#eventOther.inner[0] as RunData);
    for (let i = startOf(this.#eventTimes, row); i < this.#eventTimes.ends[row]!; i++) {
      const event = batch.events.add(batch.eventAttrs.count);
      batch.events.times[event * 2] = wordAt(times, i * 8);
      batch.events.times[event * 2 + 1] = wordAt(times, i * 8 + 4);
      batch.events.names[event] = strings.at(names, i);
      readText(batch, strings, text, i);
      readTagged(batch, batch.eventAttrs, strings, other, i);
      batch.events.attrEnd[event] = batch.eventAttrs.count;
    }
  }

  #readLinks(row: number, batch: SpanBatch, strings: DictionaryStrings): void {
    const traces = (this.#linkTraces.inner[0] as FixedData).bytes;
    const spans = (this.#linkSpans.inner[0] as FixedData).bytes;
    const attributes = mapOf(this.#linkAttributes.inner[0] as RunData);
    for (let i = startOf(this.#linkTraces, row); i < this.#linkTraces.ends[row]!; i++) {
      const link = batch.links.add(batch.linkAttrs.count);
      batch.links.traceIds.set(traces.subarray(i * 16, i * 16 + 16), link * 16);
      batch.links.spanIds.set(spans.subarray(i * 8, i * 8 + 8), link * 8);
      readTagged(batch, batch.linkAttrs, strings, attributes, i);
      batch.links.attrEnd[link] = batch.linkAttrs.count;
    }
  }
}

function readText(batch: SpanBatch, strings: DictionaryStrings, map: MapData, row: number): void {
  const values = map.values as StringData;
  for (let i = startOf(map, row); i < map.ends[row]!; i++) {
    const key = strings.at(map.keys, i);
    pushBytes(batch, batch.eventAttrs, key, ValueType.STRING, values.bytes, values.starts[i]!, values.ends[i]!);
  }
}

function readTagged(
  batch: SpanBatch,
  table: SpanBatch['eventAttrs'],
  strings: DictionaryStrings,
  map: MapData,
  row: number,
): void {
  const values = map.values as StringData;
  for (let i = startOf(map, row); i < map.ends[row]!; i++) {
    pushTagged(batch, table, strings.at(map.keys, i), values.bytes, values.starts[i]!, values.ends[i]!);
  }
}

function entryOf(batch: SpanBatch, data: StringData, row: number): number {
  return batch.strings.intern(data.bytes, data.starts[row]!, data.ends[row]!);
}
