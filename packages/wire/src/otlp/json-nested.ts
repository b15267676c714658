import { ValueType } from '@clew/model';
import { MAX_DEPTH } from '../limits.ts';
import { appendSigned } from '../json/decimal.ts';
import type { JsonWriter } from '../json/json-writer.ts';
import { viewOf } from '../protobuf/protobuf-reader.ts';
import { NestedReader } from './protobuf-nested.ts';

/**
 * Writes protobuf messages a batch keeps encoded (`ArrayValue`, `KeyValueList`, `EntityRef`) as OTLP/JSON. These are
 * rare, so this reader is written for clarity.
 *
 * Fails with `WireError` when the bytes are not what they should be.
 */
export class NestedJson extends NestedReader {
  readonly #out: JsonWriter;

  constructor(bytes: Uint8Array, out: JsonWriter) {
    super();
    this.buf = bytes;
    this.view = viewOf(bytes);
    this.maxDepth = MAX_DEPTH;
    this.#out = out;
  }

  /** Writes the `{"values":[…]}` of the message body in `[start, end)`. */
  values(start: number, end: number, keyed: boolean): void {
    this.checkNested(start, end, keyed, 1);
    this.#values([[start, end]], keyed);
  }

  /** Writes the array of the `entity_refs` fields in `[start, end)`. */
  entityRefs(start: number, end: number): void {
    this.#list(this.#fields(start, end, 0x1a), (from, to) => this.#entityRef(from, to));
  }

  /** The ranges of all fields with `tag` in `[start, end)`. */
  #fields(start: number, end: number, tag: number): Range[] {
    const found: Range[] = [];
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const seen = this.lo;
      const from = pos;
      pos = this.skip(seen, pos, end, 1);
      if (seen === tag) found.push([this.length(from, end), pos]);
    }
    return found;
  }

  #list(ranges: readonly Range[], write: (start: number, end: number) => void): void {
    this.#out.byte(0x5b);
    for (const [at, [start, end]] of ranges.entries()) {
      if (at > 0) this.#out.byte(0x2c);
      write(start, end);
    }
    this.#out.byte(0x5d);
  }

  /** One list out of the bodies of a message that came in parts. */
  #values(parts: readonly Range[], keyed: boolean): void {
    const elements = parts.flatMap(([start, end]) => this.#fields(start, end, 0x0a));
    if (elements.length === 0) {
      this.#out.ascii('{}');
      return;
    }
    this.#out.ascii('{"values":');
    this.#list(elements, (start, end) => (keyed ? this.#keyValue(start, end) : this.#anyValue([[start, end]])));
    this.#out.byte(0x7d);
  }

  #keyValue(start: number, end: number): void {
    const [keyStart, keyEnd] = this.#fields(start, end, 0x0a).at(-1) ?? [start, start];
    this.#out.ascii('{"key":');
    this.#out.string(this.buf, keyStart, keyEnd);
    this.#out.ascii(',"value":');
    this.#anyValue(this.#fields(start, end, 0x12));
    this.#out.byte(0x7d);
  }

  /**
   * Writes the `AnyValue` that came in `parts`: its last member, an array or map merged with parts of it directly
   * before.
   */
  #anyValue(parts: readonly Range[]): void {
    const members = parts.flatMap(([start, end]) => this.#members(start, end));
    const last = members.at(-1);
    if (last === undefined) {
      this.#out.ascii('{}');
      return;
    }
    const { tag, range } = last;
    const [start, end] = range;
    const out = this.#out;
    switch (tag >>> 3) {
      case ValueType.STRING:
        out.ascii('{"stringValue":');
        out.string(this.buf, start, end);
        break;
      case ValueType.BOOL:
        this.varint(start, end);
        out.ascii((this.lo | this.hi) === 0 ? '{"boolValue":false' : '{"boolValue":true');
        break;
      case ValueType.INT:
        this.varint(start, end);
        out.ascii('{"intValue":"');
        appendSigned(out, this.lo, this.hi);
        out.byte(0x22);
        break;
      case ValueType.DOUBLE:
        out.ascii('{"doubleValue":');
        out.double(this.view.getFloat64(start, true));
        break;
      case ValueType.BYTES:
        out.ascii('{"bytesValue":');
        out.base64(this.buf, start, end);
        break;
      default: {
        const before = members.findLastIndex((member) => member.tag !== tag);
        const merged = members.slice(before + 1).map((member) => member.range);
        out.ascii(tag === 0x2a ? '{"arrayValue":' : '{"kvlistValue":');
        this.#values(merged, tag === 0x32);
      }
    }
    out.byte(0x7d);
  }

  /** The members of the oneof in `[start, end)`, in order. */
  #members(start: number, end: number): { tag: number; range: Range }[] {
    const found: { tag: number; range: Range }[] = [];
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      const from = pos;
      pos = this.skip(tag, pos, end, 1);
      if (tag >>> 3 > ValueType.BYTES) continue;
      found.push({ tag, range: [(tag & 7) === 2 ? this.length(from, end) : from, pos] });
    }
    return found;
  }

  #entityRef(start: number, end: number): void {
    const out = this.#out;
    const schemaUrl = this.#fields(start, end, 0x0a).at(-1);
    const type = this.#fields(start, end, 0x12).at(-1);
    const members: [string, () => void][] = [];
    if (schemaUrl !== undefined) members.push(['schemaUrl', () => out.string(this.buf, ...schemaUrl)]);
    if (type !== undefined) members.push(['type', () => out.string(this.buf, ...type)]);
    for (const [name, tag] of [
      ['idKeys', 0x1a],
      ['descriptionKeys', 0x22],
    ] as const) {
      const keys = this.#fields(start, end, tag);
      if (keys.length > 0) members.push([name, () => this.#list(keys, (from, to) => out.string(this.buf, from, to))]);
    }
    out.byte(0x7b);
    for (const [at, [name, write]] of members.entries()) {
      out.ascii(`${at === 0 ? '' : ','}"${name}":`);
      write();
    }
    out.byte(0x7d);
  }
}

type Range = readonly [start: number, end: number];
