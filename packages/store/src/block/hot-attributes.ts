import { ValueType, type AttributeTable, type StringTable } from '@clew/model';

import { StoreError } from '../errors.ts';

/**
 * Columns of their own for what people filter by all day, filled under either spelling of the OpenTelemetry conventions
 * (https://opentelemetry.io/docs/specs/semconv/non-normative/http-migration/ and its siblings for databases).
 *
 * `hot` says what a column's value is worth: bit 2c is set when the current spelling of concept c is present with the column's value, bit 2c+1
 * when the old one is. A value the column cannot show (another type, a second value) sets `MIXED` instead, and readers who must be exact look
 * into the maps of such rows.
 */
export const HOT_CONCEPTS = Object.freeze([
  { column: 'http_method', current: 'http.request.method', old: 'http.method' },
  { column: 'http_route', current: 'http.route', old: undefined },
  { column: 'http_status', current: 'http.response.status_code', old: 'http.status_code' },
  { column: 'db_system', current: 'db.system.name', old: 'db.system' },
  { column: 'rpc_service', current: 'rpc.service', old: undefined },
  { column: 'msg_system', current: 'messaging.system', old: undefined },
] as const);

/** Number of the concept whose column is a number. */
export const HTTP_STATUS_CONCEPT = 2;
/** Hot keys are interned into an empty string table, so their entries are all below this. */
const MAX_HOT_ENTRY = 32;
/** Number standing for the attribute `error` among concepts. */
const ERROR_CONCEPT = 6;

/** Bits of the column `hot` beside those of the concepts. */
export const HotBit = Object.freeze({
  /** The status code came as text of decimal digits. */
  STATUS_AS_TEXT: 1 << 12,
  /** Some concept has a value that its column does not show. */
  MIXED: 1 << 13,
  /** The span failed: status error, or an attribute `error` that is true. */
  ERROR: 1 << 14,
} as const);

/**
 * Finds the hot attributes of one span; reused for every span. The text of concept c lies in the batch's heap at `starts[c]`, `lengths[c]`
 * bytes long. A hot path, guarded by `bench/block`.
 */
export class HotAttributes {
  /** The bits of `hot` of the last span. */
  bits = 0;
  /** Value of `http_status`, 0 when absent. */
  status = 0;
  /** Offsets in the heap of the text of each concept; -1 when absent. */
  readonly starts = new Int32Array(HOT_CONCEPTS.length);
  readonly lengths = new Uint32Array(HOT_CONCEPTS.length);
  /** `2 * concept + spelling + 1` by entry of the string table, 0 for every other key. */
  readonly #kinds = new Uint8Array(MAX_HOT_ENTRY);

  /** Looks the keys up in `strings`, anew for each segment: entries are numbered from nothing. */
  resolve(strings: StringTable): void {
    this.#kinds.fill(0);
    HOT_CONCEPTS.forEach((concept, number) => {
      this.#set(strings.internText(concept.current), number * 2 + 1);
      if (concept.old !== undefined) this.#set(strings.internText(concept.old), number * 2 + 2);
    });
    this.#set(strings.internText('error'), ERROR_CONCEPT * 2 + 1);
  }

  #set(index: number, kind: number): void {
    if (index >= MAX_HOT_ENTRY)
      throw new StoreError('invalid_argument', `hot key ${index}: keys must be resolved before any other string`);
    this.#kinds[index] = kind;
  }

  /** Reads attributes `[start, end)` of one span. */
  read(table: AttributeTable, heap: Uint8Array, start: number, end: number, keyMap: Uint32Array): void {
    this.bits = 0;
    this.status = 0;
    this.starts.fill(-1);
    const kinds = this.#kinds;
    const { keys } = table;
    for (let i = start; i < end; i++) {
      const key = keyMap[keys[i]!]!;
      if (key < MAX_HOT_ENTRY && kinds[key] !== 0)
        this.#note(kinds[key]! - 1, table.types[i]!, heap, table.lo[i]!, table.hi[i]!);
    }
  }

  #note(kind: number, type: number, heap: Uint8Array, lo: number, hi: number): void {
    const concept = kind >>> 1;
    if (concept === ERROR_CONCEPT) {
      if (isTrue(type, heap, lo, hi)) this.bits |= HotBit.ERROR;
    } else if (concept === HTTP_STATUS_CONCEPT) {
      this.#noteStatus(kind, type, heap, lo, hi);
    } else if (type !== ValueType.STRING) {
      this.bits |= HotBit.MIXED;
    } else if (this.starts[concept]! < 0) {
      this.starts[concept] = lo;
      this.lengths[concept] = hi;
      this.bits |= 1 << kind;
    } else if (sameBytes(heap, this.starts[concept]!, this.lengths[concept]!, lo, hi)) {
      this.bits |= 1 << kind;
    } else {
      this.bits |= HotBit.MIXED;
    }
  }

  #noteStatus(kind: number, type: number, heap: Uint8Array, lo: number, hi: number): void {
    const asText = type === ValueType.STRING;
    const status = asText
      ? decimal(heap, lo, hi)
      : type === ValueType.INT
        ? hi === 0 && lo <= 0xffff
          ? lo
          : 0
        : type === ValueType.DOUBLE
          ? integerOf(lo, hi)
          : 0;
    const wasText = (this.bits & HotBit.STATUS_AS_TEXT) !== 0;
    if (status === 0 || (this.status !== 0 && (this.status !== status || wasText !== asText))) {
      this.bits |= HotBit.MIXED;
      return;
    }
    this.status = status;
    this.bits |= (1 << kind) | (asText ? HotBit.STATUS_AS_TEXT : 0);
  }
}

function isTrue(type: number, heap: Uint8Array, lo: number, hi: number): boolean {
  if (type === ValueType.BOOL) return lo === 1;
  return (
    type === ValueType.STRING &&
    hi === 4 &&
    heap[lo] === 0x74 &&
    heap[lo + 1] === 0x72 &&
    heap[lo + 2] === 0x75 &&
    heap[lo + 3] === 0x65
  );
}

const doubleWords = new Uint32Array(2);
const double = new Float64Array(doubleWords.buffer);

/** The integer from 1 to 65535 that a double of two words is, else 0. Clients that know no integers send status codes so. */
function integerOf(lo: number, hi: number): number {
  doubleWords[0] = lo;
  doubleWords[1] = hi;
  const value = double[0]!;
  return value >= 1 && value <= 0xffff && value === Math.trunc(value) ? value : 0;
}

/** The number of one to five decimal digits without leading zeros, at most 65535; else 0. */
function decimal(heap: Uint8Array, offset: number, length: number): number {
  if (length === 0 || length > 5 || heap[offset] === 0x30) return 0;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = heap[offset + i]! - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value <= 0xffff ? value : 0;
}

function sameBytes(heap: Uint8Array, aStart: number, aLength: number, bStart: number, bLength: number): boolean {
  if (aLength !== bLength) return false;
  for (let i = 0; i < aLength; i++) if (heap[aStart + i] !== heap[bStart + i]) return false;
  return true;
}
