// The little protobuf that statuses and partial success need: messages of a few fields, never on a hot path.
import { NetError } from '../errors.ts';

/** One field of a message: `varint` for wire type 0, `bytes` for wire type 2; other wire types are skipped. */
export interface ProtoField {
  readonly number: number;
  readonly varint?: bigint;
  readonly bytes?: Uint8Array;
}

/** The fields of a message in wire order. Fails with `malformed_status` when the bytes are no message. */
export function readFields(bytes: Uint8Array, what: string): ProtoField[] {
  const fields: ProtoField[] = [];
  let at = 0;
  const fail = (why: string): NetError =>
    new NetError('malformed_status', `cannot read ${what}: ${why} at byte ${at} of ${bytes.length}`);
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw fail('a number is cut off');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw fail('a number is longer than ten bytes');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw fail(`${length} bytes are announced, ${bytes.length - at} left`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    if (number === 0) throw fail('field number 0');
    const wireType = tag % 8;
    if (wireType === 0) fields.push({ number, varint: varint() });
    else if (wireType === 2) fields.push({ number, bytes: take(Number(varint())) });
    else if (wireType === 1) take(8);
    else if (wireType === 5) take(4);
    else throw fail(`wire type ${wireType}`);
  }
  return fields;
}

/** Encodes fields; a varint of 0 and empty bytes are left out, as proto3 does. */
export function writeFields(fields: readonly ProtoField[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const { number, varint, bytes } of fields) {
    if (varint !== undefined && varint !== 0n) pieces.push(varintBytes(BigInt(number * 8)), varintBytes(varint));
    if (bytes !== undefined && bytes.length > 0) {
      pieces.push(varintBytes(BigInt(number * 8 + 2)), varintBytes(BigInt(bytes.length)), bytes);
    }
  }
  return Buffer.concat(pieces);
}

function varintBytes(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}
