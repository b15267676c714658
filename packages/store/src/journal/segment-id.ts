import { randomBytes } from 'node:crypto';

/**
 * Identity of a segment: 16 bytes, written as 32 hex digits, that sort by creation. The first six bytes are milliseconds since 1970, the next two
 * count segments made in one process, the rest is random, so that several streams never make the same one.
 */
export type SegmentId = string;

const EXTENSION = '.segment';
let made = 0;

/** A new id; `nowUnixMs` is the wall clock. */
export function makeSegmentId(nowUnixMs: number): SegmentId {
  const id = randomBytes(16);
  id.writeUIntBE(nowUnixMs, 0, 6);
  made = (made + 1) & 0xffff;
  id.writeUInt16BE(made, 6);
  return id.toString('hex');
}

/** When the segment was begun, milliseconds since 1970. */
export function segmentUnixMs(id: SegmentId): number {
  return Number.parseInt(id.slice(0, 12), 16);
}

/** The 16 bytes of an id. */
export function segmentIdBytes(id: SegmentId): Uint8Array {
  return Buffer.from(id, 'hex');
}

/** Name of a segment's file inside the journal's directory. */
export function segmentFileName(id: SegmentId): string {
  return id + EXTENSION;
}

/** The id in a file name, or undefined when the file is no segment. */
export function segmentIdOfFile(name: string): SegmentId | undefined {
  return /^[0-9a-f]{32}\.segment$/.test(name) ? name.slice(0, 32) : undefined;
}
