import { hash } from 'node:crypto';

import { ValueType, type AttributeTable, type SpanBatch, type StringTable } from '@clew/model';

import { TagScope } from '../schema/tables.ts';
import { Announcements } from './announcements.ts';
import { AttributeColumns } from './attribute-columns.ts';
import { ByteSink } from './byte-sink.ts';
import { ContentTable } from './content-table.ts';
import { writeResourceExtra } from './extra.ts';
import { LeafWriter } from './leaf-writer.ts';
import { nativeBlock, type NamedColumn } from './native-block.ts';
import { DictionaryColumn, ShortColumn, StringColumn, WordColumn } from './native-columns.ts';
import type { TableBlock } from './table-block.ts';
import type { TagKeyRows } from './tag-key-rows.ts';

const SERVICE_NAME = new TextEncoder().encode('service.name');

/** Where a pair of resource and scope occurs. */
export interface PairOrigin {
  readonly batch: SpanBatch;
  readonly scope: number;
  /** The builder's entry for each string of the batch. */
  readonly stringMap: Uint32Array;
}

/** Contents remembered between segments, in bytes. */
const MAX_CONTENT_BYTES = 16 * 1024 * 1024;

/**
 * Rows of `resources`: each distinct pair of resource and scope of a tenant, once a day. A pair is identified by 64 bits of the SHA-256 of its
 * content, so the same pair gets the same id in every process and for ever; two pairs among a million meet with probability 3e-8. A hot path
 * for its callers, guarded by `bench/block`: a pair seen before costs one lookup by content.
 *
 * `identify` numbers the pair; the arrays are indexed by that number, which is valid until `clear`.
 */
export class ResourceRows {
  /** Two words a pair: low and high half of its id. */
  ids: Uint32Array = new Uint32Array(256);
  /** Service name of each pair as an entry of the builder's string table; 0 when it has none. */
  services: Uint32Array = new Uint32Array(128);
  readonly #strings: StringTable;
  readonly #announced = new Announcements();
  readonly #contents = new ContentTable();
  /** Day for which a pair was written last in this segment, plus one. */
  #writtenDay: Uint32Array = new Uint32Array(128);
  /** Segment in which `services` was filled. */
  #segmentOf: Uint32Array = new Uint32Array(128);
  #segment = 1;
  readonly #content = new ByteSink(1024);
  readonly #tenant: DictionaryColumn;
  readonly #day = new ShortColumn();
  readonly #id = new WordColumn('UInt64', 2);
  readonly #service: DictionaryColumn;
  readonly #resource: AttributeColumns;
  readonly #scopeName: DictionaryColumn;
  readonly #scopeVersion: DictionaryColumn;
  readonly #scope: AttributeColumns;
  readonly #extra = new StringColumn();
  #rows = 0;

  constructor(strings: StringTable, tagKeys: TagKeyRows) {
    const leaves = new LeafWriter(strings, tagKeys, TagScope.resourceLeaf, { withElements: false });
    this.#strings = strings;
    this.#tenant = new DictionaryColumn(strings);
    this.#service = new DictionaryColumn(strings);
    this.#resource = new AttributeColumns(strings, leaves);
    this.#scopeName = new DictionaryColumn(strings);
    this.#scopeVersion = new DictionaryColumn(strings);
    this.#scope = new AttributeColumns(strings, leaves);
  }

