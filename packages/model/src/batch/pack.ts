import { ModelError } from '../errors.ts';
import { compareWords, subtractHigh, subtractLow } from '../times.ts';
import { ValueType, type AttributeTable } from './attribute-table.ts';
import { grownCapacity } from './columns.ts';
import { BatchGatherer, type RowList } from './gather.ts';
import {
  BASE_TIME_OFFSET,
  COUNTS_OFFSET,
  Column,
  HEADER_BYTES,
  ID_COLUMNS,
  ID_MODES_OFFSET,
  PACK_COUNTS,
  PACK_MAGIC,
  PACK_VERSION,
  PackCount,
  WIDE_BIT,
  WIDTHS_OFFSET,
  attributeTables,
  keptColumns,
  numberColumns,
  widthBytes,
} from './pack-format.ts';
import { idBytes, idColumn, idMode, writeNumbers } from './pack-bytes.ts';
import { SpanBatch } from './span-batch.ts';

/**
 * Packs batches; the layout is in `pack-format.ts`. Packing gathers first (so that only bytes that are referred to are
 * kept, repeated ones once), then writes each column as narrow as its values allow. A packer keeps its scratch memory and allocates
 * nothing once that has grown to the size of the batches it sees.
 *
 * A hot path, guarded by `bench/batch`.
 */
export class BatchPacker {
  readonly #gatherer = new BatchGatherer();
  #gathered = new SpanBatch();
  /** Derived number columns, one per entry of `numberColumns`. */
  readonly #columns: Uint32Array[] = numberColumns.map(() => new Uint32Array(0));
  readonly #widths: Uint8Array = new Uint8Array(numberColumns.length);
  readonly #types: Uint8Array[] = [0, 1, 2, 3, 4].map(() => new Uint8Array(0));
  readonly #wide: Uint32Array[] = [0, 1, 2, 3, 4].map(() => new Uint32Array(0));
  readonly #counts: Uint32Array = new Uint32Array(PACK_COUNTS);
  readonly #idModes: Uint8Array = new Uint8Array(ID_COLUMNS);
  #baseLo = 0;
  #baseHi = 0;
  #byteLength = 0;

