import { ValueType } from '@clew/model';
import { inputError } from '../errors.ts';
import { parseDouble, parseInteger } from '../json/decimal.ts';
import { isDigit, numberEnd } from '../json/json-reader.ts';
import { missingId } from './ids.ts';
import {
  ANNOTATION_NAMES,
  BINARY_NAMES,
  BINARY_TYPE_NAMES,
  BinaryType,
  ENDPOINT_NAMES,
  SPAN_NAMES,
} from './json-values.ts';
import { Evidence, Json2Reader } from './json-v2.ts';
import { isText } from './special-tags.ts';
import { V1Sink } from './v1-sink.ts';
import type { V1Binaries, V1Range } from './v1-span.ts';

const doubles = new DataView(new ArrayBuffer(8));

/** Reads spans of Zipkin's v1 JSON, whose texts it gathers in `v1.span`. */
export class Json1Reader extends Json2Reader {
  protected readonly v1: V1Sink = new V1Sink(this.sink);

  /** Reads a span into `v1.span`. */
  protected span1(): void {
    const { span } = this.v1;
    span.clear();
    let hasTraceId = false;
    let hasId = false;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(SPAN_NAMES);
      if (field === 0) {
        this.skipValue(0);
        continue;
      }
      if (this.takeNull()) continue;
      if (field > 8) this.evidence |= field === 14 ? Evidence.V1 : Evidence.V2;
      switch (field) {
        case 1:
          hasTraceId = true;
          this.id(span.traceId, 0, 'traceId', 'v1');
          break;
        case 2:
          hasId = true;
          this.id(span.id, 0, 'id', 'v1');
          break;
        case 3:
          this.id(span.parentId, 0, 'parentId', 'v1');
          break;
        case 4:
          this.#text(span.name);
          break;
        case 5:
          this.micros('timestamp');
          span.timestamp.lo = this.words.lo;
          span.timestamp.hi = this.words.hi;
          break;
        case 6:
          this.micros('duration');
          span.duration.lo = this.words.lo;
          span.duration.hi = this.words.hi;
          break;
        case 7:
          span.isDebug = this.boolean();
          break;
        case 8:
          for (let another = this.openArray(); another; another = this.nextElement()) {
            if (!this.takeNull()) this.#annotation();
          }
          break;
        case 14:
          for (let another = this.openArray(); another; another = this.nextElement()) {
            if (!this.takeNull()) this.#binary();
          }
          break;
        default:
          this.skipValue(0);
      }
    }
    span.source = span.gathered.bytes;
    if (!hasTraceId) throw missingId('traceId', this.pos);
    if (!hasId) throw missingId('id', this.pos);
  }

  /** Reads a string into the gathered texts. */
  #text(range: V1Range): void {
    const { gathered } = this.v1.span;
    this.string();
    range.start = gathered.length;
    gathered.append(this.text, this.textStart, this.textEnd);
    range.end = gathered.length;
  }

  #annotation(): void {
    const { span } = this.v1;
    const row = span.addAnnotation(this.pos);
    const { annotations } = span;
    const range = this.#range;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ANNOTATION_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) {
        this.micros('the timestamp of an annotation');
        annotations.timeLo[row] = this.words.lo;
        annotations.timeHi[row] = this.words.hi;
      } else if (field === 2) {
        this.#text(range);
        annotations.start[row] = range.start;
        annotations.end[row] = range.end;
      } else {
        this.evidence |= Evidence.V1;
        annotations.endpoint[row] = this.#endpoint();
      }
    }
  }

  /** Reads an endpoint; returns its row. */
  #endpoint(): number {
    const { addresses, endpoints } = this.v1.span;
    const row = endpoints.add();
    const range = this.#range;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ENDPOINT_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) {
        this.#text(range);
        endpoints.serviceStart[row] = range.start;
        endpoints.serviceEnd[row] = range.end;
      } else if (field === 4) endpoints.ports[row] = this.port();
      else {
        this.string();
        const start = addresses.length;
        addresses.append(this.text, this.textStart, this.textEnd);
        (field === 2 ? endpoints.ipv4Start : endpoints.ipv6Start)[row] = start;
        (field === 2 ? endpoints.ipv4End : endpoints.ipv6End)[row] = addresses.length;
      }
    }
    return row;
  }

  #binary(): void {
    const { span } = this.v1;
    const row = span.addBinary(this.pos);
    const { binaries } = span;
    const value = this.#value;
    let type = 0;
    let isString = true;
    value.start = value.end = span.gathered.length;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(BINARY_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) {
        this.#text(this.#range);
        binaries.keyStart[row] = this.#range.start;
        binaries.keyEnd[row] = this.#range.end;
      } else if (field === 3) binaries.endpoint[row] = this.#endpoint();
      else if (field === 4) {
        this.string();
        type = BINARY_TYPE_NAMES.find(this.text, this.textStart, this.textEnd);
      } else isString = this.#readValue(binaries, row, value);
    }
    // What a value is can depend on a type that follows it.
    if (isString) this.#typed(binaries, row, value, type);
    else if (binaries.types[row] === ValueType.INT && type === BinaryType.DOUBLE) this.#double(binaries, row, value);
  }

  readonly #range: V1Range = { start: 0, end: 0 };
  readonly #value: V1Range = { start: 0, end: 0 };

  /** Reads any value; returns whether it is a string. Strings and numbers are gathered, others kept in the row. */
  #readValue(binaries: V1Binaries, row: number, value: V1Range): boolean {
    const byte = this.peek();
    if (byte === 0x22) {
      this.#text(value);
      return true;
    }
    if (byte === 0x74 || byte === 0x66) {
      binaries.set(row, ValueType.BOOL, this.boolean() ? 1 : 0, 0);
      return false;
    }
    if (byte === 0x7b || byte === 0x5b) {
      throw inputError('wrong_json_type', this.pos, 'the value of a binary annotation must be a text, number or bool');
    }
    const { gathered } = this.v1.span;
    this.number();
    value.start = gathered.length;
    gathered.append(this.text, this.textStart, this.textEnd);
    value.end = gathered.length;
    if (!this.#integer(binaries, row, value)) this.#double(binaries, row, value);
    return false;
  }

  /** Gives a text its type; one that does not fit its type stays text. */
  #typed(binaries: V1Binaries, row: number, value: V1Range, type: number): void {
    const length = value.end - value.start;
    const { bytes } = this.v1.span.gathered;
    binaries.set(row, ValueType.STRING, value.start, length);
    switch (type) {
      case BinaryType.BYTES:
        this.#bytes(binaries, row, value);
        break;
      case BinaryType.I16:
      case BinaryType.I32:
      case BinaryType.I64:
        this.#integer(binaries, row, value);
        break;
      case BinaryType.DOUBLE:
        this.#doubleOfText(binaries, row, value);
        break;
      case BinaryType.BOOL:
        if (isText(bytes, value.start, length, 'true')) binaries.set(row, ValueType.BOOL, 1, 0);
        else if (isText(bytes, value.start, length, 'false')) binaries.set(row, ValueType.BOOL, 0, 0);
        break;
      default: // text
    }
  }

  #integer(binaries: V1Binaries, row: number, value: V1Range): boolean {
    const { bytes } = this.v1.span.gathered;
    for (let i = value.start; i < value.end; i++) {
      const isSign = bytes[i] === 0x2d && i === value.start;
      if (!isSign && !isDigit(bytes[i])) return false;
    }
    if (!parseInteger(bytes, value.start, value.end, true, this.words)) return false;
    binaries.set(row, ValueType.INT, this.words.lo, this.words.hi);
    return true;
  }

  /** Infinities and NaN, which JSON has no numbers for, are text. */
  #doubleOfText(binaries: V1Binaries, row: number, value: V1Range): void {
    const { bytes } = this.v1.span.gathered;
    const text = new TextDecoder().decode(bytes.subarray(value.start, value.end));
    if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') setDouble(binaries, row, Number(text));
    else if (numberEnd(bytes, value.start, value.end) === value.end) this.#double(binaries, row, value);
  }

  #double(binaries: V1Binaries, row: number, value: V1Range): void {
    setDouble(binaries, row, parseDouble(this.v1.span.gathered.bytes, value.start, value.end));
  }

  #bytes(binaries: V1Binaries, row: number, value: V1Range): void {
    const { gathered } = this.v1.span;
    const text = new TextDecoder().decode(gathered.bytes.subarray(value.start, value.end));
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return;
    const decoded = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    binaries.set(row, ValueType.BYTES, gathered.length, decoded.length);
    gathered.append(decoded, 0, decoded.length);
  }
}

function setDouble(binaries: V1Binaries, row: number, value: number): void {
  doubles.setFloat64(0, value, true);
  binaries.set(row, ValueType.DOUBLE, doubles.getUint32(0, true), doubles.getUint32(4, true));
}
