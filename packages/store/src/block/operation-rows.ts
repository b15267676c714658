import type { StringTable } from '@clew/model';

import { Announcements } from './announcements.ts';
import { nativeBlock } from './native-block.ts';
import { ByteColumn, DictionaryColumn, ShortColumn, StringColumn } from './native-columns.ts';
import type { TableBlock } from './table-block.ts';

/** Words of one entry: tenant, day, service, name, kind. */
const WORDS = 5;

/**
 * Rows of `services` and `operations`: which services sent spans of which names and kinds, once a day. Written here and not by a view, because a
 * view would make a part of its own for every segment, however little is new. A hot path, guarded by `bench/block`: a span whose operation was
 * seen in the segment costs one lookup.
 */
export class OperationRows {
  readonly #strings: StringTable;
  readonly #announcedServices = new Announcements();
  readonly #announcedOperations = new Announcements();
  #entries: Uint32Array = new Uint32Array(256 * WORDS);
  #count = 0;
  #slots: Uint32Array = new Uint32Array(512);
  readonly #serviceTenant: DictionaryColumn;
  readonly #serviceDay = new ShortColumn();
  readonly #service: DictionaryColumn;
  #serviceRows = 0;
  readonly #tenant: DictionaryColumn;
  readonly #day = new ShortColumn();
  readonly #operationService: DictionaryColumn;
  readonly #name = new StringColumn();
  readonly #kind = new ByteColumn('UInt8');
  #rows = 0;

  constructor(strings: StringTable) {
    this.#strings = strings;
    this.#serviceTenant = new DictionaryColumn(strings);
    this.#service = new DictionaryColumn(strings);
    this.#tenant = new DictionaryColumn(strings);
    this.#operationService = new DictionaryColumn(strings);
  }

  /** Makes ready for the next segment. Rows that were not confirmed will be written again. */
  clear(): void {
    this.#announcedServices.discard();
    this.#announcedOperations.discard();
    this.#count = 0;
    this.#slots.fill(0);
    this.#clearRows();
  }

  #clearRows(): void {
    this.#serviceRows = 0;
    this.#rows = 0;
    for (const column of [this.#serviceTenant, this.#service, this.#tenant, this.#operationService]) column.clear();
    this.#name.clear();
  }

  /** Notes the operation of a span; tenant, service and name are entries of the string table. */
  mark(tenant: number, day: number, service: number, name: number, kind: number): void {
    const mask = this.#slots.length - 1;
    const entries = this.#entries;
    for (let slot = mixed(tenant, day, service, name, kind) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) {
        this.#add(slot, tenant, day, service, name, kind);
        return;
      }
      const at = entry * WORDS;
      const isSame =
        entries[at + 3] === name &&
        entries[at + 2] === service &&
        entries[at + 4] === kind &&
        entries[at + 1] === day &&
        entries[at] === tenant;
      if (isSame) return;
    }
  }

  #add(slot: number, tenant: number, day: number, service: number, name: number, kind: number): void {
    const at = this.#count++ * WORDS;
    if (at + WORDS > this.#entries.length) {
      const grown = new Uint32Array(this.#entries.length * 2);
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries.set([tenant, day, service, name, kind], at);
    this.#slots[slot] = this.#count;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    const entries = this.#entries;
    for (let entry = 0; entry < this.#count; entry++) {
      const at = entry * WORDS;
      let slot = mixed(entries[at]!, entries[at + 1]!, entries[at + 2]!, entries[at + 3]!, entries[at + 4]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }

  /** The blocks of what was marked since `clear` and is not stored already. */
  blocks(): TableBlock[] {
    this.#announcedServices.discard();
    this.#announcedOperations.discard();
    this.#clearRows();
    for (let entry = 0; entry < this.#count; entry++) this.#write(entry * WORDS);
    const blocks: TableBlock[] = [];
    if (this.#serviceRows > 0) blocks.push(this.#serviceBlock());
    if (this.#rows > 0) blocks.push(this.#operationBlock());
    return blocks;
  }

  #write(at: number): void {
    const entries = this.#entries;
    const tenant = entries[at]!;
    const day = entries[at + 1]!;
    const service = entries[at + 2]!;
    const name = entries[at + 3]!;
    const kind = entries[at + 4]!;
    const owner = `${this.#bytesText(tenant)}\0${this.#bytesText(service)}`;
    if (this.#announcedServices.announce(day, owner)) this.#pushService(tenant, day, service);
    if (!this.#announcedOperations.announce(day, `${kind}.${owner}\0${this.#bytesText(name)}`)) return;
    const row = this.#rows++;
    this.#day.reserve(this.#rows);
    this.#kind.reserve(this.#rows);
    this.#day.values[row] = day;
    this.#kind.values[row] = kind;
    this.#tenant.push(tenant);
    this.#operationService.push(service);
    this.#name.sink.string(this.#strings.bytes, this.#strings.start(name), this.#strings.ends[name]!);
  }

  #pushService(tenant: number, day: number, service: number): void {
    const row = this.#serviceRows++;
    this.#serviceDay.reserve(this.#serviceRows);
    this.#serviceDay.values[row] = day;
    this.#serviceTenant.push(tenant);
    this.#service.push(service);
  }

  #serviceBlock(): TableBlock {
    const columns = [
      { name: 'tenant', column: this.#serviceTenant },
      { name: 'day', column: this.#serviceDay },
      { name: 'service', column: this.#service },
    ];
    return nativeBlock('services', columns, this.#serviceRows);
  }

  #operationBlock(): TableBlock {
    const columns = [
      { name: 'tenant', column: this.#tenant },
      { name: 'day', column: this.#day },
      { name: 'service', column: this.#operationService },
      { name: 'name', column: this.#name },
      { name: 'kind', column: this.#kind },
    ];
    return nativeBlock('operations', columns, this.#rows);
  }

  /** The rows of the last blocks are stored. */
  confirm(): void {
    this.#announcedServices.confirm();
    this.#announcedOperations.confirm();
  }

  /** The names of a day are gone, or some of them may be. */
  forgetDay(day: number): void {
    this.#announcedServices.forgetDay(day);
    this.#announcedOperations.forgetDay(day);
  }

  /** An entry's bytes, one character a byte: names that differ only in invalid UTF-8 must stay different. */
  #bytesText(entry: number): string {
    const { bytes, ends } = this.#strings;
    return Buffer.from(bytes.subarray(this.#strings.start(entry), ends[entry])).toString('latin1');
  }
}

function mixed(tenant: number, day: number, service: number, name: number, kind: number): number {
  let hash =
    Math.imul(name, 0x9e3779b1) ^ Math.imul(service, 0x85ebca6b) ^ Math.imul(day * 8 + kind, 0xc2b2ae35) ^ tenant;
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 8;
}