  /** Makes ready for the next segment. Rows that were not confirmed will be written again. */
  clear(): void {
    this.#announced.discard();
    this.#rows = 0;
    this.#segment++;
    if (this.#contents.byteLength > MAX_CONTENT_BYTES) {
      this.#contents.clear();
      this.#segmentOf.fill(0);
    }
    for (const { column } of this.#columns()) column.clear();
  }

  /** The number of the pair that a scope of the batch makes with its resource. */
  identify(batch: SpanBatch, scope: number, tenant: number): number {
    const { scopeTable, resourceTable } = batch;
    const resource = scopeTable.resources[scope]!;
    const content = this.#content;
    content.clear();
    writeString(content, this.#strings, tenant);
    writeResourceExtra(content, batch, resource, scope);
    writeString(content, batch.strings, scopeTable.names[scope]!);
    writeString(content, batch.strings, scopeTable.versions[scope]!);
    const from = resource === 0 ? 0 : resourceTable.attrEnd[resource - 1]!;
    const to = resourceTable.attrEnd[resource]!;
    writeAttributes(content, batch, batch.resourceAttrs, from, to);
    const scopeFrom = scope === 0 ? 0 : scopeTable.attrEnd[scope - 1]!;
    writeAttributes(content, batch, batch.scopeAttrs, scopeFrom, scopeTable.attrEnd[scope]!);
    const known = this.#contents.count;
    const pair = this.#contents.intern(content);
    if (pair === known) this.#addPair(pair);
    if (this.#segmentOf[pair] !== this.#segment) {
      this.#segmentOf[pair] = this.#segment;
      this.#writtenDay[pair] = 0;
      this.services[pair] = this.#serviceOf(batch, from, to);
    }
    return pair;
  }

  #addPair(pair: number): void {
    if (pair >= this.services.length) {
      this.services = doubled(this.services);
      this.ids = doubled(this.ids);
      this.#writtenDay = doubled(this.#writtenDay);
      this.#segmentOf = doubled(this.#segmentOf);
    }
    const digest = hash('sha256', this.#content.view(), 'buffer');
    this.ids[pair * 2] = digest.readUInt32LE(0);
    this.ids[pair * 2 + 1] = digest.readUInt32LE(4);
    this.#segmentOf[pair] = 0;
  }

  #serviceOf(batch: SpanBatch, from: number, to: number): number {
    const { keys, types, lo, hi } = batch.resourceAttrs;
    for (let i = from; i < to; i++) {
      if (types[i] !== ValueType.STRING || !batch.strings.equals(keys[i]!, SERVICE_NAME, 0, SERVICE_NAME.length))
        continue;
      return this.#strings.intern(batch.heap, lo[i]!, lo[i]! + hi[i]!);
    }
    return 0;
  }

  /** Writes the row of a pair, unless it is stored for that day already; says whether it did. `origin` is a place where the pair occurs. */
  announce(pair: number, day: number, tenant: number, origin: PairOrigin): boolean {
    if (this.#writtenDay[pair] === day + 1) return false;
    this.#writtenDay[pair] = day + 1;
    const id = `${this.ids[pair * 2 + 1]!.toString(36)}.${this.ids[pair * 2]!.toString(36)}`;
    if (!this.#announced.announce(day, id)) return false;
    const { batch, scope, stringMap } = origin;
    const { scopeTable, resourceTable } = batch;
    const resource = scopeTable.resources[scope]!;
    const row = this.#rows++;
    this.#day.reserve(this.#rows);
    this.#day.values[row] = day;
    this.#tenant.push(tenant);
    this.#id.push(this.ids[pair * 2]!, this.ids[pair * 2 + 1]!);
    this.#service.push(this.services[pair]!);
    const from = resource === 0 ? 0 : resourceTable.attrEnd[resource - 1]!;
    const to = resourceTable.attrEnd[resource]!;
    this.#resource.writeRow(batch.resourceAttrs, batch.heap, from, to, stringMap);
    this.#scopeName.push(stringMap[scopeTable.names[scope]!]!);
    this.#scopeVersion.push(stringMap[scopeTable.versions[scope]!]!);
    const scopeFrom = scope === 0 ? 0 : scopeTable.attrEnd[scope - 1]!;
    this.#scope.writeRow(batch.scopeAttrs, batch.heap, scopeFrom, scopeTable.attrEnd[scope]!, stringMap);
    this.#content.clear();
    writeResourceExtra(this.#content, batch, resource, scope);
    this.#extra.sink.string(this.#content.bytes, 0, this.#content.length);
    return true;
  }

  /** The rows written since `clear` are stored. */
  confirm(): void {
    this.#announced.confirm();
  }

  /** The partition of a day is gone. */
  forgetDay(day: number): void {
    this.#announced.forgetDay(day);
  }

  /** The block of the rows written since `clear`, if any. */
  block(): TableBlock | undefined {
    return this.#rows === 0 ? undefined : nativeBlock('resources', this.#columns(), this.#rows);
  }

  #columns(): NamedColumn[] {
    return [
      { name: 'tenant', column: this.#tenant },
      { name: 'day', column: this.#day },
      { name: 'res_id', column: this.#id },
      { name: 'service', column: this.#service },
      ...namedAttributeColumns('r', this.#resource),
      { name: 'scope_name', column: this.#scopeName },
      { name: 'scope_version', column: this.#scopeVersion },
      ...namedAttributeColumns('s', this.#scope),
      { name: 'extra', column: this.#extra },
    ];
  }
}

/** The six maps under their names in a table. */
export function namedAttributeColumns(prefix: string, attributes: AttributeColumns): NamedColumn[] {
  const suffixes = ['str', 'int', 'dbl', 'bool', 'arr', 'other'];
  return attributes.columns.map((column, i) => ({ name: `${prefix}_${suffixes[i]!}`, column }));
}

function writeString(sink: ByteSink, strings: StringTable, index: number): void {
  sink.string(strings.bytes, strings.start(index), strings.ends[index]!);
}

/** Every attribute as count, then key, type and value: different content never gives the same bytes. */
function writeAttributes(sink: ByteSink, batch: SpanBatch, table: AttributeTable, from: number, to: number): void {
  sink.varint(to - from);
  for (let i = from; i < to; i++) {
    writeString(sink, batch.strings, table.keys[i]!);
    const type = table.types[i]!;
    sink.byte(type);
    const isBytes =
      type === ValueType.STRING || type === ValueType.BYTES || type === ValueType.ARRAY || type === ValueType.KVLIST;
    if (isBytes) {
      sink.string(batch.heap, table.lo[i]!, table.lo[i]! + table.hi[i]!);
    } else {
      sink.word(table.lo[i]!);
      sink.word(table.hi[i]!);
    }
  }
}

function doubled(from: Uint32Array): Uint32Array {
  const to = new Uint32Array(from.length * 2);
  to.set(from);
  return to;
}
