import { ModelError } from '../errors.ts';
import { addHigh, addLow } from '../times.ts';
import { ValueType, isHeapType, type AttributeTable } from './attribute-table.ts';
import { plainBytes } from './columns.ts';
import { idBytes } from './pack-bytes.ts';
import {
  BASE_TIME_OFFSET,
  COUNTS_OFFSET,
  Column,
  HEADER_BYTES,
  ID_COLUMNS,
  ID_MODES_OFFSET,
  IdMode,
  PACK_COUNTS,
  PACK_MAGIC,
  PACK_VERSION,
  PackCount,
  WIDE_BIT,
  WIDTHS_OFFSET,
  attributeTables,
  numberColumns,
  keptColumns,
  widthBytes,
} from './pack-format.ts';
import { SpanBatch } from './span-batch.ts';

/**
 * The batch in `bytes`, which must be exactly what `packBatch` gave. Heap, strings and ids stay views of `bytes`, which must not
 * be written while the batch lives; appending to the batch copies what it needs first.
 *
 * Everything is checked: whatever the bytes, the result is a batch that can be read without going out of range, or a
 * `ModelError` (`invalid_pack` with the offset, `unsupported_pack`). That the *content* is what was packed is for a checksum to say.
 */
export function unpackBatch(bytes: Uint8Array): SpanBatch {
  return new Unpacker(bytes).unpack();
}

