import { ValueType } from '@clew/model';
import { inputError } from '../errors.ts';
import { parseDouble, parseInteger } from '../json/decimal.ts';
import { numberEnd } from '../json/json-reader.ts';
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
import { V1Sink } from './v1-sink.ts';
import type { V1BinaryAnnotation, V1Endpoint, V1Range } from './v1-span.ts';

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
    const annotation = this.v1.span.addAnnotation(this.pos);
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ANNOTATION_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) {
        this.micros('the timestamp of an annotation');
        annotation.time.lo = this.words.lo;
        annotation.time.hi = this.words.hi;
      } else if (field === 2) this.#text(annotation.value);
      else {
        this.evidence |= Evidence.V1;
        annotation.endpoint = this.#endpoint();
      }
    }
  }

  #endpoint(): V1Endpoint {
    const { span } = this.v1;
    const endpoint = span.addEndpoint();
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ENDPOINT_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.#text(endpoint.service);
      else if (field === 4) endpoint.port = this.port();
      else {
        const range = field === 2 ? endpoint.ipv4 : endpoint.ipv6;
        this.string();
        range.start = span.addresses.length;
        span.addresses.append(this.text, this.textStart, this.textEnd);
        range.end = span.addresses.length;
      }
    }
    return endpoint;
  }

  #binary(): void {
    const binary = this.v1.span.addBinary(this.pos);
    const value: V1Range = this.#value;
    let type = 0;
    let isText = true;
    value.start = value.end = this.v1.span.gathered.length;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(BINARY_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 1) this.#text(binary.key);
      else if (field === 3) binary.endpoint = this.#endpoint();
      else if (field === 4) {
        this.string();
        type = BINARY_TYPE_NAMES.find(this.text, this.textStart, this.textEnd);
      } else isText = this.#readValue(binary, value);
    }
    // What a value is can depend on a type that follows it.
    if (isText) this.#typed(binary, value, type);
    else if (binary.type === ValueType.INT && type === BinaryType.DOUBLE) this.#double(binary, value);
  }

  readonly #value: V1Range = { start: 0, end: 0 };

  /** Reads any value; returns whether it is a string. Strings and numbers are gathered, others kept in `binary`. */
  #readValue(binary: V1BinaryAnnotation, value: V1Range): boolean {
    const byte = this.peek();
    if (byte === 0x22) {
      this.#text(value);
      return true;
    }
    if (byte === 0x74 || byte === 0x66) {
      binary.type = ValueType.BOOL;
      binary.lo = this.boolean() ? 1 : 0;
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
    if (!this.#integer(binary, value)) this.#double(binary, value);
    return false;
  }

  /** Gives a text its type; one that does not fit its type stays text. */
  #typed(binary: V1BinaryAnnotation, value: V1Range, type: number): void {
    binary.lo = value.start;
    binary.hi = value.end - value.start;
    const { bytes } = this.v1.span.gathered;
    if (type === BinaryType.BYTES) this.#bytes(binary, value);
    else if (type === BinaryType.I16 || type === BinaryType.I32 || type === BinaryType.I64)
      this.#integer(binary, value);
    else if (type === BinaryType.DOUBLE) this.#doubleOfText(binary, value);
    else if (type === BinaryType.BOOL && binary.hi === 4 && bytes[value.start] === 0x74) {
      binary.type = ValueType.BOOL;
      binary.lo = 1;
      binary.hi = 0;
    } else if (type === BinaryType.BOOL && binary.hi === 5 && bytes[value.start] === 0x66) {
      binary.type = ValueType.BOOL;
      binary.lo = 0;
      binary.hi = 0;
    }
  }

  #integer(binary: V1BinaryAnnotation, value: V1Range): boolean {
    const { bytes } = this.v1.span.gathered;
    for (let i = value.start; i < value.end; i++) {
      const isDigit = bytes[i]! >= 0x30 && bytes[i]! <= 0x39;
      if (!isDigit && !(bytes[i] === 0x2d && i === value.start)) return false;
    }
    if (!parseInteger(bytes, value.start, value.end, true, this.words)) return false;
    binary.type = ValueType.INT;
    binary.lo = this.words.lo;
    binary.hi = this.words.hi;
    return true;
  }

  /** Infinities and NaN, which JSON has no numbers for, are text. */
  #doubleOfText(binary: V1BinaryAnnotation, value: V1Range): void {
    const { bytes } = this.v1.span.gathered;
    const text = new TextDecoder().decode(bytes.subarray(value.start, value.end));
    if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') setDouble(binary, Number(text));
    else if (numberEnd(bytes, value.start, value.end) === value.end) this.#double(binary, value);
  }

  #double(binary: V1BinaryAnnotation, value: V1Range): void {
    setDouble(binary, parseDouble(this.v1.span.gathered.bytes, value.start, value.end));
  }

  #bytes(binary: V1BinaryAnnotation, value: V1Range): void {
    const { gathered } = this.v1.span;
    const text = new TextDecoder().decode(gathered.bytes.subarray(value.start, value.end));
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return;
    const decoded = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    binary.type = ValueType.BYTES;
    binary.lo = gathered.length;
    binary.hi = decoded.length;
    gathered.append(decoded, 0, decoded.length);
  }
}

function setDouble(binary: V1BinaryAnnotation, value: number): void {
  doubles.setFloat64(0, value, true);
  binary.type = ValueType.DOUBLE;
  binary.lo = doubles.getUint32(0, true);
  binary.hi = doubles.getUint32(4, true);
}
