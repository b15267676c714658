import type { SpanBatch, StringTable } from '@clew/model';

import { TagScope } from '../schema/tables.ts';
import { AttributeColumns } from './attribute-columns.ts';
import { ByteSink } from './byte-sink.ts';
import { EventAttributes } from './event-attributes.ts';
import { OUT_OF_RANGE, writeSpanExtra } from './extra.ts';
import { HOT_CONCEPTS, HotAttributes, HotBit, HTTP_STATUS_CONCEPT } from './hot-attributes.ts';
import { LeafWriter } from './leaf-writer.ts';
import { nativeBlock, type NamedColumn } from './native-block.ts';
import {
  ByteColumn,
  ConstantColumn,
  DictionaryColumn,
  FixedColumn,
  type NativeColumn,
  RunColumn,
  ShortColumn,
  StringColumn,
  WordColumn,
} from './native-columns.ts';
import { namedAttributeColumns } from './resource-rows.ts';
import { dayOfSlot } from './slot.ts';
import type { TableBlock } from './table-block.ts';
import { type TagKeyRows, TagNote } from './tag-key-rows.ts';

const KEY = 'LowCardinality(String)';

/** What all spans of one appended batch share. */
export interface BatchContext {
  readonly batch: SpanBatch;
  /** Entry of the tenant in the builder's string table. */
  readonly tenant: number;
  /** Milliseconds since 1970 in two words. */
  readonly receivedLo: number;
  readonly receivedHi: number;
  /** The builder's entry for each string of the batch. */
  readonly stringMap: Uint32Array;
}

/**
 * The columns of `spans`, filled row by row straight from the columns of batches. A hot path, guarded by `bench/block`: nothing is allocated
 * per span, and every buffer is reused from segment to segment.
 */
export class SpanColumns {
  readonly hot = new HotAttributes();
  readonly #tagKeys: TagKeyRows;
  readonly #scratch = new ByteSink(256);
  readonly #tenant: DictionaryColumn;
  readonly #day = new ShortColumn();
  readonly #slot = new WordColumn('UInt32', 1);
  readonly #traceId = new FixedColumn(16);
  readonly #spanId = new FixedColumn(8);
  readonly #parentId = new FixedColumn(8);
  readonly #start = new WordColumn('UInt64', 2);
  readonly #duration = new WordColumn('UInt64', 2);
  readonly #received = new WordColumn('UInt64', 2);
  readonly #kind = new ByteColumn('UInt8');
  readonly #status = new ByteColumn('UInt8');
  readonly #service: DictionaryColumn;
  readonly #name: DictionaryColumn;
  readonly #statusMessage = new StringColumn();
  readonly #traceState = new StringColumn();
  readonly #flags = new WordColumn('UInt32', 1);
  readonly #resourceId = new WordColumn('UInt64', 2);
  readonly #attributes: AttributeColumns;
  /** By concept; the one of the status code is unused. */
  readonly #hotText: readonly DictionaryColumn[];
  readonly #hotStatus = new ShortColumn();
  readonly #hotBits = new WordColumn('UInt32', 1);
  readonly #eventTimes = new WordColumn('UInt64', 2);
  readonly #eventNames: DictionaryColumn;
  readonly #eventTimeRuns: RunColumn;
  readonly #eventNameRuns: RunColumn;
  readonly #eventText: EventAttributes;
  readonly #eventOther: EventAttributes;
  readonly #linkTraces = new FixedColumn(16);
  readonly #linkSpans = new FixedColumn(8);
  readonly #linkTraceRuns: RunColumn;
  readonly #linkSpanRuns: RunColumn;
  readonly #linkAttributes: EventAttributes;
  readonly #extra = new StringColumn();
  readonly #segment = new ConstantColumn('LowCardinality(FixedString(16))');
  readonly #strings: StringTable;
  #rows = 0;

  constructor(strings: StringTable, tagKeys: TagKeyRows) {
    this.#strings = strings;
    this.#tagKeys = tagKeys;
    this.#tenant = new DictionaryColumn(strings);
    this.#service = new DictionaryColumn(strings);
    this.#name = new DictionaryColumn(strings);
    const spanLeaves = new LeafWriter(strings, tagKeys, TagScope.spanLeaf, { withElements: false });
    const childLeaves = new LeafWriter(strings, tagKeys, TagScope.childLeaf, { withElements: true });
    this.#attributes = new AttributeColumns(strings, spanLeaves);
    this.#hotText = HOT_CONCEPTS.map(() => new DictionaryColumn(strings));
    this.#eventNames = new DictionaryColumn(strings);
    this.#eventTimeRuns = new RunColumn('Array(UInt64)', [this.#eventTimes]);
    this.#eventNameRuns = new RunColumn(`Array(${KEY})`, [this.#eventNames]);
    this.#eventText = new EventAttributes(strings, childLeaves);
    this.#eventOther = new EventAttributes(strings, childLeaves);
    this.#linkTraceRuns = new RunColumn('Array(FixedString(16))', [this.#linkTraces]);
    this.#linkSpanRuns = new RunColumn('Array(FixedString(8))', [this.#linkSpans]);
    this.#linkAttributes = new EventAttributes(strings, childLeaves);
  }