class Unpacker {
  readonly #bytes: Uint8Array;
  readonly #counts = new Uint32Array(PACK_COUNTS);
  readonly #batch = new SpanBatch();
  /** Where each number column begins. */
  readonly #starts: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = plainBytes(bytes);
  }

  unpack(): SpanBatch {
    this.#readHeader();
    const bodies = this.#layOut();
    this.#readStrings(bodies.strings);
    this.#readHeap(bodies.heap);
    this.#readResources();
    this.#readScopes();
    this.#readEvents();
    this.#readLinks(bodies.ids);
    this.#readSpans(bodies.ids);
    let types = bodies.types;
    let wide = bodies.wide;
    attributeTables(this.#batch).forEach((table, level) => {
      this.#readAttributes(table, level, types, wide);
      types += this.#counts[PackCount.ATTRIBUTES + level]!;
      wide += this.#counts[PackCount.WIDE + level]! * 8;
    });
    return this.#batch;
  }

  #readHeader(): void {
    if (this.#bytes.length < HEADER_BYTES) this.#refuse(this.#bytes.length, `a header takes ${HEADER_BYTES} bytes`);
    if (this.#word(0) !== PACK_MAGIC) this.#refuse(0, 'it does not begin with the magic number');
    const version = this.#word(4);
    if (version !== PACK_VERSION) {
      throw new ModelError(
        'unsupported_pack',
        `cannot unpack a batch of version ${version}: this program reads version ${PACK_VERSION}; use the program that wrote it, or a newer one`,
        { details: { version } },
      );
    }
    if (this.#word(8) !== this.#bytes.length) this.#refuse(8, `it says it is ${this.#word(8)} bytes long`);
    for (let i = 0; i < PACK_COUNTS; i++) this.#counts[i] = this.#word(COUNTS_OFFSET + i * 4);
    for (let i = 0; i < ID_COLUMNS; i++) {
      if (this.#bytes[ID_MODES_OFFSET + i]! > IdMode.EACH)
        this.#refuse(ID_MODES_OFFSET + i, 'an id column has an unknown mode');
    }
    for (let column = 0; column < numberColumns.length; column++) {
      if (keptColumns[column] === true && this.#width(column) === 0) {
        this.#refuse(WIDTHS_OFFSET + (column >> 2), `column "${numberColumns[column]!.name}" is absent`);
      }
    }
    if (this.#counts[PackCount.STRINGS] === 0)
      this.#refuse(COUNTS_OFFSET + PackCount.STRINGS * 4, 'the empty string is missing');
  }

  /** Finds where each part begins. Nothing is allocated before the parts are known to fill the buffer exactly. */
  #layOut(): {
    readonly ids: number;
    readonly types: number;
    readonly wide: number;
    readonly strings: number;
    readonly heap: number;
  } {
    const counts = this.#counts;
    const ids = HEADER_BYTES;
    let at = ids;
    for (let column = 0; column < ID_COLUMNS; column++)
      at += idBytes(column, this.#bytes[ID_MODES_OFFSET + column]!, counts);
    const types = at;
    for (let level = 0; level < 5; level++) at += counts[PackCount.ATTRIBUTES + level]!;
    const wide = at;
    for (let level = 0; level < 5; level++) at += counts[PackCount.WIDE + level]! * 8;
    for (let column = 0; column < numberColumns.length; column++) {
      this.#starts.push(at);
      at += counts[numberColumns[column]!.of]! * this.#width(column);
    }
    const strings = at;
    const heap = strings + counts[PackCount.STRING_BYTES]!;
    const end = heap + counts[PackCount.HEAP_BYTES]!;
    if (end !== this.#bytes.length) this.#refuse(COUNTS_OFFSET, `its parts add up to ${end} bytes`);
    return { ids, types, wide, strings, heap };
  }

  #readStrings(start: number): void {
    const length = this.#counts[PackCount.STRING_BYTES]!;
    const ends = this.#ends(Column.STRINGS, length);
    if (ends[0] !== 0) this.#refuse(this.#starts[Column.STRINGS]!, 'the first string is not empty');
    this.#batch.strings.adopt(this.#bytes.subarray(start, start + length), ends, ends.length);
  }

  #readHeap(start: number): void {
    const batch = this.#batch;
    batch.heapLength = this.#counts[PackCount.HEAP_BYTES]!;
    batch.heap = this.#bytes.subarray(start, start + batch.heapLength);
    batch.heapOwned = false;
  }

  #readResources(): void {
    const table = this.#batch.resourceTable;
    table.count = this.#counts[PackCount.RESOURCES]!;
    table.schemaUrls = this.#strings(Column.RESOURCES);
    table.dropped = this.#numbers(Column.RESOURCES + 1);
    table.attrEnd = this.#ends(Column.RESOURCES + 2, this.#counts[PackCount.ATTRIBUTES + 4]!);
    const offsets = this.#numbers(Column.RESOURCES + 3);
    const lengths = this.#numbers(Column.RESOURCES + 4);
    table.entityRefs = new Uint32Array(table.count * 2);
    for (let row = 0; row < table.count; row++) {
      if (offsets[row]! + lengths[row]! > this.#batch.heapLength) this.#refuseColumn(Column.RESOURCES + 3, row);
      table.entityRefs[row * 2] = offsets[row]!;
      table.entityRefs[row * 2 + 1] = lengths[row]!;
    }
  }

  #readScopes(): void {
    const table = this.#batch.scopeTable;
    table.count = this.#counts[PackCount.SCOPES]!;
    table.resources = this.#indexes(Column.SCOPES, this.#counts[PackCount.RESOURCES]!);
    table.names = this.#strings(Column.SCOPES + 1);
    table.versions = this.#strings(Column.SCOPES + 2);
    table.schemaUrls = this.#strings(Column.SCOPES + 3);
    table.dropped = this.#numbers(Column.SCOPES + 4);
    table.attrEnd = this.#ends(Column.SCOPES + 5, this.#counts[PackCount.ATTRIBUTES + 3]!);
  }

  #readEvents(): void {
    const table = this.#batch.events;
    table.count = this.#counts[PackCount.EVENTS]!;
    const timeLo = this.#numbers(Column.EVENTS);
    const timeHi = this.#numbers(Column.EVENTS + 1);
    const [baseLo, baseHi] = [this.#word(BASE_TIME_OFFSET), this.#word(BASE_TIME_OFFSET + 4)];
    table.times = new Uint32Array(table.count * 2);
    for (let row = 0; row < table.count; row++) {
      table.times[row * 2] = addLow(baseLo, timeLo[row]!);
      table.times[row * 2 + 1] = addHigh(baseLo, baseHi, timeLo[row]!, timeHi[row]!);
    }
    table.names = this.#strings(Column.EVENTS + 2);
    table.dropped = this.#numbers(Column.EVENTS + 3);
    table.attrEnd = this.#ends(Column.EVENTS + 4, this.#counts[PackCount.ATTRIBUTES + 1]!);
  }

  #readLinks(idsStart: number): void {
    const table = this.#batch.links;
    table.count = this.#counts[PackCount.LINKS]!;
    let at = idsStart;
    for (let column = 0; column < 3; column++)
      at += idBytes(column, this.#bytes[ID_MODES_OFFSET + column]!, this.#counts);
    table.traceIds = this.#ids(3, at, 16, table.count).slice();
    at += idBytes(3, this.#bytes[ID_MODES_OFFSET + 3]!, this.#counts);
    table.spanIds = this.#ids(4, at, 8, table.count).slice();
    table.states = this.#strings(Column.LINKS);
    table.flags = this.#numbers(Column.LINKS + 1);
    table.dropped = this.#numbers(Column.LINKS + 2);
    table.attrEnd = this.#ends(Column.LINKS + 3, this.#counts[PackCount.ATTRIBUTES + 2]!);
  }

  #readSpans(idsStart: number): void {
    const batch = this.#batch;
    const count = this.#counts[PackCount.SPANS]!;
    batch.count = count;
    let at = idsStart;
    batch.traceIds = this.#ids(0, at, 16, count);
    at += idBytes(0, this.#bytes[ID_MODES_OFFSET]!, this.#counts);
    batch.spanIds = this.#ids(1, at, 8, count);
    at += idBytes(1, this.#bytes[ID_MODES_OFFSET + 1]!, this.#counts);
    batch.parentIds = this.#ids(2, at, 8, count);
    batch.columnsOwned = false;
    batch.times = this.#times(count);
    batch.names = this.#strings(Column.SPANS + 4);
    batch.kinds = signed(this.#numbers(Column.SPANS + 5));
    batch.statusCodes = signed(this.#numbers(Column.SPANS + 6));
    batch.statusMessages = this.#strings(Column.SPANS + 7);
    batch.traceStates = this.#strings(Column.SPANS + 8);
    batch.flags = this.#numbers(Column.SPANS + 9);
    batch.scopes = this.#indexes(Column.SPANS + 10, this.#counts[PackCount.SCOPES]!);
    batch.droppedAttributes = this.#numbers(Column.SPANS + 11);
    batch.droppedEvents = this.#numbers(Column.SPANS + 12);
    batch.droppedLinks = this.#numbers(Column.SPANS + 13);
    batch.attrEnd = this.#ends(Column.SPANS + 14, this.#counts[PackCount.ATTRIBUTES]!);
    batch.eventEnd = this.#ends(Column.SPANS + 15, this.#counts[PackCount.EVENTS]!);
    batch.linkEnd = this.#ends(Column.SPANS + 16, this.#counts[PackCount.LINKS]!);
  }

  #times(count: number): Uint32Array {
    const startLo = this.#numbers(Column.SPANS);
    const startHi = this.#numbers(Column.SPANS + 1);
    const durationLo = this.#numbers(Column.SPANS + 2);
    const durationHi = this.#numbers(Column.SPANS + 3);
    const [baseLo, baseHi] = [this.#word(BASE_TIME_OFFSET), this.#word(BASE_TIME_OFFSET + 4)];
    const times = new Uint32Array(count * 4);
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const lo = addLow(baseLo, startLo[row]!);
      const hi = addHigh(baseLo, baseHi, startLo[row]!, startHi[row]!);
      times[at] = lo;
      times[at + 1] = hi;
      times[at + 2] = addLow(lo, durationLo[row]!);
      times[at + 3] = addHigh(lo, hi, durationLo[row]!, durationHi[row]!);
    }
    return times;
  }

  #readAttributes(table: AttributeTable, level: number, typesStart: number, wideStart: number): void {
    const count = this.#counts[PackCount.ATTRIBUTES + level]!;
    const wideCount = this.#counts[PackCount.WIDE + level]!;
    const column = Column.ATTRIBUTES + level * 3;
    table.count = count;
    table.keys = this.#strings(column);
    table.lo = this.#numbers(column + 1);
    table.hi = this.#numbers(column + 2);
    table.types = this.#bytes.slice(typesStart, typesStart + count);
    let wide = 0;
    for (let row = 0; row < count; row++) {
      const type = table.types[row]! & ~WIDE_BIT;
      if (type > ValueType.BYTES) this.#refuse(typesStart + row, `value type ${type} is unknown`);
      if (type !== table.types[row]) {
        if (wide === wideCount || (type !== ValueType.INT && type !== ValueType.DOUBLE)) {
          this.#refuse(typesStart + row, 'a value is marked as wide and cannot be');
        }
        table.types[row] = type;
        table.lo[row] = this.#word(wideStart + wide * 8);
        table.hi[row] = this.#word(wideStart + wide * 8 + 4);
        wide++;
      } else if (isHeapType(type) && table.lo[row]! + table.hi[row]! > this.#batch.heapLength) {
        this.#refuseColumn(column + 1, row);
      }
    }
    if (wide !== wideCount) this.#refuse(typesStart, `${wideCount} wide values are kept and ${wide} used`);
  }

  #ids(column: number, start: number, size: number, count: number): Uint8Array {
    const mode = this.#bytes[ID_MODES_OFFSET + column]!;
    if (mode === IdMode.EACH) return this.#bytes.subarray(start, start + size * count);
    const ids = new Uint8Array(size * count);
    if (mode === IdMode.CONSTANT) {
      for (let at = 0; at < ids.length; at++) ids[at] = this.#bytes[start + (at % size)]!;
    }
    return ids;
  }

  /** The values of a number column. */
  #numbers(column: number): Uint32Array {
    const count = this.#counts[numberColumns[column]!.of]!;
    const values = new Uint32Array(count);
    const bytes = this.#bytes;
    const width = this.#width(column);
    let at = this.#starts[column]!;
    if (width === 1) {
      for (let i = 0; i < count; i++) values[i] = bytes[at++]!;
    } else if (width === 2) {
      for (let i = 0; i < count; i++, at += 2) values[i] = bytes[at]! | (bytes[at + 1]! << 8);
    } else if (width === 4) {
      for (let i = 0; i < count; i++, at += 4) values[i] = this.#word(at);
    }
    return values;
  }

  /** A number column whose values are below `limit`. */
  #indexes(column: number, limit: number): Uint32Array {
    const values = this.#numbers(column);
    for (let i = 0; i < values.length; i++) if (values[i]! >= limit) this.#refuseColumn(column, i);
    return values;
  }

  /** A number column of string indexes. */
  #strings(column: number): Uint32Array {
    return this.#indexes(column, this.#counts[PackCount.STRINGS]!);
  }

  /** A column of run lengths, which must add up to `total`, as ends. */
  #ends(column: number, total: number): Uint32Array {
    const values = this.#numbers(column);
    let end = 0;
    for (let i = 0; i < values.length; i++) {
      end += values[i]!;
      if (end > total) this.#refuseColumn(column, i);
      values[i] = end;
    }
    if (end !== total)
      this.#refuse(
        this.#starts[column]!,
        `the runs of column "${numberColumns[column]!.name}" add up to ${end} of ${total}`,
      );
    return values;
  }

  /** Bytes of a value of this number column. */
  #width(column: number): number {
    return widthBytes[(this.#bytes[WIDTHS_OFFSET + (column >> 2)]! >> ((column & 3) * 2)) & 3]!;
  }

  #word(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  #refuseColumn(column: number, row: number): never {
    const at = this.#starts[column]! + row * this.#width(column);
    return this.#refuse(at, `row ${row} of column "${numberColumns[column]!.name}" points outside its table`);
  }

  #refuse(offset: number, rule: string): never {
    throw new ModelError(
      'invalid_pack',
      `cannot unpack a batch of ${this.#bytes.length} bytes: at byte ${offset}, ${rule}; the data is truncated or damaged`,
      { details: { offset } },
    );
  }
}

function signed(values: Uint32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}
