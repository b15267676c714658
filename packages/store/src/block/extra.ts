import type { SpanBatch } from '@clew/model';

import type { ByteSink } from './byte-sink.ts';

/**
 * The column `extra` of `spans`: fields that are rare and that nobody searches. Each is a tag byte and its payload; numbers are varints unless
 * said otherwise.
 *
 * | tag | payload |
 * | --- | --- |
 * | 1 | end time as sent, when it is before the start: two little-endian words |
 * | 2, 3 | kind, status code, when outside 0 to 254: one little-endian word |
 * | 4 | dropped attributes, events, links |
 * | 5 | count, then index and dropped attributes of each event that has any |
 * | 6 | count, then of each link: flags, dropped attributes, length and bytes of the trace state |
 */
export const SpanExtra = Object.freeze({ END: 1, KIND: 2, STATUS: 3, DROPPED: 4, EVENT_DROPPED: 5, LINKS: 6 } as const);

/** What `kind` and `status` hold when the number is in `extra`. */
export const OUT_OF_RANGE = 255;

/**
 * Writes the extra fields of one span behind their length, using `scratch`. `endBeforeStart` says that the end time must be kept.
 * A hot path, guarded by `bench/block`: most spans have no field, which costs a few comparisons.
 */
export function writeSpanExtra(
  sink: ByteSink,
  scratch: ByteSink,
  batch: SpanBatch,
  row: number,
  endBeforeStart: boolean,
): void {
  scratch.clear();
  if (endBeforeStart) {
    scratch.byte(SpanExtra.END);
    scratch.word(batch.times[row * 4 + 2]!);
    scratch.word(batch.times[row * 4 + 3]!);
  }
  writeOddNumber(scratch, SpanExtra.KIND, batch.kinds[row]!);
  writeOddNumber(scratch, SpanExtra.STATUS, batch.statusCodes[row]!);
  const droppedAttributes = batch.droppedAttributes[row]!;
  const droppedEvents = batch.droppedEvents[row]!;
  const droppedLinks = batch.droppedLinks[row]!;
  if ((droppedAttributes | droppedEvents | droppedLinks) !== 0) {
    scratch.byte(SpanExtra.DROPPED);
    scratch.varint(droppedAttributes);
    scratch.varint(droppedEvents);
    scratch.varint(droppedLinks);
  }
  const eventStart = row === 0 ? 0 : batch.eventEnd[row - 1]!;
  if (batch.eventEnd[row]! > eventStart) writeEventDropped(scratch, batch, eventStart, batch.eventEnd[row]!);
  const linkStart = row === 0 ? 0 : batch.linkEnd[row - 1]!;
  if (batch.linkEnd[row]! > linkStart) writeLinks(scratch, batch, linkStart, batch.linkEnd[row]!);
  sink.string(scratch.bytes, 0, scratch.length);
}

function writeOddNumber(sink: ByteSink, tag: number, value: number): void {
  if (value >= 0 && value < OUT_OF_RANGE) return;
  sink.byte(tag);
  sink.word(value);
}

function writeEventDropped(sink: ByteSink, batch: SpanBatch, start: number, end: number): void {
  const { dropped } = batch.events;
  let count = 0;
  for (let event = start; event < end; event++) if (dropped[event] !== 0) count++;
  if (count === 0) return;
  sink.byte(SpanExtra.EVENT_DROPPED);
  sink.varint(count);
  for (let event = start; event < end; event++) {
    if (dropped[event] === 0) continue;
    sink.varint(event - start);
    sink.varint(dropped[event]!);
  }
}

function writeLinks(sink: ByteSink, batch: SpanBatch, start: number, end: number): void {
  const { links, strings } = batch;
  let plain = true;
  for (let link = start; link < end; link++) {
    if ((links.flags[link]! | links.dropped[link]! | links.states[link]!) !== 0) plain = false;
  }
  if (plain) return;
  sink.byte(SpanExtra.LINKS);
  sink.varint(end - start);
  for (let link = start; link < end; link++) {
    const state = links.states[link]!;
    sink.varint(links.flags[link]!);
    sink.varint(links.dropped[link]!);
    sink.string(strings.bytes, strings.start(state), strings.ends[state]!);
  }
}

/**
 * The column `extra` of `resources`, in this order: dropped attributes of the resource, schema URL of the resource, entity references as OTLP
 * wire bytes, dropped attributes of the scope, schema URL of the scope. Numbers are varints, the others bytes behind their length.
 */
export function writeResourceExtra(sink: ByteSink, batch: SpanBatch, resource: number, scope: number): void {
  const { resourceTable, scopeTable, strings } = batch;
  sink.varint(resourceTable.dropped[resource]!);
  writeEntry(sink, strings, resourceTable.schemaUrls[resource]!);
  const refs = resourceTable.entityRefs[resource * 2]!;
  sink.string(batch.heap, refs, refs + resourceTable.entityRefs[resource * 2 + 1]!);
  sink.varint(scopeTable.dropped[scope]!);
  writeEntry(sink, strings, scopeTable.schemaUrls[scope]!);
}

function writeEntry(sink: ByteSink, strings: SpanBatch['strings'], index: number): void {
  sink.string(strings.bytes, strings.start(index), strings.ends[index]!);
}