  clear(): void {
    this.#rows = 0;
    for (const { column } of this.#columns()) column.clear();
  }

  /** Makes room for `rows` further spans. */
  reserve(rows: number): void {
    const total = this.#rows + rows;
    for (const column of [this.#slot, this.#start, this.#duration, this.#received, this.#flags]) column.reserve(total);
    for (const column of [this.#kind, this.#status, this.#day, this.#hotStatus]) column.reserve(total);
    this.#resourceId.reserve(total);
    this.#hotBits.reserve(total);
  }

  /** Writes span `row` of the batch; `service`, and the resource of id `idLo`, `idHi`, are those of its scope. */
  write(context: BatchContext, row: number, slot: number, service: number, idLo: number, idHi: number): void {
    const { batch, stringMap } = context;
    const at = this.#rows++;
    this.#writeIdentity(at, context, row, slot);
    const outOfOrder = this.#writeTimes(at, batch, row);
    this.#service.push(service);
    this.#name.push(stringMap[batch.names[row]!]!);
    this.#writeText(this.#statusMessage.sink, batch, batch.statusMessages[row]!);
    this.#writeText(this.#traceState.sink, batch, batch.traceStates[row]!);
    this.#flags.values[at] = batch.flags[row]!;
    this.#resourceId.values[at * 2] = idLo;
    this.#resourceId.values[at * 2 + 1] = idHi;
    const start = row === 0 ? 0 : batch.attrEnd[row - 1]!;
    const end = batch.attrEnd[row]!;
    const repeated = this.#attributes.writeRow(batch.spanAttrs, batch.heap, start, end, stringMap);
    if (repeated) this.#tagKeys.markNote(TagNote.REPEATED_KEYS);
    this.#tagKeys.mark(TagScope.span, batch.spanAttrs, start, end, stringMap);
    this.#writeHot(at, batch, row, start, end, stringMap);
    this.#writeEvents(batch, row, stringMap);
    this.#writeLinks(batch, row, stringMap);
    writeSpanExtra(this.#extra.sink, this.#scratch, batch, row, outOfOrder);
  }

  #writeIdentity(at: number, context: BatchContext, row: number, slot: number): void {
    const { batch } = context;
    this.#tenant.push(context.tenant);
    this.#day.values[at] = dayOfSlot(slot);
    this.#slot.values[at] = slot;
    this.#traceId.push(batch.traceIds, row * 16);
    this.#spanId.push(batch.spanIds, row * 8);
    this.#parentId.push(batch.parentIds, row * 8);
    this.#received.values[at * 2] = context.receivedLo;
    this.#received.values[at * 2 + 1] = context.receivedHi;
    const kind = batch.kinds[row]!;
    this.#kind.values[at] = kind >= 0 && kind < OUT_OF_RANGE ? kind : OUT_OF_RANGE;
    const status = batch.statusCodes[row]!;
    this.#status.values[at] = status >= 0 && status < OUT_OF_RANGE ? status : OUT_OF_RANGE;
  }

  /** Writes start and duration; says whether the end is before the start. */
  #writeTimes(at: number, batch: SpanBatch, row: number): boolean {
    const { times } = batch;
    const startLo = times[row * 4]!;
    const startHi = times[row * 4 + 1]!;
    const endLo = times[row * 4 + 2]!;
    const endHi = times[row * 4 + 3]!;
    this.#start.values[at * 2] = startLo;
    this.#start.values[at * 2 + 1] = startHi;
    const outOfOrder = endHi < startHi || (endHi === startHi && endLo < startLo);
    this.#duration.values[at * 2] = outOfOrder ? 0 : endLo - startLo;
    this.#duration.values[at * 2 + 1] = outOfOrder ? 0 : endHi - startHi - (endLo < startLo ? 1 : 0);
    return outOfOrder;
  }

  #writeText(sink: ByteSink, batch: SpanBatch, index: number): void {
    if (index === 0) sink.byte(0);
    else sink.string(batch.strings.bytes, batch.strings.start(index), batch.strings.ends[index]!);
  }

  #writeHot(at: number, batch: SpanBatch, row: number, start: number, end: number, stringMap: Uint32Array): void {
    const { hot } = this;
    hot.read(batch.spanAttrs, batch.heap, start, end, stringMap);
    for (let concept = 0; concept < HOT_CONCEPTS.length; concept++) {
      if (concept === HTTP_STATUS_CONCEPT) continue;
      const offset = hot.starts[concept]!;
      const entry = offset < 0 ? 0 : this.#strings.intern(batch.heap, offset, offset + hot.lengths[concept]!);
      this.#hotText[concept]!.push(entry);
    }
    this.#hotStatus.values[at] = hot.status;
    this.#hotBits.values[at] = hot.bits | (batch.statusCodes[row] === 2 ? HotBit.ERROR : 0);
    if ((hot.bits & HotBit.MIXED) !== 0) this.#tagKeys.markNote(TagNote.MIXED);
  }

  #writeEvents(batch: SpanBatch, row: number, stringMap: Uint32Array): void {
    const from = row === 0 ? 0 : batch.eventEnd[row - 1]!;
    const to = batch.eventEnd[row]!;
    const { events, eventAttrs } = batch;
    for (let event = from; event < to; event++) {
      this.#eventTimes.push(events.times[event * 2]!, events.times[event * 2 + 1]!);
      this.#eventNames.push(stringMap[events.names[event]!]!);
      const start = event === 0 ? 0 : events.attrEnd[event - 1]!;
      const end = events.attrEnd[event]!;
      this.#eventText.write(batch, eventAttrs, start, end, stringMap, 'text');
      this.#eventOther.write(batch, eventAttrs, start, end, stringMap, 'other');
      this.#tagKeys.mark(TagScope.event, eventAttrs, start, end, stringMap);
    }
    this.#eventTimeRuns.elements += to - from;
    this.#eventNameRuns.elements += to - from;
    this.#eventTimeRuns.endRow();
    this.#eventNameRuns.endRow();
    this.#eventText.endRow(to - from);
    this.#eventOther.endRow(to - from);
  }

  #writeLinks(batch: SpanBatch, row: number, stringMap: Uint32Array): void {
    const from = row === 0 ? 0 : batch.linkEnd[row - 1]!;
    const to = batch.linkEnd[row]!;
    const { links, linkAttrs } = batch;
    for (let link = from; link < to; link++) {
      this.#linkTraces.push(links.traceIds, link * 16);
      this.#linkSpans.push(links.spanIds, link * 8);
      const start = link === 0 ? 0 : links.attrEnd[link - 1]!;
      const end = links.attrEnd[link]!;
      this.#linkAttributes.write(batch, linkAttrs, start, end, stringMap, 'all');
      this.#tagKeys.mark(TagScope.link, linkAttrs, start, end, stringMap);
    }
    this.#linkTraceRuns.elements += to - from;
    this.#linkSpanRuns.elements += to - from;
    this.#linkTraceRuns.endRow();
    this.#linkSpanRuns.endRow();
    this.#linkAttributes.endRow(to - from);
  }

