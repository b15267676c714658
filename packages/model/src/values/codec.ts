import { ModelError } from '../errors.ts';
import { highWord, lowWord, signedOfWords } from '../times.ts';
import { bytesOfText, losslessText } from '../text.ts';
import { ProtoReader } from './proto-reader.ts';
import { isArray, type AttributeValue, type KeyValue, type KeyValueList } from './value.ts';

/**
 * Nested values as batches keep them: the body of an OTLP `ArrayValue` or `KeyValueList` message
 * (opentelemetry/proto/common/v1/common.proto). Field numbers used: `ArrayValue.values` 1, `KeyValueList.values` 1,
 * `KeyValue.key` 1 and `.value` 2, `AnyValue` as in {@link ValueType}.
 */

/** How deep arrays and maps may nest in each other; the setting is the caller's `maxDepth`. */
export const DEFAULT_MAX_VALUE_DEPTH = 64;

/** The body of an `ArrayValue` message. Throws `value_too_deep`. */
export function encodeArray(values: readonly AttributeValue[], maxDepth: number = DEFAULT_MAX_VALUE_DEPTH): Uint8Array {
  return arrayBody(values, maxDepth);
}

/** The body of a `KeyValueList` message. Throws `value_too_deep`. */
export function encodeKeyValueList(list: KeyValueList, maxDepth: number = DEFAULT_MAX_VALUE_DEPTH): Uint8Array {
  return keyValueListBody(list, maxDepth);
}

/** The array in `bytes[start, end)`, a message body. Throws `invalid_value` with the offset, or `value_too_deep`. */
export function decodeArray(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  maxDepth: number = DEFAULT_MAX_VALUE_DEPTH,
): AttributeValue[] {
  return readArray(new ProtoReader(bytes, start, end), maxDepth);
}

/** The map in `bytes[start, end)`, a message body. Throws `invalid_value` with the offset, or `value_too_deep`. */
export function decodeKeyValueList(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  maxDepth: number = DEFAULT_MAX_VALUE_DEPTH,
): KeyValueList {
  return readKeyValueList(new ProtoReader(bytes, start, end), maxDepth);
}

function readArray(reader: ProtoReader, depthLeft: number): AttributeValue[] {
  checkDepth(depthLeft);
  const values: AttributeValue[] = [];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1, 2)) values.push(readAny(reader.message(), depthLeft, null));
    else reader.skip(tag, knownIn(tag, 1));
  }
  return values;
}

function readKeyValueList(reader: ProtoReader, depthLeft: number): KeyValueList {
  checkDepth(depthLeft);
  const entries: KeyValue[] = [];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1, 2)) entries.push(readKeyValue(reader.message(), depthLeft));
    else reader.skip(tag, knownIn(tag, 1));
  }
  return { entries };
}

function readKeyValue(reader: ProtoReader, depthLeft: number): KeyValue {
  let key = '';
  let value: AttributeValue = null;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === tagOf(1, 2)) key = losslessText(reader.bytes());
    else if (tag === tagOf(2, 2)) value = readAny(reader.message(), depthLeft, value);
    else reader.skip(tag, knownIn(tag, 2));
  }
  return { key, value };
}

/** Reads an `AnyValue`; the last field wins, and as protobuf rules, one nested message sent in parts is merged with `before`. */
function readAny(reader: ProtoReader, depthLeft: number, before: AttributeValue): AttributeValue {
  let value = before;
  while (!reader.done) {
    const tag = reader.tag();
    switch (tag) {
      case tagOf(1, 2):
        value = losslessText(reader.bytes());
        break;
      case tagOf(2, 0):
        reader.varint();
        value = (reader.lo | reader.hi) !== 0;
        break;
      case tagOf(3, 0):
        reader.varint();
        value = signedOfWords(reader.lo, reader.hi);
        break;
      case tagOf(4, 1):
        reader.fixed64();
        value = doubleOfWords(reader.lo, reader.hi);
        break;
      case tagOf(5, 2): {
        const more = readArray(reader.message(), depthLeft - 1);
        value = value !== null && isArray(value) ? extended(value, more) : more;
        break;
      }
      case tagOf(6, 2): {
        const more = readKeyValueList(reader.message(), depthLeft - 1);
        value = isKeyValueList(value) ? { entries: extended(value.entries, more.entries) } : more;
        break;
      }
      case tagOf(7, 2):
        value = reader.bytes().slice();
        break;
      default:
        reader.skip(tag, knownIn(tag, 7));
    }
  }
  return value;
}

