import type { AttributeTable } from './attribute-table.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * A packed batch: all of a `SpanBatch` in one little-endian buffer, small enough to be kept and simple enough to be checked. It is
 * what the journal writes, what traces wait in memory as, and what moves between threads.
 *
 * ```
 * header   u32 magic "CLWB" · u16 version · u16 0 · u32 length of the whole · u32 counts[18] · u64 base time
 * modes    u8 per id column (5): absent, one id for all rows, or one per row
 * widths   2 bits per number column, in column order: absent (all zero), 1, 2 or 4 bytes a value
 * ids      trace, span and parent ids of spans; trace and span ids of links
 * types    of the five attribute tables, one byte each; bit 7 set = the two words are in `wide`
 * wide     two words for each such attribute, table by table
 * numbers  the number columns
 * bytes    of the strings, then the heap
 * ```
 *
 * Number columns are derived from the batch's so that they become narrow: run lengths in place of ends, times as distances
 * from the earliest start and from the span's own start (modulo 2^64, hence lossless), doubles and large integers moved to
 * `wide`. One column of each table (marked `kept`) is never absent, so that a count cannot claim more rows than there are bytes.
 */

/** "CLWB" read as a little-endian word. */
export const PACK_MAGIC = 0x4257_4c43;
/** Raised when the layout changes; readers refuse versions they do not know. */
export const PACK_VERSION = 1;

/** Indexes into the header's counts. */
export const PackCount = Object.freeze({
  SPANS: 0,
  EVENTS: 1,
  LINKS: 2,
  SCOPES: 3,
  RESOURCES: 4,
  STRINGS: 5,
  STRING_BYTES: 6,
  HEAP_BYTES: 7,
  /** Rows of the five attribute tables, in the order of `AttributeLevel`. */
  ATTRIBUTES: 8,
  /** How many of them have their words in `wide`. */
  WIDE: 13,
} as const);
/** Number of counts in the header. */
export const PACK_COUNTS = 18;

/** Offset of the counts in the header. */
export const COUNTS_OFFSET = 12;
/** Offset of the base time. */
export const BASE_TIME_OFFSET = COUNTS_OFFSET + PACK_COUNTS * 4;
/** Offset of the id modes. */
export const ID_MODES_OFFSET = BASE_TIME_OFFSET + 8;
/** Number of id columns: trace, span, parent; link trace, link span. */
export const ID_COLUMNS = 5;

/** How an id column is kept. */
export const IdMode = Object.freeze({ ABSENT: 0, CONSTANT: 1, EACH: 2 } as const);

/** Bit 7 of an attribute's type byte. */
export const WIDE_BIT = 0x80;

/** Number columns in file order. `of` indexes the header's counts and says how many values the column has. */
export const numberColumns = [
  { name: 'start low', of: PackCount.SPANS },
  { name: 'start high', of: PackCount.SPANS },
  { name: 'duration low', of: PackCount.SPANS },
  { name: 'duration high', of: PackCount.SPANS },
  { name: 'name', of: PackCount.SPANS },
  { name: 'kind', of: PackCount.SPANS },
  { name: 'status code', of: PackCount.SPANS },
  { name: 'status message', of: PackCount.SPANS },
  { name: 'trace state', of: PackCount.SPANS },
  { name: 'flags', of: PackCount.SPANS },
  { name: 'scope', of: PackCount.SPANS },
  { name: 'dropped attributes', of: PackCount.SPANS },
  { name: 'dropped events', of: PackCount.SPANS },
  { name: 'dropped links', of: PackCount.SPANS },
  { name: 'attribute run', of: PackCount.SPANS, kept: true },
  { name: 'event run', of: PackCount.SPANS },
  { name: 'link run', of: PackCount.SPANS },
  { name: 'event time low', of: PackCount.EVENTS },
  { name: 'event time high', of: PackCount.EVENTS },
  { name: 'event name', of: PackCount.EVENTS },
  { name: 'event dropped', of: PackCount.EVENTS },
  { name: 'event attribute run', of: PackCount.EVENTS, kept: true },
  { name: 'link state', of: PackCount.LINKS },
  { name: 'link flags', of: PackCount.LINKS },
  { name: 'link dropped', of: PackCount.LINKS },
  { name: 'link attribute run', of: PackCount.LINKS, kept: true },
  { name: 'scope resource', of: PackCount.SCOPES },
  { name: 'scope name', of: PackCount.SCOPES },
  { name: 'scope version', of: PackCount.SCOPES },
  { name: 'scope schema', of: PackCount.SCOPES },
  { name: 'scope dropped', of: PackCount.SCOPES },
  { name: 'scope attribute run', of: PackCount.SCOPES, kept: true },
  { name: 'resource schema', of: PackCount.RESOURCES },
  { name: 'resource dropped', of: PackCount.RESOURCES },
  { name: 'resource attribute run', of: PackCount.RESOURCES, kept: true },
  { name: 'entity refs offset', of: PackCount.RESOURCES },
  { name: 'entity refs length', of: PackCount.RESOURCES },
  { name: 'string length', of: PackCount.STRINGS, kept: true },
  { name: 'attribute key', of: PackCount.ATTRIBUTES },
  { name: 'attribute low', of: PackCount.ATTRIBUTES },
  { name: 'attribute high', of: PackCount.ATTRIBUTES },
  { name: 'event attribute key', of: PackCount.ATTRIBUTES + 1 },
  { name: 'event attribute low', of: PackCount.ATTRIBUTES + 1 },
  { name: 'event attribute high', of: PackCount.ATTRIBUTES + 1 },
  { name: 'link attribute key', of: PackCount.ATTRIBUTES + 2 },
  { name: 'link attribute low', of: PackCount.ATTRIBUTES + 2 },
  { name: 'link attribute high', of: PackCount.ATTRIBUTES + 2 },
  { name: 'scope attribute key', of: PackCount.ATTRIBUTES + 3 },
  { name: 'scope attribute low', of: PackCount.ATTRIBUTES + 3 },
  { name: 'scope attribute high', of: PackCount.ATTRIBUTES + 3 },
  { name: 'resource attribute key', of: PackCount.ATTRIBUTES + 4 },
  { name: 'resource attribute low', of: PackCount.ATTRIBUTES + 4 },
  { name: 'resource attribute high', of: PackCount.ATTRIBUTES + 4 },
] as const satisfies readonly { readonly name: string; readonly of: number; readonly kept?: true }[];

/** First number column of each table. */
export const Column = Object.freeze({
  SPANS: 0,
  EVENTS: 17,
  LINKS: 22,
  SCOPES: 26,
  RESOURCES: 32,
  STRINGS: 37,
  ATTRIBUTES: 38,
} as const);

/** Whether each number column is never absent. */
export const keptColumns: readonly boolean[] = numberColumns.map((column) => 'kept' in column);

/** Offset of the widths. */
export const WIDTHS_OFFSET = ID_MODES_OFFSET + ID_COLUMNS;
/** Bytes of everything before the ids. */
export const HEADER_BYTES = WIDTHS_OFFSET + Math.ceil(numberColumns.length / 4);

/** Bytes a value takes for each two-bit width. */
export const widthBytes: readonly number[] = [0, 1, 2, 4];

/** The five attribute tables in the order of `AttributeLevel`. */
export function attributeTables(batch: SpanBatch): readonly AttributeTable[] {
  return [batch.spanAttrs, batch.eventAttrs, batch.linkAttrs, batch.scopeAttrs, batch.resourceAttrs];
}
