import { StringTable, type SpanBatch } from '@clew/model';

import { StoreError } from '../errors.ts';
import { ODD_SLOT, TagScope } from '../schema/tables.ts';
import { OUT_OF_RANGE } from './extra.ts';
import { OperationRows } from './operation-rows.ts';
import { ResourceRows } from './resource-rows.ts';
import { dayOfSlot, SlotClock } from './slot.ts';
import { type BatchContext, SpanColumns } from './span-columns.ts';
import type { AppendMeta, TableBlock } from './table-block.ts';
import { TagKeyRows, TagNote } from './tag-key-rows.ts';

/** Bytes of a row in the block beside its texts and attributes. */
const ROW_BYTES = 230;
const WORD = 0x1_0000_0000n;

/**
 * Turns SpanBatches into Native blocks: one for `spans`, and small ones for what the spans refer to and that was not
 * announced before. One builder serves one writer: its buffers are reused from segment to segment.
 *
 * Use: `append` the batches of a segment, `build` it, write and insert the blocks *in the order given* (what spans
 * refer to comes before them), then `confirm` once every insert returned, then `reset`. Without `confirm`
 * the next segment announces the same rows again, which is harmless.
 *
 * Rows stay in the order they came: dealing them out by the table's key costs more here, in cache misses, than sorting costs the engine.
 * A hot path, guarded by `bench/block`: per batch a few objects, per span nothing.
 */
export class BlockBuilder {
  /** Spans appended since `reset`. */
  rowCount = 0;
  /** Bytes the `spans` block will have, estimated from above. */
  byteLength = 0;

  readonly #strings = new StringTable();
  readonly #tagKeys = new TagKeyRows(this.#strings);
  readonly #resources = new ResourceRows(this.#strings, this.#tagKeys);
  readonly #operations = new OperationRows(this.#strings);
  readonly #columns = new SpanColumns(this.#strings, this.#tagKeys);
  readonly #clock = new SlotClock();
  #stringMap: Uint32Array = new Uint32Array(1024);
  /** Number of the pair of resource and scope, for each scope of the batch. */
  #pairs: Uint32Array = new Uint32Array(64);
  /** Day for which the scope was announced last, plus one, for each scope of the batch. */
  #announcedDays: Uint32Array = new Uint32Array(64);

  constructor() {
    this.reset();
  }

  /** Adds spans of one request; `rows` picks some of them. The batch may be changed or reused afterwards. */
  append(batch: SpanBatch, meta: AppendMeta, rows?: Uint32Array): void {
    const count = rows?.length ?? batch.count;
    if (count === 0) return;
    const received = meta.receivedUnixNano / 1_000_000n;
    const tenant = this.#strings.internText(meta.tenant);
    this.#mapStrings(batch);
    this.#identifyScopes(batch, tenant);
    const context: BatchContext = {
      batch,
      tenant,
      receivedLo: Number(received % WORD),
      receivedHi: Number(received / WORD),
      stringMap: this.#stringMap,
    };
    this.#clock.arrive(meta.receivedUnixNano);
    this.#tagKeys.begin(tenant);
    this.#columns.reserve(count);
    for (let i = 0; i < count; i++) this.#appendRow(context, rows === undefined ? i : rows[i]!);
    this.rowCount += count;
  }

  #appendRow(context: BatchContext, row: number): void {
    const { batch } = context;
    const slot = this.#clock.slotOf(batch.times[row * 4]!, batch.times[row * 4 + 1]!);
    const scope = batch.scopes[row]!;
    const pair = this.#pairs[scope]!;
    if (slot >= ODD_SLOT) this.#tagKeys.markNote(TagNote.ODD_TIMES);
    const day = dayOfSlot(slot);
    if (this.#announcedDays[scope] !== day + 1) this.#announceScope(context, scope, day);
    const { ids, services } = this.#resources;
    const service = services[pair]!;
    const kind = batch.kinds[row]!;
    const shownKind = kind >= 0 && kind < OUT_OF_RANGE ? kind : OUT_OF_RANGE;
    this.#operations.mark(context.tenant, day, service, context.stringMap[batch.names[row]!]!, shownKind);
    this.#columns.write(context, row, slot, service, ids[pair * 2]!, ids[pair * 2 + 1]!);
    this.byteLength += ROW_BYTES + attributeBytes(batch, row);
  }

