import { doubleOfWords, highWord, lowWord, signedOfWords, writeDoubleWords } from '@clew/model';
import fc from 'fast-check';
import { BinaryReader } from '../binary-reader.ts';
import { BinaryWriter } from '../binary-writer.ts';
import { CompactReader } from '../compact-reader.ts';
import { CompactWriter } from '../compact-writer.ts';
import { NO_FIELD } from '../reader.ts';
import type { ThriftReader } from '../reader.ts';
import { ThriftType } from '../types.ts';
import type { ThriftWriter } from '../writer.ts';

/** Any Thrift value as an object, so that tests can make, write, read and compare whatever the protocols can say. */
export type AnyThrift =
  | { readonly type: typeof ThriftType.BOOL; readonly value: boolean }
  | { readonly type: typeof ThriftType.BYTE | typeof ThriftType.I16 | typeof ThriftType.I32; readonly value: number }
  | { readonly type: typeof ThriftType.I64; readonly value: bigint }
  | { readonly type: typeof ThriftType.DOUBLE; readonly value: number }
  | { readonly type: typeof ThriftType.STRING; readonly value: Uint8Array }
  | { readonly type: typeof ThriftType.LIST | typeof ThriftType.SET; readonly of: number; readonly value: AnyThrift[] }
  | { readonly type: typeof ThriftType.MAP; readonly of: [number, number]; readonly value: [AnyThrift, AnyThrift][] }
  | { readonly type: typeof ThriftType.STRUCT; readonly value: AnyField[] };

/** A field of a struct. */
export interface AnyField {
  readonly id: number;
  readonly value: AnyThrift;
}

/** Both protocols, for `describe.each`. */
export const protocols = [
  { name: 'binary', reader: () => new BinaryReader(), writer: () => new BinaryWriter() },
  { name: 'compact', reader: () => new CompactReader(), writer: () => new CompactWriter() },
] as const;

/** A struct whose values nest at most `depth` deep. */
export function arbitraryStruct(depth: number): fc.Arbitrary<AnyThrift & { readonly type: 12 }> {
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
    fc.integer({ min: -0x8000, max: 0x7fff }),
  );
  const field = fc.record({ id, value: arbitraryValue(depth) });
  return fc.array(field, { maxLength: 5 }).map((value) => ({ type: ThriftType.STRUCT, value }));
}

function arbitraryValue(depth: number): fc.Arbitrary<AnyThrift> {
  const flat = flatTypes.map((type) => arbitraryOf(type, depth));
  return fc.oneof(...flat, ...(depth <= 0 ? [] : nestedTypes.map((type) => arbitraryOf(type, depth))));
}

const flatTypes = [
  ThriftType.BOOL,
  ThriftType.BYTE,
  ThriftType.I16,
  ThriftType.I32,
  ThriftType.I64,
  ThriftType.DOUBLE,
  ThriftType.STRING,
];
const nestedTypes = [ThriftType.LIST, ThriftType.SET, ThriftType.MAP, ThriftType.STRUCT];

function arbitraryOf(type: number, depth: number): fc.Arbitrary<AnyThrift> {
  switch (type) {
    case ThriftType.BOOL:
      return fc.boolean().map((value) => ({ type, value }));
    case ThriftType.BYTE:
      return fc.integer({ min: -0x80, max: 0x7f }).map((value) => ({ type, value }));
    case ThriftType.I16:
      return fc.integer({ min: -0x8000, max: 0x7fff }).map((value) => ({ type, value }));
    case ThriftType.I32:
      return fc.integer().map((value) => ({ type, value }));
    case ThriftType.I64:
      return fc
        .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, -1n, -(2n ** 63n), 2n ** 31n))
        .map((value) => ({ type, value }));
    case ThriftType.DOUBLE:
      return fc.double().map((value) => ({ type, value }));
    case ThriftType.STRING:
      return fc.uint8Array({ maxLength: 200 }).map((value) => ({ type, value }));
    case ThriftType.STRUCT:
      return arbitraryStruct(depth - 1);
    case ThriftType.MAP:
      return fc
        .tuple(fc.constantFrom(...flatTypes), elementType(depth))
        .chain((of) =>
          fc
            .array(fc.tuple(arbitraryOf(of[0], 0), arbitraryOf(of[1], depth - 1)), { maxLength: 4 })
            .map((value) => ({ type: ThriftType.MAP, of: value.length === 0 ? [0, 0] : of, value })),
        );
    default: {
      const list = type as typeof ThriftType.LIST;
      return elementType(depth).chain((of) =>
        fc.array(arbitraryOf(of, depth - 1), { maxLength: 20 }).map((value) => ({ type: list, of, value })),
      );
    }
  }
}

