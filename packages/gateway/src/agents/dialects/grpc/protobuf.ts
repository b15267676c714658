import { GatewayError } from '../../../errors.ts';
import type { AgentError } from '../../errors.ts';
// As much of protobuf's encoding as the agents' messages need (https://protobuf.dev/programming-guides/encoding).
// Messages are small and few a request; what is read comes from agents and is checked against the bytes there are.

const textDecoder = new TextDecoder();

/** A varint of 32 bits takes no more. */
const maxLengthBytes = 5;

/**
 * Writes one message. Fields that have proto3's default are left out, except by the `optional…` methods. Nested messages
 * are written in place and moved behind their length when that is known, so that a message is one buffer.
 */
export class ProtoWriter {
  #bytes = Buffer.allocUnsafe(1024);
  #size = 0;

  /** The message. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** A bool. */
  flag(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  /** A uint32, or an enum. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** A uint64. */
  uint64(field: number, value: bigint): void {
    if (value !== 0n) this.optionalUint64(field, value);
  }

  /** A uint64 whose presence means something. */
  optionalUint64(field: number, value: bigint): void {
    this.#varint(field * 8);
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    this.#byte(Number(rest));
  }

  /** A string. */
  text(field: number, value: string): void {
    if (value !== '') this.optionalText(field, value);
  }

  /** A string whose presence means something; undefined = absent. */
  optionalText(field: number, value: string | undefined): void {
    if (value === undefined) return;
    const length = Buffer.byteLength(value);
    this.#begin(field, length);
    this.#bytes.write(value, this.#size, 'utf8');
    this.#size += length;
  }

  /** Bytes. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.#begin(field, value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  /** A message, written even when empty. */
  nested(field: number, write: (inner: ProtoWriter) => void): void {
    const mark = this.#size;
    write(this);
    const length = this.#size - mark;
    this.#need(2 * maxLengthBytes);
    this.#size = mark;
    // The head is written where the body begins, after the body was moved out of its way.
    const headBytes = varintBytes(field * 8 + 2) + varintBytes(length);
    this.#bytes.copyWithin(mark + headBytes, mark, mark + length);
    this.#varint(field * 8 + 2);
    this.#varint(length);
    this.#size += length;
  }

  /** Numbers as a packed repeated field. */
  packed(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.nested(field, () => values.forEach((value) => this.#varint(value)));
  }

  #begin(field: number, length: number): void {
    this.#varint(field * 8 + 2);
    this.#varint(length);
    this.#need(length);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#byte((rest & 0x7f) | 0x80);
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#need(1);
    this.#bytes[this.#size++] = value;
  }

  #need(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + count));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

/** Builds one message. */
export function protoMessage(write: (writer: ProtoWriter) => void): Uint8Array {
  const writer = new ProtoWriter();
  write(writer);
  return writer.finish();
}

/** One field of a message. Asking for it as another type than the one on the wire fails with `protocol`. */
export interface ProtoField {
  readonly number: number;
  readonly varint?: bigint;
  readonly bytes?: Uint8Array;
  readonly float?: number;
}

/** The fields of a message in wire order. Fails with `protocol`. */
export function* protoFields(bytes: Uint8Array): Generator<ProtoField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed('a number is cut off', bytes);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a number is longer than ten bytes', bytes);
  };
  const skip = (count: number): number => {
    if (count > bytes.length - at) throw malformed(`${count} bytes are announced, ${bytes.length - at} left`, bytes);
    at += count;
    return at - count;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (number === 0) throw malformed('a field has the number 0', bytes);
    if (wireType === 0) yield { number, varint: varint() };
    else if (wireType === 2) {
      const length = Number(varint());
      const start = skip(length);
      yield { number, bytes: bytes.subarray(start, start + length) };
    } else if (wireType === 5) yield { number, float: view.getFloat32(skip(4), true) };
    else if (wireType === 1) skip(8);
    else throw malformed(`wire type ${wireType}`, bytes);
  }
}

/** The field as bytes or a message. */
export function bytesOf(field: ProtoField): Uint8Array {
  if (field.bytes === undefined) throw wrongType(field);
  return field.bytes;
}

/** The field as text. */
export function textOf(field: ProtoField): string {
  return textDecoder.decode(bytesOf(field));
}

/** The field as a uint32, an enum or a bool; larger numbers are cut to 32 bits, as protobuf does. */
export function uintOf(field: ProtoField): number {
  if (field.varint === undefined) throw wrongType(field);
  return Number(BigInt.asUintN(32, field.varint));
}

/** The field as one or several numbers of a repeated field, packed or not. */
export function uintsOf(field: ProtoField): number[] {
  if (field.bytes === undefined) return [uintOf(field)];
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const byte of field.bytes) {
    if (shift < 32) value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    numbers.push(value >>> 0);
    value = 0;
    shift = 0;
  }
  return numbers;
}

/** An entry of a `map<string, string>`. */
export function mapEntryOf(field: ProtoField): [string, string] {
  let key = '';
  let value = '';
  for (const part of protoFields(bytesOf(field))) {
    if (part.number === 1) key = textOf(part);
    if (part.number === 2) value = textOf(part);
  }
  return [key, value];
}

function wrongType(field: ProtoField): AgentError {
  return new GatewayError('protocol', `field ${field.number} of the agent's message has another type than agreed`);
}

function malformed(why: string, bytes: Uint8Array): AgentError {
  // Some gRPC agents speak JSON where protobuf is agreed.
  const hint = bytes[0] === 0x7b ? '; it looks like JSON, which is not supported over gRPC' : '';
  return new GatewayError('protocol', `the agent's message is no protobuf: ${why}${hint}`);
}