  /** Readies `rows` of `batch` (all when `undefined`) for {@link BatchPacker.write} and returns the bytes that will take. */
  prepare(batch: SpanBatch, rows?: RowList): number {
    const gathered = this.#freshScratch();
    this.#gatherer.append(gathered, batch, rows);
    this.#count(gathered);
    this.#deriveSpans(gathered);
    this.#deriveEvents(gathered);
    this.#deriveTables(gathered);
    attributeTables(gathered).forEach((table, level) => this.#deriveAttributes(table, level));
    this.#chooseIdModes(gathered);
    this.#byteLength = this.#measure();
    return this.#byteLength;
  }

  /** Writes what was prepared to `target` from `offset` on and returns the bytes written. */
  write(target: Uint8Array, offset: number): number {
    if (target.length - offset < this.#byteLength) {
      throw new ModelError(
        'invalid_pack',
        `cannot pack a batch: it takes ${this.#byteLength} bytes and ${target.length - offset} are free; make the target as long as prepare() said`,
      );
    }
    this.#writeHeader(target, offset);
    let at = this.#writeIds(target, offset + HEADER_BYTES);
    for (let level = 0; level < 5; level++) {
      const count = this.#counts[PackCount.ATTRIBUTES + level]!;
      target.set(this.#types[level]!.subarray(0, count), at);
      at += count;
    }
    for (let level = 0; level < 5; level++) {
      at = writeNumbers(this.#wide[level]!, this.#counts[PackCount.WIDE + level]! * 2, 4, target, at);
    }
    for (let column = 0; column < numberColumns.length; column++) {
      const count = this.#counts[numberColumns[column]!.of]!;
      at = writeNumbers(this.#columns[column]!, count, widthBytes[this.#widths[column]!]!, target, at);
    }
    const { strings, heap } = this.#gathered;
    target.set(strings.bytes.subarray(0, strings.byteLength), at);
    at += strings.byteLength;
    target.set(heap.subarray(0, this.#gathered.heapLength), at);
    return this.#byteLength;
  }

  /** The scratch batch, emptied; a new one when the old grew large, so that one huge batch is not paid for for ever. */
  #freshScratch(): SpanBatch {
    if (this.#gathered.heap.length > MAX_SCRATCH_BYTES) this.#gathered = new SpanBatch();
    this.#gathered.reset();
    return this.#gathered;
  }

  #count(batch: SpanBatch): void {
    const counts = this.#counts;
    counts[PackCount.SPANS] = batch.count;
    counts[PackCount.EVENTS] = batch.events.count;
    counts[PackCount.LINKS] = batch.links.count;
    counts[PackCount.SCOPES] = batch.scopeTable.count;
    counts[PackCount.RESOURCES] = batch.resourceTable.count;
    counts[PackCount.STRINGS] = batch.strings.count;
    counts[PackCount.STRING_BYTES] = batch.strings.byteLength;
    counts[PackCount.HEAP_BYTES] = batch.heapLength;
    attributeTables(batch).forEach((table, level) => (counts[PackCount.ATTRIBUTES + level] = table.count));
  }

  #deriveSpans(batch: SpanBatch): void {
    const { count } = batch;
    this.#deriveTimes(batch);
    this.#copy(Column.SPANS + 4, batch.names, count);
    this.#copy(Column.SPANS + 5, batch.kinds, count);
    this.#copy(Column.SPANS + 6, batch.statusCodes, count);
    this.#copy(Column.SPANS + 7, batch.statusMessages, count);
    this.#copy(Column.SPANS + 8, batch.traceStates, count);
    this.#copy(Column.SPANS + 9, batch.flags, count);
    this.#copy(Column.SPANS + 10, batch.scopes, count);
    this.#copy(Column.SPANS + 11, batch.droppedAttributes, count);
    this.#copy(Column.SPANS + 12, batch.droppedEvents, count);
    this.#copy(Column.SPANS + 13, batch.droppedLinks, count);
    this.#runs(Column.SPANS + 14, batch.attrEnd, count);
    this.#runs(Column.SPANS + 15, batch.eventEnd, count);
    this.#runs(Column.SPANS + 16, batch.linkEnd, count);
  }

  /** Starts as distances from the earliest start, ends as distances from their starts. */
  #deriveTimes(batch: SpanBatch): void {
    const { times, count } = batch;
    let baseLo = count === 0 ? 0 : times[0]!;
    let baseHi = count === 0 ? 0 : times[1]!;
    for (let at = 4; at < count * 4; at += 4) {
      if (compareWords(times[at]!, times[at + 1]!, baseLo, baseHi) < 0) {
        baseLo = times[at]!;
        baseHi = times[at + 1]!;
      }
    }
    this.#baseLo = baseLo;
    this.#baseHi = baseHi;
    const startLo = this.#column(Column.SPANS, count);
    const startHi = this.#column(Column.SPANS + 1, count);
    const durationLo = this.#column(Column.SPANS + 2, count);
    const durationHi = this.#column(Column.SPANS + 3, count);
    let bits0 = 0;
    let bits1 = 0;
    let bits2 = 0;
    let bits3 = 0;
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const lo = times[at]!;
      const hi = times[at + 1]!;
      const endLo = times[at + 2]!;
      bits0 |= startLo[row] = subtractLow(lo, baseLo);
      bits1 |= startHi[row] = subtractHigh(lo, hi, baseLo, baseHi);
      bits2 |= durationLo[row] = subtractLow(endLo, lo);
      bits3 |= durationHi[row] = subtractHigh(endLo, times[at + 3]!, lo, hi);
    }
    this.#setWidth(Column.SPANS, bits0);
    this.#setWidth(Column.SPANS + 1, bits1);
    this.#setWidth(Column.SPANS + 2, bits2);
    this.#setWidth(Column.SPANS + 3, bits3);
  }

  #deriveEvents(batch: SpanBatch): void {
    const { events } = batch;
    const { count, times } = events;
    const timeLo = this.#column(Column.EVENTS, count);
    const timeHi = this.#column(Column.EVENTS + 1, count);
    let bits0 = 0;
    let bits1 = 0;
    for (let row = 0; row < count; row++) {
      const lo = times[row * 2]!;
      bits0 |= timeLo[row] = subtractLow(lo, this.#baseLo);
      bits1 |= timeHi[row] = subtractHigh(lo, times[row * 2 + 1]!, this.#baseLo, this.#baseHi);
    }
    this.#setWidth(Column.EVENTS, bits0);
    this.#setWidth(Column.EVENTS + 1, bits1);
    this.#copy(Column.EVENTS + 2, events.names, count);
    this.#copy(Column.EVENTS + 3, events.dropped, count);
    this.#runs(Column.EVENTS + 4, events.attrEnd, count);
  }

  #deriveTables(batch: SpanBatch): void {
    const { links, scopeTable: scopes, resourceTable: resources, strings } = batch;
    this.#copy(Column.LINKS, links.states, links.count);
    this.#copy(Column.LINKS + 1, links.flags, links.count);
    this.#copy(Column.LINKS + 2, links.dropped, links.count);
    this.#runs(Column.LINKS + 3, links.attrEnd, links.count);
    this.#copy(Column.SCOPES, scopes.resources, scopes.count);
    this.#copy(Column.SCOPES + 1, scopes.names, scopes.count);
    this.#copy(Column.SCOPES + 2, scopes.versions, scopes.count);
    this.#copy(Column.SCOPES + 3, scopes.schemaUrls, scopes.count);
    this.#copy(Column.SCOPES + 4, scopes.dropped, scopes.count);
    this.#runs(Column.SCOPES + 5, scopes.attrEnd, scopes.count);
    this.#copy(Column.RESOURCES, resources.schemaUrls, resources.count);
    this.#copy(Column.RESOURCES + 1, resources.dropped, resources.count);
    this.#runs(Column.RESOURCES + 2, resources.attrEnd, resources.count);
    this.#alternate(Column.RESOURCES + 3, resources.entityRefs, 0, resources.count);
    this.#alternate(Column.RESOURCES + 4, resources.entityRefs, 1, resources.count);
    this.#runs(Column.STRINGS, strings.ends, strings.count);
  }

  /** Splits doubles and large integers off, so that `low` and `high` stay narrow for all other values. */
  #deriveAttributes(table: AttributeTable, level: number): void {
    const { count, types, lo, hi } = table;
    this.#copy(Column.ATTRIBUTES + level * 3, table.keys, count);
    const lows = this.#column(Column.ATTRIBUTES + level * 3 + 1, count);
    const highs = this.#column(Column.ATTRIBUTES + level * 3 + 2, count);
    if (this.#types[level]!.length < count) this.#types[level] = new Uint8Array(grownCapacity(0, count));
    if (this.#wide[level]!.length < count * 2) this.#wide[level] = new Uint32Array(grownCapacity(0, count * 2));
    const packedTypes = this.#types[level]!;
    const wide = this.#wide[level]!;
    let wideWords = 0;
    let lowBits = 0;
    let highBits = 0;
    for (let row = 0; row < count; row++) {
      const type = types[row]!;
      const low = lo[row]!;
      const high = hi[row]!;
      if ((type === ValueType.INT || type === ValueType.DOUBLE) && (high !== 0 || low > 0xffff)) {
        packedTypes[row] = type | WIDE_BIT;
        wide[wideWords++] = low;
        wide[wideWords++] = high;
        lows[row] = 0;
        highs[row] = 0;
      } else {
        packedTypes[row] = type;
        lowBits |= lows[row] = low;
        highBits |= highs[row] = high;
      }
    }
    this.#counts[PackCount.WIDE + level] = wideWords >>> 1;
    this.#setWidth(Column.ATTRIBUTES + level * 3 + 1, lowBits);
    this.#setWidth(Column.ATTRIBUTES + level * 3 + 2, highBits);
  }

  #chooseIdModes(batch: SpanBatch): void {
    const { links } = batch;
    this.#idModes[0] = idMode(batch.traceIds, batch.count, 16);
    this.#idModes[1] = idMode(batch.spanIds, batch.count, 8);
    this.#idModes[2] = idMode(batch.parentIds, batch.count, 8);
    this.#idModes[3] = idMode(links.traceIds, links.count, 16);
    this.#idModes[4] = idMode(links.spanIds, links.count, 8);
  }

  #measure(): number {
    const counts = this.#counts;
    let bytes = HEADER_BYTES + counts[PackCount.STRING_BYTES]! + counts[PackCount.HEAP_BYTES]!;
    for (let column = 0; column < ID_COLUMNS; column++) bytes += idBytes(column, this.#idModes[column]!, counts);
    for (let level = 0; level < 5; level++)
      bytes += counts[PackCount.ATTRIBUTES + level]! + counts[PackCount.WIDE + level]! * 8;
    for (let column = 0; column < numberColumns.length; column++) {
      bytes += counts[numberColumns[column]!.of]! * widthBytes[this.#widths[column]!]!;
    }
    return bytes;
  }

  #writeHeader(target: Uint8Array, offset: number): void {
    headerWords[0] = PACK_MAGIC;
    headerWords[1] = PACK_VERSION;
    headerWords[2] = this.#byteLength;
    writeNumbers(headerWords, 3, 4, target, offset);
    writeNumbers(this.#counts, PACK_COUNTS, 4, target, offset + COUNTS_OFFSET);
    baseWords[0] = this.#baseLo;
    baseWords[1] = this.#baseHi;
    writeNumbers(baseWords, 2, 4, target, offset + BASE_TIME_OFFSET);
    target.set(this.#idModes, offset + ID_MODES_OFFSET);
    target.fill(0, offset + WIDTHS_OFFSET, offset + HEADER_BYTES);
    for (let column = 0; column < numberColumns.length; column++) {
      const at = offset + WIDTHS_OFFSET + (column >> 2);
      target[at] = target[at]! | (this.#widths[column]! << ((column & 3) * 2));
    }
  }

  #writeIds(target: Uint8Array, offset: number): number {
    const batch = this.#gathered;
    let at = offset;
    for (let column = 0; column < ID_COLUMNS; column++) {
      const length = idBytes(column, this.#idModes[column]!, this.#counts);
      if (length > 0) target.set(idColumn(batch, column).subarray(0, length), at);
      at += length;
    }
    return at;
  }

  /** The scratch array of a number column, with room for `count` values. */
  #column(column: number, count: number): Uint32Array {
    let values = this.#columns[column]!;
    if (values.length < count) {
      values = new Uint32Array(grownCapacity(values.length, count));
      this.#columns[column] = values;
    }
    return values;
  }

  #copy(column: number, values: Uint32Array | Int32Array, count: number): void {
    const target = this.#column(column, count);
    let bits = 0;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      target[i] = value;
      bits |= value;
    }
    this.#setWidth(column, bits);
  }

  #runs(column: number, ends: Uint32Array, count: number): void {
    const target = this.#column(column, count);
    let bits = 0;
    let before = 0;
    for (let i = 0; i < count; i++) {
      const end = ends[i]!;
      bits |= target[i] = end - before;
      before = end;
    }
    this.#setWidth(column, bits);
  }

  #alternate(column: number, pairs: Uint32Array, which: 0 | 1, count: number): void {
    const target = this.#column(column, count);
    let bits = 0;
    for (let i = 0; i < count; i++) bits |= target[i] = pairs[i * 2 + which]!;
    this.#setWidth(column, bits);
  }

  /** `bits` is all values of the column or-ed together. */
  #setWidth(column: number, bits: number): void {
    const value = bits >>> 0;
    const least = keptColumns[column] ? 1 : 0;
    this.#widths[column] = value === 0 ? least : value <= 0xff ? 1 : value <= 0xffff ? 2 : 3;
  }
}

/** Above this much scratch heap, memory is given back after the batch that needed it. */
const MAX_SCRATCH_BYTES = 16 * 1024 * 1024;

const headerWords = new Uint32Array(3);
const baseWords = new Uint32Array(2);

const shared: { packer?: BatchPacker } = {};

/** `rows` of `batch` (all when left out) as one buffer, see `pack-format.ts`. Pending edits are compacted first. */
export function packBatch(batch: SpanBatch, options: { readonly rows?: RowList } = {}): Uint8Array<ArrayBuffer> {
  const packer = (shared.packer ??= new BatchPacker());
  const bytes = new Uint8Array(packer.prepare(batch, options.rows));
  packer.write(bytes, 0);
  return bytes;
}
