import { dayOfSlot, slotOfNanos } from '../block/slot.ts';
import { MAX_FUTURE_NANOS, MAX_PAST_NANOS, ODD_SLOT, SLOTS_PER_DAY } from '../schema/tables.ts';
import { allOf, type Sql } from './sql.ts';

/** A range of start times, both ends included, in nanoseconds since 1970. */
export interface TimeRange {
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
}

/**
 * Condition on `spans` for a range of start times. Slots and days make it a lookup by primary key; `withOdd` includes spans whose slot is not that
 * of their start, which may lie in any partition.
 */
export function startsWithin(sql: Sql, range: TimeRange, withOdd: boolean): string {
  const from = slotOfNanos(range.startUnixNano);
  const to = slotOfNanos(range.endUnixNano);
  const slots = allOf([
    `slot BETWEEN ${sql.value('UInt32', Math.min(from, ODD_SLOT - 1))} AND ${sql.value('UInt32', Math.min(to, ODD_SLOT - 1))}`,
    `day BETWEEN ${sql.value('UInt16', dayParam(from))} AND ${sql.value('UInt16', dayParam(to))}`,
  ]);
  const starts = `start_ns BETWEEN ${sql.value('UInt64', range.startUnixNano)} AND ${sql.value('UInt64', range.endUnixNano)}`;
  return withOdd ? `${starts} AND ((${slots}) OR slot >= ${ODD_SLOT})` : `${starts} AND ${slots}`;
}

/** Condition on tables derived by day for everything that concerns spans started within the range. */
export function daysOf(sql: Sql, range: TimeRange): string {
  // A span is filed under its start, clamped to its arrival: at most a day before, at most an hour after.
  const from = dayParam(
    slotOfNanos(range.startUnixNano > MAX_FUTURE_NANOS ? range.startUnixNano - MAX_FUTURE_NANOS : 0n),
  );
  const to = dayParam(slotOfNanos(range.endUnixNano + MAX_PAST_NANOS));
  return `day BETWEEN ${sql.value('UInt16', from)} AND ${sql.value('UInt16', to)}`;
}

function dayParam(slot: number): number {
  return Math.min(Math.floor(slot / SLOTS_PER_DAY), 0xffff);
}

/** Day (since 1970) of a time in nanoseconds. */
export function dayOfNanos(nanos: bigint): number {
  return dayOfSlot(slotOfNanos(nanos));
}
