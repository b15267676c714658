import { ValueType, base64Of, isArray } from '@clew/model';
import type { AttributeTable, AttributeValue, SpanBatch } from '@clew/model';
import { WireError } from '../errors.ts';
import { parseDouble, parseInteger } from '../json/decimal.ts';
import { JsonReader } from '../json/json-reader.ts';
import { TextBuffer } from '../json/text-buffer.ts';

/**
 * Attributes as the JSON object that OpenTelemetry's Zipkin exporter puts into annotations and link tags. Numbers without
 * a fraction are integers, and an integral double is therefore written with one (`5.0`). Rare, so written for clarity.
 */

const doubles = new DataView(new ArrayBuffer(8));

/** Reads attributes from a JSON object; nested values are encoded as batches keep them. */
class AttributeJsonReader extends JsonReader {
  readonly #encoded = new TextBuffer();
  readonly #words = { lo: 0, hi: 0 };

  /** Appends the members of the object that is all of `text[start, end)` to `table`. */
  read(text: Uint8Array, start: number, end: number, batch: SpanBatch, table: AttributeTable, maxDepth: number): void {
    this.bindInput(text);
    this.pos = start;
    this.end = end;
    this.maxDepth = maxDepth;
    try {
      for (let more = this.openObject(); more; more = this.nextMember()) {
        this.key();
        const key = batch.strings.intern(this.text, this.textStart, this.textEnd);
        this.#attribute(batch, table, key);
      }
      if (this.peek() >= 0) throw this.malformed('the end of the attributes');
    } finally {
      this.release();
      this.#encoded.reset();
    }
  }

  #attribute(batch: SpanBatch, table: AttributeTable, key: number): void {
    const encoded = this.#encoded;
    encoded.length = 0;
    const type = this.#value(1);
    if (type === ValueType.STRING || type === ValueType.ARRAY || type === ValueType.KVLIST) {
      const at = batch.appendHeap(encoded.bytes, 0, encoded.length);
      table.push(key, type, at, encoded.length);
    } else table.push(key, type, this.#words.lo, this.#words.hi);
  }

  /** Reads any value: what lies in the heap into `#encoded`, the rest into `#words`; returns its type. */
  #value(depth: number): ValueType {
    const encoded = this.#encoded;
    const words = this.#words;
    words.hi = 0;
    switch (this.peek()) {
      case 0x22:
        this.string();
        encoded.append(this.text, this.textStart, this.textEnd);
        return ValueType.STRING;
      case 0x74:
      case 0x66:
        words.lo = this.boolean() ? 1 : 0;
        return ValueType.BOOL;
      case 0x6e:
        this.takeNull();
        words.lo = 0;
        return ValueType.EMPTY;
      case 0x5b:
        this.enter(depth);
        for (let more = this.openArray(); more; more = this.nextElement()) this.#nestedValue(0x0a, depth);
        return ValueType.ARRAY;
      case 0x7b:
        this.enter(depth);
        for (let more = this.openObject(); more; more = this.nextMember()) this.#entry(depth);
        return ValueType.KVLIST;
      default:
        return this.#number();
    }
  }

  #entry(depth: number): void {
    const encoded = this.#encoded;
    const entry = encoded.beginField(0x0a);
    const key = encoded.beginField(0x0a);
    this.key();
    encoded.append(this.text, this.textStart, this.textEnd);
    encoded.endField(key);
    this.#nestedValue(0x12, depth);
    encoded.endField(entry);
  }

  /** Reads a value inside an array or object and appends it as an `AnyValue` field. */
  #nestedValue(tag: number, depth: number): void {
    const encoded = this.#encoded;
    const words = this.#words;
    const body = encoded.beginField(tag);
    const first = this.peek();
    if (first === 0x22 || first === 0x5b || first === 0x7b) {
      const field = first === 0x22 ? ValueType.STRING : first === 0x5b ? ValueType.ARRAY : ValueType.KVLIST;
      const value = encoded.beginField((field << 3) | 2);
      this.#value(depth + 1);
      encoded.endField(value);
    } else {
      switch (this.#value(depth + 1)) {
        case ValueType.BOOL:
          encoded.byte(0x10);
          encoded.byte(words.lo);
          break;
        case ValueType.INT:
          encoded.byte(0x18);
          encoded.varint(words.lo, words.hi);
          break;
        case ValueType.DOUBLE:
          encoded.byte(0x21);
          encoded.word(words.lo);
          encoded.word(words.hi);
          break;
        default: // empty: an AnyValue without a member
      }
    }
    encoded.endField(body);
  }

  #number(): ValueType {
    this.number();
    const { text, textStart, textEnd } = this;
    const words = this.#words;
    let isInteger = true;
    for (let i = textStart; i < textEnd && isInteger; i++) isInteger = text[i] === 0x2d || text[i]! >= 0x30;
    for (let i = textStart; i < textEnd && isInteger; i++) isInteger = (text[i]! | 0x20) !== 0x65;
    if (isInteger && parseInteger(text, textStart, textEnd, true, words)) return ValueType.INT;
    const value = parseDouble(text, textStart, textEnd);
    if (!Number.isFinite(value)) throw this.unsuitable('a number a double can hold');
    doubles.setFloat64(0, value, true);
    words.lo = doubles.getUint32(0, true);
    words.hi = doubles.getUint32(4, true);
    return ValueType.DOUBLE;
  }
}

const reader = new AttributeJsonReader();

/**
 * Appends the attributes of the JSON object that is all of `text[start, end)` to `table`; returns false, having appended
 * none, when it is no JSON object or is nested deeper than `maxDepth`.
 */
export function readAttributeJson(
  text: Uint8Array,
  start: number,
  end: number,
  batch: SpanBatch,
  table: AttributeTable,
  maxDepth: number,
): boolean {
  const count = table.count;
  try {
    reader.read(text, start, end, batch, table, maxDepth);
    return true;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    table.count = count;
    return false;
  }
}

/** A value as JSON from which {@link readAttributeJson} gives the same back, but for bytes, which become base64 text. */
export function jsonOfValue(value: AttributeValue): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.toWellFormed());
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return jsonOfDouble(value);
    default:
      if (value instanceof Uint8Array) return `"${base64Of(value)}"`;
      if (isArray(value)) return `[${value.map(jsonOfValue).join(',')}]`;
      return `{${value.entries.map((entry) => `${jsonOfValue(entry.key)}:${jsonOfValue(entry.value)}`).join(',')}}`;
  }
}

/** JSON has no infinities: they become text. */
export function jsonOfDouble(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
