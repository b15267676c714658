import { StoreError } from '../errors.ts';

/**
 * Reads blocks of ClickHouse's Native format (https://clickhouse.com/docs/interfaces/formats/Native) into columns that are views of the bytes.
 * Knows the types the store's tables use and no other.
 */

/** Values of a fixed width, `width` bytes each. */
export interface FixedData {
  readonly kind: 'fixed';
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Strings: value i lies in `bytes` from `starts[i]` to `ends[i]`. */
export interface StringData {
  readonly kind: 'string';
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Values that are indexes into a dictionary. */
export interface DictionaryData {
  readonly kind: 'dictionary';
  readonly keys: StringData | FixedData;
  readonly indexes: Uint32Array;
}

/** Arrays and maps: row i has elements `[ends[i - 1], ends[i])` of each inner column. */
export interface RunData {
  readonly kind: 'runs';
  readonly ends: Uint32Array;
  readonly inner: readonly NativeData[];
}

/** A column of a block. */
export type NativeData = FixedData | StringData | DictionaryData | RunData;

/** One block. */
export interface NativeBlock {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, NativeData>;
}

/** All blocks in `bytes`. Throws `sql_error` when the bytes are not the format. */
export function readNativeBlocks(bytes: Uint8Array): NativeBlock[] {
  const reader = new NativeReader(bytes);
  const blocks: NativeBlock[] = [];
  while (!reader.done) blocks.push(reader.block());
  return blocks.filter((block) => block.rows > 0);
}

const widths: Readonly<Record<string, number>> = {
  UInt8: 1,
  Int8: 1,
  Bool: 1,
  UInt16: 2,
  UInt32: 4,
  Int32: 4,
  UInt64: 8,
  Int64: 8,
  Float64: 8,
};

class NativeReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  block(): NativeBlock {
    const columnCount = this.#varint();
    const rows = this.#varint();
    const columns = new Map<string, NativeData>();
    for (let i = 0; i < columnCount; i++) {
      const name = this.#name();
      const type = this.#name();
      this.#prefix(type);
      columns.set(name, this.#column(type, rows));
    }
    return { rows, columns };
  }

  /** Skips the version words of the dictionaries within a type. */
  #prefix(type: string): void {
    for (let found = type.indexOf('LowCardinality('); found >= 0; found = type.indexOf('LowCardinality(', found + 1)) {
      if (this.#word64() !== 1) throw this.#malformed(`unknown dictionary version of ${type}`);
    }
  }

  #column(type: string, rows: number): NativeData {
    if (type === 'String') return this.#strings(rows);
    const width = widths[type];
    if (width !== undefined) return this.#fixed(rows, width);
    const open = type.indexOf('(');
    const inside = type.slice(open + 1, -1);
    switch (type.slice(0, open)) {
      case 'FixedString':
        return this.#fixed(rows, Number(inside));
      case 'LowCardinality':
        return this.#dictionary(inside, rows);
      case 'Array':
      case 'Map':
        return this.#runs(splitTypes(inside), rows);
      default:
        throw this.#malformed(`unexpected type ${type}`);
    }
  }

  #fixed(rows: number, width: number): FixedData {
    return { kind: 'fixed', width, bytes: this.#take(rows * width) };
  }

  #strings(rows: number): StringData {
    const starts = new Uint32Array(rows);
    const ends = new Uint32Array(rows);
    for (let i = 0; i < rows; i++) {
      const length = this.#varint();
      starts[i] = this.#at;
      this.#at += length;
      ends[i] = this.#at;
    }
    if (this.#at > this.#bytes.length) throw this.#malformed('a string ends beyond the data');
    return { kind: 'string', bytes: this.#bytes, starts, ends };
  }

  #dictionary(keyType: string, rows: number): DictionaryData {
    if (rows === 0) return { kind: 'dictionary', keys: emptyStrings, indexes: new Uint32Array(0) };
    const flags = this.#word64();
    const keyCount = this.#word64();
    const keys = this.#column(keyType, keyCount);
    if (keys.kind !== 'string' && keys.kind !== 'fixed') throw this.#malformed(`a dictionary of ${keyType}`);
    const count = this.#word64();
    if (count !== rows) throw this.#malformed(`a dictionary column of ${count} rows instead of ${rows}`);
    return { kind: 'dictionary', keys, indexes: this.#indexes(flags & 0xff, rows) };
  }

  #indexes(widthCode: number, rows: number): Uint32Array {
    const indexes = new Uint32Array(rows);
    const width = 1 << widthCode;
    const bytes = this.#take(rows * width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < rows; i++) {
      indexes[i] =
        width === 1 ? bytes[i]! : width === 2 ? view.getUint16(i * 2, true) : view.getUint32(i * width, true);
    }
    return indexes;
  }

  #runs(types: readonly string[], rows: number): RunData {
    const ends = new Uint32Array(rows);
    let last = 0;
    for (let i = 0; i < rows; i++) ends[i] = last = this.#word64();
    return { kind: 'runs', ends, inner: types.map((type) => this.#column(type, last)) };
  }

  #name(): string {
    const length = this.#varint();
    return new TextDecoder().decode(this.#take(length));
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.#malformed('a number is cut off');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.#malformed('a number is too long');
  }

  /** An eight-byte count; counts of a block are far below 2^32, so the high word must be zero. */
  #word64(): number {
    if (this.#at + 8 > this.#bytes.length) throw this.#malformed('a count is cut off');
    const lo = this.#view.getUint32(this.#at, true);
    if (this.#view.getUint32(this.#at + 4, true) !== 0) throw this.#malformed('a count is too large');
    this.#at += 8;
    return lo;
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw this.#malformed('a column is cut off');
    return this.#bytes.subarray(start, this.#at);
  }

  #malformed(what: string): StoreError {
    return new StoreError('sql_error', `read a result in Native format: ${what}, at byte ${this.#at}`, {
      details: { offset: this.#at },
    });
  }
}

const emptyStrings: StringData = {
  kind: 'string',
  bytes: new Uint8Array(0),
  starts: new Uint32Array(0),
  ends: new Uint32Array(0),
};

/** The types in a list such as `LowCardinality(String), Array(UInt8)`. */
function splitTypes(list: string): string[] {
  const types: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < list.length; i++) {
    if (list[i] === '(') depth++;
    else if (list[i] === ')') depth--;
    else if (list[i] === ',' && depth === 0) {
      types.push(list.slice(start, i).trim());
      start = i + 1;
    }
  }
  types.push(list.slice(start).trim());
  return types;
}
