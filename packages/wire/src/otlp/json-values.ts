import { SpanBatch, ValueType } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { inputError } from '../errors.ts';
import { parseDouble, parseInteger } from '../json/decimal.ts';
import { JsonReader, hexDigit, numberEnd } from '../json/json-reader.ts';
import { ANY_VALUE_NAMES, KEY_VALUE_NAMES, VALUES_NAMES } from './json-names.ts';
import type { NameTable } from '../json/name-table.ts';
import { TextBuffer } from '../json/text-buffer.ts';

const NO_BATCH = new SpanBatch();

/**
 * Reads the values OTLP/JSON is made of (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding) into a
 * batch: strings, ids, 64-bit numbers as text or number, `KeyValue` and `AnyValue`. Arrays and maps are stored as the
 * batch wants them: encoded as protobuf.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class JsonValueReader extends JsonReader {
  protected batch: SpanBatch = NO_BATCH;
  /** The integer read last, as two unsigned words. */
  protected readonly words = { lo: 0, hi: 0 };
  /** Protobuf under construction: a nested value, or entity references. */
  protected readonly encoded = new TextBuffer();
  readonly #double = new DataView(new ArrayBuffer(8));

  protected override release(): void {
    super.release();
    this.batch = NO_BATCH;
    this.encoded.reset();
  }

  /** Reads a string into the dictionary; returns its index. */
  protected internString(): number {
    this.string();
    return this.batch.strings.intern(this.text, this.textStart, this.textEnd);
  }

  /** Reads a hexadecimal id of `width` bytes, or an empty one, into `target`. */
  protected id(target: Uint8Array, at: number, width: 8 | 16): void {
    this.string();
    const { text, textStart } = this;
    const length = this.textEnd - textStart;
    if (length === 0) {
      target.fill(0, at, at + width);
      return;
    }
    const kind = width === 16 ? 'TraceID' : 'SpanID';
    if (length !== width * 2) {
      throw inputError(
        'invalid_id',
        this.pos,
        `unmarshal: invalid ${kind} length: ${length} digits instead of 0 or ${width * 2}`,
      );
    }
    for (let i = 0; i < width; i++) {
      const high = hexDigit(text[textStart + i * 2]!);
      const low = hexDigit(text[textStart + i * 2 + 1]!);
      if ((high | low) < 0) throw inputError('invalid_id', this.pos, `unmarshal: invalid ${kind}: not hexadecimal`);
      target[at + i] = (high << 4) | low;
    }
  }

  /** Reads a 64-bit integer, text or number, into `words`. */
  protected integer64(signed: boolean): void {
    this.numberOrString();
    if (!parseInteger(this.text, this.textStart, this.textEnd, signed, this.words)) {
      throw this.unsuitable(signed ? 'a signed 64-bit integer' : 'an unsigned 64-bit integer');
    }
  }

  /** Reads an unsigned 32-bit integer, number or text. */
  protected uint32(): number {
    this.integer64(false);
    if (this.words.hi !== 0) throw this.unsuitable('an unsigned 32-bit integer');
    return this.words.lo;
  }

  /** Reads an enum: its number, or its name as listed in `names`. */
  protected enumeration(names: NameTable): number {
    if (this.numberOrString()) {
      const found = names.find(this.text, this.textStart, this.textEnd);
      if (found !== 0) return found - 1;
    }
    const { words } = this;
    if (
      !parseInteger(this.text, this.textStart, this.textEnd, true, words) ||
      (words.lo | 0) >> 31 !== (words.hi | 0)
    ) {
      throw this.unsuitable('the number or name of an enum');
    }
    return words.lo | 0;
  }

  /** Reads a double, number or text, into `words` as its IEEE 754 form. */
  protected double(): void {
    const { words } = this;
    const value = this.numberOrString() ? this.#doubleOfText() : parseDouble(this.text, this.textStart, this.textEnd);
    if (value === undefined) throw this.unsuitable('a number, "NaN", "Infinity" or "-Infinity"');
    this.#double.setFloat64(0, value, true);
    words.lo = this.#double.getUint32(0, true);
    words.hi = this.#double.getUint32(4, true);
  }

  #doubleOfText(): number | undefined {
    const { text, textStart, textEnd } = this;
    const first = text[textStart];
    const length = textEnd - textStart;
    if (first === 0x4e && length === 3) return NaN;
    if (first === 0x49 && length === 8) return Infinity;
    if (first === 0x2d && length === 9 && text[textStart + 1] === 0x49) return -Infinity;
    return numberEnd(text, textStart, textEnd) === textEnd ? parseDouble(text, textStart, textEnd) : undefined;
  }

  /** Reads an array of `KeyValue` into `table`. */
  protected attributes(table: AttributeTable): void {
    for (let more = this.openArray(); more; more = this.nextElement()) {
      if (!this.takeNull()) this.#keyValue(table);
    }
  }

  #keyValue(table: AttributeTable): void {
    const row = table.count;
    table.push(0, ValueType.EMPTY, 0, 0);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(KEY_VALUE_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) table.keys[row] = this.internString();
      else this.#anyValue(table, row);
    }
  }

  #anyValue(table: AttributeTable, row: number): void {
    const { batch, words } = this;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ANY_VALUE_NAMES);
      if (field === 0) {
        this.skipValue(0);
        continue;
      }
      if (this.takeNull()) continue;
      switch (field) {
        case ValueType.STRING:
          this.string();
          words.lo = batch.appendHeap(this.text, this.textStart, this.textEnd);
          words.hi = this.textEnd - this.textStart;
          break;
        case ValueType.BOOL:
          words.lo = this.boolean() ? 1 : 0;
          words.hi = 0;
          break;
        case ValueType.INT:
          this.integer64(true);
          break;
        case ValueType.DOUBLE:
          this.double();
          break;
        default:
          this.encoded.length = 0;
          if (field === ValueType.BYTES) this.#base64();
          else this.#valueList(field === ValueType.KVLIST, 1);
          words.lo = batch.appendHeap(this.encoded.bytes, 0, this.encoded.length);
          words.hi = this.encoded.length;
      }
      table.types[row] = field;
      table.lo[row] = words.lo;
      table.hi[row] = words.hi;
    }
  }

  /** Reads `{"values": […]}` and appends the body of the `ArrayValue`, or `KeyValueList` when `keyed`. */
  #valueList(keyed: boolean, depth: number): void {
    const { encoded } = this;
    this.enter(depth);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      if (this.name(VALUES_NAMES) === 0) {
        this.skipValue(depth);
        continue;
      }
      if (this.takeNull()) continue;
      for (let another = this.openArray(); another; another = this.nextElement()) {
        const body = encoded.beginField(0x0a);
        // A null in an array keeps its place, as the empty value.
        if (!this.takeNull()) {
          if (keyed) this.#encodeKeyValue(depth);
          else this.#encodeAnyValue(depth);
        }
        encoded.endField(body);
      }
    }
  }

  #encodeKeyValue(depth: number): void {
    const { encoded } = this;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(KEY_VALUE_NAMES);
      if (field === 0) this.skipValue(depth);
      else if (this.takeNull()) continue;
      else {
        const body = encoded.beginField(field === 1 ? 0x0a : 0x12);
        if (field === 1) this.encodeText();
        else this.#encodeAnyValue(depth);
        encoded.endField(body);
      }
    }
  }

  #encodeAnyValue(depth: number): void {
    const { encoded, words } = this;
    const start = encoded.length;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ANY_VALUE_NAMES);
      if (field === 0) {
        this.skipValue(depth);
        continue;
      }
      if (this.takeNull()) continue;
      // Of several members the last one stays.
      encoded.length = start;
      switch (field) {
        case ValueType.BOOL:
          encoded.byte(0x10);
          encoded.byte(this.boolean() ? 1 : 0);
          break;
        case ValueType.INT:
          this.integer64(true);
          encoded.byte(0x18);
          encoded.varint(words.lo, words.hi);
          break;
        case ValueType.DOUBLE:
          this.double();
          encoded.byte(0x21);
          encoded.word(words.lo);
          encoded.word(words.hi);
          break;
        default: {
          const body = encoded.beginField((field << 3) | 2);
          if (field === ValueType.STRING) this.encodeText();
          else if (field === ValueType.BYTES) this.#base64();
          else this.#valueList(field === ValueType.KVLIST, depth + 1);
          encoded.endField(body);
        }
      }
    }
  }

  /** Reads a string and appends its bytes to `encoded`. */
  protected encodeText(): void {
    this.string();
    this.encoded.append(this.text, this.textStart, this.textEnd);
  }

  /** Reads base64, either alphabet, padded or not, and appends the bytes to `encoded`. */
  #base64(): void {
    this.string();
    const { text, encoded } = this;
    let end = this.textEnd;
    while (end > this.textStart && text[end - 1] === 0x3d && this.textEnd - end < 2) end--;
    let bits = 0;
    let count = 0;
    for (let i = this.textStart; i < end; i++) {
      const digit = BASE64_DIGITS[text[i]!]!;
      if (digit > 63) throw this.unsuitable('base64');
      bits = (bits << 6) | digit;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      encoded.byte((bits >>> count) & 0xff);
    }
    if (count === 6) throw this.unsuitable('base64');
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_DIGITS = new Uint8Array(256).fill(0xff);
for (let digit = 0; digit < BASE64.length; digit++) BASE64_DIGITS[BASE64.charCodeAt(digit)] = digit;
BASE64_DIGITS['-'.charCodeAt(0)] = 62;
BASE64_DIGITS['_'.charCodeAt(0)] = 63;
