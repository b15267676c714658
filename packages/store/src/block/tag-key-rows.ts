import type { AttributeTable, StringTable } from '@clew/model';

import type { TagScope } from '../schema/tables.ts';
import { Announcements } from './announcements.ts';
import { nativeBlock, type NamedColumn } from './native-block.ts';
import { ByteColumn, DictionaryColumn, ShortColumn, StringColumn } from './native-columns.ts';
import type { TableBlock } from './table-block.ts';

/**
 * Rows of `tag_keys` that are no keys: they tell readers what they may not conclude. Scope 0, an empty key, and as type one of these.
 */
export const TagNote = Object.freeze({
  /** More keys exist than are listed: an absent key proves nothing. */
  MORE_KEYS: 1,
  /** Some span has a hot attribute that its column does not show (`HotBit.MIXED`). */
  MIXED: 2,
  /** Some span's slot is not that of its start (`ODD_SLOT`). */
  ODD_TIMES: 3,
  /** Some span has one key twice with string values: `a_str[key]` shows only the first. */
  REPEATED_KEYS: 4,
} as const);
const NOTES = [TagNote.MIXED, TagNote.ODD_TIMES, TagNote.REPEATED_KEYS];

/** Distinct keys listed for one tenant and day. */
const DEFAULT_MAX_KEYS = 10_000;
/** The greatest `TagScope`; a byte has a bit for each. */
const SCOPES = 8;

/**
 * Rows of `tag_keys`: which attribute keys occur on which level with which type, once a day. Complete or marked as incomplete, so that a search
 * looks only where a key can be. A hot path, guarded by `bench/block`: an attribute seen before costs one load.
 */
export class TagKeyRows {
  readonly #strings: StringTable;
  readonly #announced = new Announcements();
  readonly #maxKeys: number;
  /** Keys listed by day and tenant: those stored, and those of the segment being built. */
  readonly #storedCounts = new Map<string, number>();
  #pendingCounts = new Map<string, number>();
  /** What the current tenant, and the others of the segment, have. */
  #current = new TenantMarks(0);
  #tenants = new Map<number, TenantMarks>();
  readonly #tenant: DictionaryColumn;
  readonly #day = new ShortColumn();
  readonly #scope = new ByteColumn('UInt8');
  readonly #type = new ByteColumn('UInt8');
  readonly #key = new StringColumn();
  #rows = 0;

  constructor(strings: StringTable, maxKeys: number = DEFAULT_MAX_KEYS) {
    this.#strings = strings;
    this.#maxKeys = maxKeys;
    this.#tenant = new DictionaryColumn(strings);
  }

  /** Makes ready for the next segment. Rows that were not confirmed will be written again. */
  clear(): void {
    this.#announced.discard();
    this.#pendingCounts = new Map();
    this.#tenants = new Map();
    this.#current = new TenantMarks(0);
    this.#clearRows();
  }

  #clearRows(): void {
    this.#rows = 0;
    for (const { column } of this.#columns()) column.clear();
  }

