import { copyBytes } from '@clew/model';
import { crc32c } from './crc32c.ts';

/**
 * The journal's record: one packed batch with what recovery must know about it. A hot path, guarded by `bench/journal`.
 *
 * Layout, little-endian, every record begins at a multiple of 8 so that a packed batch can be read in place:
 *
 * | at | size | what |
 * | --- | --- | --- |
 * | 0 | 4 | magic `CLEW` |
 * | 4 | 1 | version of this layout |
 * | 5 | 1 | kind: 1 = packed span batch |
 * | 6 | 2 | length of the tenant in bytes |
 * | 8 | 4 | length of the payload in bytes |
 * | 12 | 4 | spans in the payload |
 * | 16 | 16 | segment id: a record is only believed in its own file |
 * | 32 | 16 | key of the request it came from (hash of tenant and body); zero = none |
 * | 48 | 8 | when the request arrived, nanoseconds since 1970 |
 * | 56 | 4 | CRC-32C of tenant, padding and payload |
 * | 60 | 4 | CRC-32C of the 60 bytes before: a trusted length survives a damaged payload |
 * | 64 | | tenant (UTF-8), zero padding to 8, payload, zero padding to 8 |
 */
export const RECORD_HEADER_BYTES = 64;
/** Version written; readers refuse newer ones. */
export const RECORD_VERSION = 1;
/** The first four bytes as a little-endian word. */
export const RECORD_MAGIC = 0x57454c43;
const KIND_BATCH = 1;

/** Bytes that are written where they are wanted instead of being copied there; a `BatchPacker` that is prepared is one. */
export interface PayloadSource {
  /** Bytes {@link write} writes. */
  readonly byteLength: number;
  write(target: Uint8Array, offset: number): void;
}

/** What a record says, and its payload. */
export interface RecordFields {
  /** UTF-8 bytes of the tenant's name, at most 65,535. */
  readonly tenant: Uint8Array;
  readonly rows: number;
  /** 16 bytes. */
  readonly segmentId: Uint8Array;
  /** 16 bytes under which a repetition of the request is recognised, or undefined. */
  readonly requestKey: Uint8Array | undefined;
  readonly receivedUnixNano: bigint;
  readonly payload: PayloadSource;
}

/** `length` rounded up to a multiple of eight. */
export function padded(length: number): number {
  return (length + 7) & ~7;
}

/** Bytes a record takes, padding included. */
export function recordBytes(tenantLength: number, payloadLength: number): number {
  return RECORD_HEADER_BYTES + padded(tenantLength) + padded(payloadLength);
}

/** Writes a record at `offset` (a multiple of 8) and returns the offset behind it. */
export function writeRecord(target: Uint8Array, offset: number, record: RecordFields): number {
  const { tenant, payload } = record;
  const payloadAt = offset + RECORD_HEADER_BYTES + padded(tenant.length);
  const end = payloadAt + padded(payload.byteLength);
  copyBytes(tenant, 0, target, offset + RECORD_HEADER_BYTES, tenant.length);
  target.fill(0, offset + RECORD_HEADER_BYTES + tenant.length, payloadAt);
  payload.write(target, payloadAt);
  target.fill(0, payloadAt + payload.byteLength, end);

  const view = new DataView(target.buffer, target.byteOffset + offset, RECORD_HEADER_BYTES);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setUint8(4, RECORD_VERSION);
  view.setUint8(5, KIND_BATCH);
  view.setUint16(6, tenant.length, true);
  view.setUint32(8, payload.byteLength, true);
  view.setUint32(12, record.rows, true);
  target.set(record.segmentId, offset + 16);
  if (record.requestKey === undefined) target.fill(0, offset + 32, offset + 48);
  else target.set(record.requestKey, offset + 32);
  view.setBigUint64(48, BigInt.asUintN(64, record.receivedUnixNano), true);
  view.setUint32(56, crc32c(target, offset + RECORD_HEADER_BYTES, end), true);
  view.setUint32(60, crc32c(target, offset, offset + 60), true);
  return end;
}

/** A record's place in memory; its parts are views. */
export class RecordView {
  readonly bytes: Uint8Array;
  /** Where the record begins and ends in `bytes`: in the whole of a segment's file these are offsets of the file. */
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  readonly #view: DataView;

  /** `start` must be a header that {@link inspectHeader} called `valid`. */
  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, RECORD_HEADER_BYTES);
    this.end = start + recordBytes(this.#view.getUint16(6, true), this.#view.getUint32(8, true));
    this.rows = this.#view.getUint32(12, true);
  }

  get tenant(): string {
    return decoder.decode(this.bytes.subarray(this.#tenantAt, this.#tenantAt + this.#view.getUint16(6, true)));
  }

  get payload(): Uint8Array {
    const at = this.#tenantAt + padded(this.#view.getUint16(6, true));
    return this.bytes.subarray(at, at + this.#view.getUint32(8, true));
  }

  get receivedUnixNano(): bigint {
    return this.#view.getBigUint64(48, true);
  }

  /** The request's key, or undefined when it has none. */
  get requestKey(): Uint8Array | undefined {
    const at = this.start + 32;
    for (let i = at; i < at + 16; i++) if (this.bytes[i] !== 0) return this.bytes.subarray(at, at + 16);
    return undefined;
  }

  /** Whether tenant and payload are what was written. */
  bodyIntact(): boolean {
    return crc32c(this.bytes, this.start + RECORD_HEADER_BYTES, this.end) === this.#view.getUint32(56, true);
  }

  get #tenantAt(): number {
    return this.start + RECORD_HEADER_BYTES;
  }
}

const decoder = new TextDecoder();

/** What stands at a place where a record's header should be. */
export type HeaderState = 'valid' | 'newer' | 'short' | 'zero' | 'damaged';

/** Judges the 64 bytes at `at`; `segmentId` are the 16 bytes the file is named after. */
export function inspectHeader(bytes: Uint8Array, at: number, segmentId: Uint8Array): HeaderState {
  if (at + RECORD_HEADER_BYTES > bytes.length) return 'short';
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  if (view.getUint32(0, true) !== RECORD_MAGIC || crc32c(bytes, at, at + 60) !== view.getUint32(60, true)) {
    for (let i = at; i < at + RECORD_HEADER_BYTES; i++) if (bytes[i] !== 0) return 'damaged';
    return 'zero';
  }
  if (view.getUint8(4) > RECORD_VERSION || view.getUint8(5) !== KIND_BATCH) return 'newer';
  for (let i = 0; i < 16; i++) if (bytes[at + 16 + i] !== segmentId[i]) return 'damaged';
  return 'valid';
}