  /** The block of the spans written since `clear`; `segment` is 16 bytes, the same in every row. */
  block(segment: Uint8Array): TableBlock {
    this.#segment.value = segment;
    return nativeBlock('spans', this.#columns(), this.#rows);
  }

  #columns(): NamedColumn[] {
    const named = (name: string, column: NativeColumn): NamedColumn => ({ name, column });
    return [
      named('tenant', this.#tenant),
      named('day', this.#day),
      named('slot', this.#slot),
      named('trace_id', this.#traceId),
      named('span_id', this.#spanId),
      named('parent_id', this.#parentId),
      named('start_ns', this.#start),
      named('duration_ns', this.#duration),
      named('received_ms', this.#received),
      named('kind', this.#kind),
      named('status', this.#status),
      named('service', this.#service),
      named('name', this.#name),
      named('status_message', this.#statusMessage),
      named('trace_state', this.#traceState),
      named('flags', this.#flags),
      named('res_id', this.#resourceId),
      ...namedAttributeColumns('a', this.#attributes),
      ...HOT_CONCEPTS.map((concept, number) =>
        named(concept.column, number === HTTP_STATUS_CONCEPT ? this.#hotStatus : this.#hotText[number]!),
      ),
      named('hot', this.#hotBits),
      named('ev_time', this.#eventTimeRuns),
      named('ev_name', this.#eventNameRuns),
      named('ev_str', this.#eventText.runs),
      named('ev_other', this.#eventOther.runs),
      named('lk_trace', this.#linkTraceRuns),
      named('lk_span', this.#linkSpanRuns),
      named('lk_attrs', this.#linkAttributes.runs),
      named('extra', this.#extra),
      named('seg', this.#segment),
    ];
  }
}
