import { inputError } from '../errors.ts';
import { parseInteger } from '../json/decimal.ts';
import { JsonReader } from '../json/json-reader.ts';
import { NameTable } from '../json/name-table.ts';
import { checkedPort } from './span-values.ts';

/** Members of a span of either version: up to 8 of both, up to 13 of v2 only, 14 of v1 only. */
export const SPAN_NAMES: NameTable = new NameTable({
  traceId: 1,
  id: 2,
  parentId: 3,
  name: 4,
  timestamp: 5,
  duration: 6,
  debug: 7,
  annotations: 8,
  kind: 9,
  localEndpoint: 10,
  remoteEndpoint: 11,
  tags: 12,
  shared: 13,
  binaryAnnotations: 14,
});
export const ENDPOINT_NAMES: NameTable = new NameTable({ serviceName: 1, ipv4: 2, ipv6: 3, port: 4 });
export const ANNOTATION_NAMES: NameTable = new NameTable({ timestamp: 1, value: 2, endpoint: 3 });
export const BINARY_NAMES: NameTable = new NameTable({ key: 1, value: 2, endpoint: 3, type: 4 });
/** What the value of a v1 binary annotation is; the numbers are Thrift's and one more. */
export const BinaryType = Object.freeze({ BOOL: 1, BYTES: 2, I16: 3, I32: 4, I64: 5, DOUBLE: 6, STRING: 7 } as const);
export const BINARY_TYPE_NAMES: NameTable = new NameTable(BinaryType);
/** Kinds by name; the number is protobuf's. */
export const KIND_NAMES: NameTable = new NameTable({
  CLIENT: 1,
  SERVER: 2,
  PRODUCER: 3,
  CONSUMER: 4,
  client: 1,
  server: 2,
  producer: 3,
  consumer: 4,
});

/** Reads the values Zipkin's JSON is made of. A hot path, guarded by `bench/codec`. */
export class ZipkinJsonReader extends JsonReader {
  /** The integer read last, as two unsigned words. */
  protected readonly words = { lo: 0, hi: 0 };

  /** Reads microseconds into `words`: a whole number that is not negative, or its text. */
  protected micros(member: string): void {
    if (this.#plainInteger()) return;
    this.numberOrString();
    if (parseInteger(this.text, this.textStart, this.textEnd, false, this.words)) return;
    throw inputError(
      'wrong_json_type',
      this.pos,
      `${member} must be a whole number of microseconds from 0 to 2^64 - 1`,
    );
  }

  /** Reads digits that make less than 2^53, the form of nearly all times; anything else is left to be read otherwise. */
  #plainInteger(): boolean {
    const { buf, end } = this;
    let pos = this.peek() < 0 ? end : this.pos;
    const first = pos;
    let value = 0;
    while (pos < end && pos - first < 17) {
      const digit = buf[pos]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      pos++;
    }
    const after = pos < end ? buf[pos]! : 0;
    const isEnd = after === 0x2c || after === 0x7d || after === 0x5d || after === 0x20;
    if (!isEnd || pos === first || value > Number.MAX_SAFE_INTEGER || (buf[first] === 0x30 && pos - first > 1))
      return false;
    this.words.hi = Math.floor(value / 2 ** 32);
    this.words.lo = value - this.words.hi * 2 ** 32;
    this.pos = pos;
    return true;
  }

  /** Reads a port; 0 stands for none. */
  protected port(): number {
    const { words } = this;
    this.numberOrString();
    if (!parseInteger(this.text, this.textStart, this.textEnd, false, words)) throw this.unsuitable('a port');
    return checkedPort(words.lo, words.hi, 'wrong_json_type', this.pos);
  }
}