function elementType(depth: number): fc.Arbitrary<number> {
  return fc.constantFrom(...flatTypes, ...(depth > 1 ? nestedTypes : []));
}

/** Writes the fields and the end of a struct. */
export function writeStruct(writer: ThriftWriter, fields: readonly AnyField[]): void {
  let previous = 0;
  for (const { id, value } of fields) {
    if (value.type === ThriftType.BOOL) writer.boolField(value.value, id, previous);
    else {
      writer.field(value.type, id, previous);
      writeValue(writer, value);
    }
    previous = id;
  }
  writer.stop();
}

function writeValue(writer: ThriftWriter, any: AnyThrift): void {
  switch (any.type) {
    case ThriftType.BOOL:
      return writer.bool(any.value);
    case ThriftType.BYTE:
      return writer.byte(any.value);
    case ThriftType.I16:
      return writer.i16(any.value);
    case ThriftType.I32:
      return writer.i32(any.value);
    case ThriftType.I64:
      return writer.i64(lowWord(any.value), highWord(any.value));
    case ThriftType.DOUBLE: {
      const words = new Uint32Array(2);
      writeDoubleWords(any.value, words, 0);
      return writer.double(words[0]!, words[1]!);
    }
    case ThriftType.STRING:
      return writer.binary(any.value, 0, any.value.length);
    case ThriftType.STRUCT:
      return writeStruct(writer, any.value);
    case ThriftType.MAP:
      writer.map(any.of[0], any.of[1], any.value.length);
      return any.value.forEach(([key, value]) => (writeValue(writer, key), writeValue(writer, value)));
    default:
      writer.list(any.of, any.value.length);
      return any.value.forEach((element) => writeValue(writer, element));
  }
}

/** Reads a struct with everything in it. */
export function readStruct(reader: ThriftReader): AnyField[] {
  const fields: AnyField[] = [];
  for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
    fields.push({ id, value: readValue(reader, reader.type) });
  }
  return fields;
}

function readValue(reader: ThriftReader, type: number): AnyThrift {
  switch (type) {
    case ThriftType.BOOL:
      return { type, value: reader.bool() };
    case ThriftType.BYTE:
      return { type, value: reader.byte() };
    case ThriftType.I16:
      return { type, value: reader.i16() };
    case ThriftType.I32:
      return { type, value: reader.i32() };
    case ThriftType.I64:
      reader.i64();
      return { type, value: signedOfWords(reader.lo, reader.hi) };
    case ThriftType.DOUBLE:
      reader.double();
      return { type, value: doubleOfWords(reader.lo, reader.hi) };
    case ThriftType.STRING:
      reader.binary();
      return { type, value: reader.buf.slice(reader.start, reader.stop) };
    case ThriftType.STRUCT:
      return { type, value: readStruct(reader) };
    case ThriftType.MAP:
      return readMap(reader);
    default: {
      const count = reader.list();
      const of = reader.elementType;
      return {
        type: type as typeof ThriftType.LIST,
        of,
        value: Array.from({ length: count }, () => readValue(reader, of)),
      };
    }
  }
}

function readMap(reader: ThriftReader): AnyThrift {
  const count = reader.map();
  const of: [number, number] = count === 0 ? [0, 0] : [reader.keyType, reader.elementType];
  const value = Array.from({ length: count }, (): [AnyThrift, AnyThrift] => [
    readValue(reader, of[0]),
    readValue(reader, of[1]),
  ]);
  return { type: ThriftType.MAP, of, value };
}
