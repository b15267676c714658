import { SpanBatch } from '@clew/model';

import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import {
  attributeMaps,
  dictionaryOf,
  DictionaryStrings,
  fixedOf,
  readAttributes,
  stringsOf,
  wordAt,
} from './attribute-reader.ts';
import { ExtraReader } from './extra-reader.ts';
import { readNativeBlocks, type NativeBlock } from './native-reader.ts';
import { readAll } from './read-all.ts';
import { Sql } from './sql.ts';

/** Resources kept decoded; the least recently asked for go first. */
const MAX_CACHED = 20_000;

/**
 * Resources with their scopes, by id. They never change once stored, so they are kept decoded: each as a batch of no spans, one resource and
 * one scope.
 */
export class ResourceCache {
  readonly #client: SqlClient;
  readonly #cached = new Map<string, SpanBatch>();

  constructor(client: SqlClient) {
    this.#client = client;
  }

  /** The resources of a tenant by id (decimal). Ids that are not stored are missing in the answer. */
  async load(tenant: string, ids: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, SpanBatch>> {
    const found = new Map<string, SpanBatch>();
    const missing: string[] = [];
    for (const id of ids) {
      const key = `${id} ${tenant}`;
      const cached = this.#cached.get(key);
      if (cached === undefined) {
        missing.push(id);
        continue;
      }
      this.#cached.delete(key);
      this.#cached.set(key, cached);
      found.set(id, cached);
    }
    if (missing.length > 0) {
      for (const [id, resource] of await this.#fetch(tenant, missing, signal)) {
        found.set(id, resource);
        this.#remember(`${id} ${tenant}`, resource);
      }
    }
    return found;
  }

  #remember(key: string, resource: SpanBatch): void {
    this.#cached.set(key, resource);
    if (this.#cached.size <= MAX_CACHED) return;
    const oldest = this.#cached.keys().next();
    if (oldest.done !== true) this.#cached.delete(oldest.value);
  }

  async #fetch(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<Map<string, SpanBatch>> {
    const sql = new Sql();
    const wanted = sql.value('Array(UInt64)', ids.map(BigInt));
    const statement =
      'SELECT res_id, r_str, r_int, r_dbl, r_bool, r_arr, r_other, scope_name, scope_version, s_str, s_int, s_dbl, s_bool, s_arr, s_other, extra ' +
      `FROM resources WHERE tenant = ${sql.text(tenant)} AND res_id IN ${wanted} LIMIT 1 BY res_id`;
    const bytes = await readAll(this.#client, statement, {
      class: 'point',
      comment: 'read resources',
      params: sql.params,
      settings: { max_threads: 1 },
      ...(signal === undefined ? {} : { signal }),
    });
    const resources = new Map<string, SpanBatch>();
    for (const block of readNativeBlocks(bytes)) {
      const idBytes = fixedOf(block, 'res_id').bytes;
      for (let row = 0; row < block.rows; row++) {
        const id = (BigInt(wordAt(idBytes, row * 8 + 4)) << 32n) | BigInt(wordAt(idBytes, row * 8));
        resources.set(id.toString(), readResource(block, row));
      }
    }
    return resources;
  }
}

function readResource(block: NativeBlock, row: number): SpanBatch {
  const batch = new SpanBatch();
  const strings = new DictionaryStrings(batch);
  const text = stringsOf(block, 'extra');
  const extra = new ExtraReader(text.bytes, text.starts[row]!, text.ends[row]!);
  const resource = batch.resourceTable.add(0);
  readAttributes(batch, batch.resourceAttrs, strings, attributeMaps(block, 'r'), row);
  batch.resourceTable.attrEnd[resource] = batch.resourceAttrs.count;
  batch.resourceTable.dropped[resource] = extra.varint();
  batch.resourceTable.schemaUrls[resource] = extra.entry(batch);
  const [start, end] = extra.range();
  if (end > start) {
    batch.resourceTable.entityRefs[resource * 2] = batch.appendHeap(text.bytes, start, end);
    batch.resourceTable.entityRefs[resource * 2 + 1] = end - start;
  }
  const scope = batch.scopeTable.add(resource, 0);
  batch.scopeTable.names[scope] = strings.at(dictionaryOf(block, 'scope_name'), row);
  batch.scopeTable.versions[scope] = strings.at(dictionaryOf(block, 'scope_version'), row);
  readAttributes(batch, batch.scopeAttrs, strings, attributeMaps(block, 's'), row);
  batch.scopeTable.attrEnd[scope] = batch.scopeAttrs.count;
  batch.scopeTable.dropped[scope] = extra.varint();
  batch.scopeTable.schemaUrls[scope] = extra.entry(batch);
  return batch;
}

/** Copies the resource and scope of `source` (as the cache gives it) into `target` and returns the scope. */
export function copyScope(target: SpanBatch, source: SpanBatch): number {
  const resource = target.resourceTable.add(target.resourceAttrs.count);
  copyAttributes(target, target.resourceAttrs, source, source.resourceAttrs);
  target.resourceTable.attrEnd[resource] = target.resourceAttrs.count;
  target.resourceTable.dropped[resource] = source.resourceTable.dropped[0]!;
  target.resourceTable.schemaUrls[resource] = copyString(target, source, source.resourceTable.schemaUrls[0]!);
  const [offset, length] = [source.resourceTable.entityRefs[0]!, source.resourceTable.entityRefs[1]!];
  if (length > 0) {
    target.resourceTable.entityRefs[resource * 2] = target.appendHeap(source.heap, offset, offset + length);
    target.resourceTable.entityRefs[resource * 2 + 1] = length;
  }
  const scope = target.scopeTable.add(resource, target.scopeAttrs.count);
  target.scopeTable.names[scope] = copyString(target, source, source.scopeTable.names[0]!);
  target.scopeTable.versions[scope] = copyString(target, source, source.scopeTable.versions[0]!);
  target.scopeTable.schemaUrls[scope] = copyString(target, source, source.scopeTable.schemaUrls[0]!);
  target.scopeTable.dropped[scope] = source.scopeTable.dropped[0]!;
  copyAttributes(target, target.scopeAttrs, source, source.scopeAttrs);
  target.scopeTable.attrEnd[scope] = target.scopeAttrs.count;
  return scope;
}

function copyString(target: SpanBatch, source: SpanBatch, index: number): number {
  return target.strings.intern(source.strings.bytes, source.strings.start(index), source.strings.ends[index]!);
}

function copyAttributes(
  target: SpanBatch,
  table: SpanBatch['spanAttrs'],
  source: SpanBatch,
  from: SpanBatch['spanAttrs'],
): void {
  for (let i = 0; i < from.count; i++) {
    const type = from.types[i]!;
    const key = copyString(target, source, from.keys[i]!);
    const isBytes = type === 1 || type > 4;
    const lo = isBytes ? target.appendHeap(source.heap, from.lo[i]!, from.lo[i]! + from.hi[i]!) : from.lo[i]!;
    table.push(key, type, lo, from.hi[i]!);
  }
}

/** Says that spans point at a resource that is not stored: never expected, and never silently ignored. */
export function missingResource(id: string): StoreError {
  return new StoreError(
    'sql_error',
    `read spans: resource ${id} is not stored, though resources are stored before their spans; its day may just have been dropped, try again`,
  );
}