  #announceScope(context: BatchContext, scope: number, day: number): void {
    const { batch, stringMap } = context;
    this.#announcedDays[scope] = day + 1;
    this.#tagKeys.markDay(day);
    if (!this.#resources.announce(this.#pairs[scope]!, day, context.tenant, { batch, scope, stringMap })) return;
    const { scopeTable, resourceTable } = batch;
    const resource = scopeTable.resources[scope]!;
    const from = resource === 0 ? 0 : resourceTable.attrEnd[resource - 1]!;
    const scopeFrom = scope === 0 ? 0 : scopeTable.attrEnd[scope - 1]!;
    this.#tagKeys.mark(TagScope.resource, batch.resourceAttrs, from, resourceTable.attrEnd[resource]!, stringMap);
    this.#tagKeys.mark(TagScope.scope, batch.scopeAttrs, scopeFrom, scopeTable.attrEnd[scope]!, stringMap);
  }

  /** Gives every string of the batch its entry in the builder's table. */
  #mapStrings(batch: SpanBatch): void {
    const { count, bytes, ends } = batch.strings;
    if (count > this.#stringMap.length) this.#stringMap = new Uint32Array(count * 2);
    let start = 0;
    for (let i = 0; i < count; i++) {
      const end = ends[i]!;
      this.#stringMap[i] = this.#strings.intern(bytes, start, end);
      start = end;
    }
  }

  #identifyScopes(batch: SpanBatch, tenant: number): void {
    const { count } = batch.scopeTable;
    if (count > this.#pairs.length) {
      this.#pairs = new Uint32Array(count * 2);
      this.#announcedDays = new Uint32Array(count * 2);
    }
    for (let scope = 0; scope < count; scope++) {
      this.#pairs[scope] = this.#resources.identify(batch, scope, tenant);
      this.#announcedDays[scope] = 0;
    }
  }

  /**
   * The blocks of everything appended, in the order to insert them. `segmentId`: 32 hex digits, written to every span row as `seg`. Throws
   * `invalid_argument` when the id is none.
   */
  build(segmentId: string): TableBlock[] {
    if (!/^[0-9a-f]{32}$/.test(segmentId)) {
      throw new StoreError(
        'invalid_argument',
        `build a block: segment id "${segmentId}" must be 32 hexadecimal digits`,
      );
    }
    if (this.rowCount === 0) return [];
    const segment = Buffer.from(segmentId, 'hex');
    const blocks = [
      this.#resources.block(),
      this.#tagKeys.block(),
      ...this.#operations.blocks(),
      this.#columns.block(segment),
    ];
    return blocks.filter((block) => block !== undefined);
  }

  /** The blocks of the last `build` are stored: resources and keys in it need not be announced again that day. */
  confirm(): void {
    this.#resources.confirm();
    this.#tagKeys.confirm();
    this.#operations.confirm();
  }

  /** Days whose partitions were dropped, or from which spans were deleted: what was announced for them has to be announced again. */
  forgetDays(days: readonly number[]): void {
    for (const day of days) {
      this.#resources.forgetDay(day);
      this.#tagKeys.forgetDay(day);
      this.#operations.forgetDay(day);
    }
  }

  /** Forgets what was appended and keeps the buffers. */
  reset(): void {
    this.rowCount = 0;
    this.byteLength = 0;
    this.#resources.clear();
    this.#tagKeys.clear();
    this.#operations.clear();
    this.#columns.clear();
    this.#strings.clear();
    this.#columns.hot.resolve(this.#strings);
  }
}

/** Bytes of the attributes of a span in the block, estimated from above. */
function attributeBytes(batch: SpanBatch, row: number): number {
  const start = row === 0 ? 0 : batch.attrEnd[row - 1]!;
  const end = batch.attrEnd[row]!;
  const { types, hi } = batch.spanAttrs;
  let bytes = 0;
  // Types 1, 5, 6 and 7 have their length in `hi`; the others are at most eight bytes. What is nested is written twice.
  for (let i = start; i < end; i++) {
    const type = types[i]!;
    bytes += 4 + (type === 1 || type === 7 ? hi[i]! : type > 4 ? 3 * hi[i]! : 8);
  }
  return bytes;
}