/**
 * `list`, which this reader has just made, with `more` behind it. In place: copying would make a value in very many parts cost their
 * number squared.
 */
function extended<T>(list: readonly T[], more: readonly T[]): readonly T[] {
  const own = list as T[];
  for (const element of more) own.push(element);
  return own;
}

/** The double whose IEEE 754 form is these two words. */
export function doubleOfWords(lo: number, hi: number): number {
  scratchWords[0] = lo;
  scratchWords[1] = hi;
  return scratchDouble[0]!;
}

/** Writes the IEEE 754 form of `value` as two words to `target[at]` (low) and `target[at + 1]` (high). */
export function writeDoubleWords(value: number, target: Uint32Array, at: number): void {
  scratchDouble[0] = value;
  target[at] = scratchWords[0]!;
  target[at + 1] = scratchWords[1]!;
}

const scratchDouble = new Float64Array(1);
const scratchWords = new Uint32Array(scratchDouble.buffer);

function arrayBody(values: readonly AttributeValue[], depthLeft: number): Uint8Array {
  checkDepth(depthLeft);
  return joined(values.flatMap((value) => delimited(1, anyBody(value, depthLeft))));
}

function keyValueListBody(list: KeyValueList, depthLeft: number): Uint8Array {
  checkDepth(depthLeft);
  return joined(
    list.entries.flatMap(({ key, value }) =>
      delimited(1, joined([...delimited(1, bytesOfText(key)), ...delimited(2, anyBody(value, depthLeft))])),
    ),
  );
}

function anyBody(value: AttributeValue, depthLeft: number): Uint8Array {
  if (value === null) return new Uint8Array(0);
  switch (typeof value) {
    case 'string':
      return joined(delimited(1, bytesOfText(value)));
    case 'boolean':
      return Uint8Array.of(tagOf(2, 0), value ? 1 : 0);
    case 'bigint':
      return joined([Uint8Array.of(tagOf(3, 0)), varintBytes(lowWord(value), highWord(value))]);
    case 'number': {
      const body = new Uint8Array(9);
      body[0] = tagOf(4, 1);
      new DataView(body.buffer).setFloat64(1, value, true);
      return body;
    }
    default:
      if (value instanceof Uint8Array) return joined(delimited(7, value));
      if (isArray(value)) return joined(delimited(5, arrayBody(value, depthLeft - 1)));
      return joined(delimited(6, keyValueListBody(value, depthLeft - 1)));
  }
}

function delimited(field: number, body: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(tagOf(field, 2)), varintBytes(body.length, 0), body];
}

function varintBytes(lo: number, hi: number): Uint8Array {
  const bytes: number[] = [];
  while (hi !== 0 || lo > 0x7f) {
    bytes.push((lo & 0x7f) | 0x80);
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  bytes.push(lo);
  return Uint8Array.from(bytes);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** Whether the tag's field number is one of 1 to `last`, whose wire types are fixed. */
function knownIn(tag: number, last: number): boolean {
  return tag >>> 3 <= last;
}

function isKeyValueList(value: AttributeValue): value is KeyValueList {
  return typeof value === 'object' && value !== null && !isArray(value) && !(value instanceof Uint8Array);
}

function checkDepth(depthLeft: number): void {
  if (depthLeft <= 0) {
    throw new ModelError(
      'value_too_deep',
      'cannot read or write a nested attribute value: arrays and maps nest deeper than maxDepth allows; flatten the value or raise maxDepth',
    );
  }
}