  /** Says whose spans follow: an entry of the string table. */
  begin(tenant: number): void {
    if (this.#current.tenant === tenant) return;
    let marks = this.#tenants.get(tenant);
    if (marks === undefined) this.#tenants.set(tenant, (marks = new TenantMarks(tenant)));
    this.#current = marks;
  }

  /** The current tenant has spans of that day. */
  markDay(day: number): void {
    this.#current.days.add(day);
  }

  /** Readers have to know something about the current tenant's spans. */
  markNote(note: number): void {
    this.#current.notes |= 1 << note;
  }

  /** Marks the keys of attributes `[start, end)` for the current tenant. */
  mark(scope: TagScope, table: AttributeTable, start: number, end: number, keyMap: Uint32Array): void {
    const { keys, types } = table;
    const { bits } = this.#current;
    const bit = scope - 1;
    for (let i = start; i < end; i++) {
      const at = keyMap[keys[i]!]! * 8 + types[i]!;
      if (at >= bits.length || ((bits[at]! >>> bit) & 1) === 0) this.#current.set(at, bit);
    }
  }

  /** Marks a key, an entry of the string table, as occurring with a type. */
  markKey(scope: TagScope, key: number, type: number): void {
    const { bits } = this.#current;
    const at = key * 8 + type;
    if (at >= bits.length || ((bits[at]! >>> (scope - 1)) & 1) === 0) this.#current.set(at, scope - 1);
  }

  /** The block of what was marked since `clear` and is not stored already, if anything. */
  block(): TableBlock | undefined {
    this.#announced.discard();
    this.#pendingCounts = new Map();
    this.#clearRows();
    for (const marks of this.#tenants.values()) this.#writeTenant(marks);
    return this.#rows === 0 ? undefined : nativeBlock('tag_keys', this.#columns(), this.#rows);
  }

  #writeTenant(marks: TenantMarks): void {
    const { tenant } = marks;
    const name = this.#strings.text(tenant);
    for (const day of marks.days) {
      for (const note of NOTES) if (((marks.notes >>> note) & 1) === 1) this.#writeNote(tenant, name, day, note);
      for (const at of marks.touched) {
        for (let bit = 0; bit < SCOPES; bit++) {
          if (((marks.bits[at]! >>> bit) & 1) === 1) this.#writeKey(tenant, name, day, bit + 1, at & 7, at >>> 3);
        }
      }
    }
  }

  #writeNote(tenant: number, tenantName: string, day: number, note: number): void {
    if (this.#announced.announce(day, `0.${note}.${tenantName}`)) this.#push(tenant, day, 0, note, 0);
  }

  #writeKey(tenant: number, tenantName: string, day: number, scope: number, type: number, key: number): void {
    const id = `${scope}.${type}.${tenantName}\0${keyText(this.#strings, key)}`;
    const counter = `${day}.${tenantName}`;
    const pending = this.#pendingCounts.get(counter) ?? 0;
    if (pending + (this.#storedCounts.get(counter) ?? 0) >= this.#maxKeys) {
      // Known keys stay known; whether this one is among them no longer matters.
      this.#writeNote(tenant, tenantName, day, TagNote.MORE_KEYS);
      return;
    }
    if (!this.#announced.announce(day, id)) return;
    this.#pendingCounts.set(counter, pending + 1);
    this.#push(tenant, day, scope, type, key);
  }

  #push(tenant: number, day: number, scope: number, type: number, key: number): void {
    const row = this.#rows++;
    this.#day.reserve(this.#rows);
    this.#scope.reserve(this.#rows);
    this.#type.reserve(this.#rows);
    this.#day.values[row] = day;
    this.#scope.values[row] = scope;
    this.#type.values[row] = type;
    this.#tenant.push(tenant);
    this.#key.sink.string(this.#strings.bytes, this.#strings.start(key), this.#strings.ends[key]!);
  }

  /** The rows of the last block are stored. */
  confirm(): void {
    this.#announced.confirm();
    for (const [counter, count] of this.#pendingCounts) {
      this.#storedCounts.set(counter, (this.#storedCounts.get(counter) ?? 0) + count);
    }
    this.#pendingCounts = new Map();
  }

  /** The partition of a day is gone. */
  forgetDay(day: number): void {
    this.#announced.forgetDay(day);
    for (const counter of this.#storedCounts.keys()) {
      if (counter.startsWith(`${day}.`)) this.#storedCounts.delete(counter);
    }
  }

  #columns(): NamedColumn[] {
    return [
      { name: 'tenant', column: this.#tenant },
      { name: 'day', column: this.#day },
      { name: 'scope', column: this.#scope },
      { name: 'type', column: this.#type },
      { name: 'key', column: this.#key },
    ];
  }
}

/** What the spans of one tenant in a segment have. */
class TenantMarks {
  readonly tenant: number;
  readonly days = new Set<number>();
  /** A bit for each `TagNote`. */
  notes = 0;
  /** By string table entry times eight plus value type: a bit for each scope. */
  bits: Uint8Array = new Uint8Array(4096);
  /** Indexes of `bits` that are not zero. */
  readonly touched: number[] = [];

  constructor(tenant: number) {
    this.tenant = tenant;
  }

  set(at: number, bit: number): void {
    if (at >= this.bits.length) {
      let { length } = this.bits;
      while (length <= at) length *= 2;
      const bits = new Uint8Array(length);
      bits.set(this.bits);
      this.bits = bits;
    }
    if (this.bits[at] === 0) this.touched.push(at);
    this.bits[at]! |= 1 << bit;
  }
}

/** A key's bytes as text, one character a byte: keys that differ only in invalid UTF-8 must stay different. */
function keyText(strings: StringTable, key: number): string {
  return Buffer.from(strings.bytes.subarray(strings.start(key), strings.ends[key])).toString('latin1');
}
