import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import type { DecodeLimits } from '../limits.ts';
import { decodeDocument } from './decode-segment.ts';
import { JsonObject, readJson } from './json-tree.ts';
import { numberOf } from './json-paths.ts';

const NEWLINE = 0x0a;
/** A header is 30 bytes or so; what has no end within this is none. */
const MAX_HEADER_BYTES = 256;
const header = new TextEncoder().encode('{"format":"json","version":1}\n');

/**
 * Appends the spans of a datagram as SDKs send it to the X-Ray daemon: a header line that names the format, then one segment document.
 * Fails as `decodeSegment` does, and with `invalid_header`; offsets count from the beginning of the datagram.
 */
export function decodeDaemonPacket(packet: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  const end = packet.subarray(0, MAX_HEADER_BYTES).indexOf(NEWLINE);
  if (end < 0 || !isHeader(packet.subarray(0, end))) {
    throw inputError(
      'invalid_header',
      0,
      'the datagram does not begin with the line {"format":"json","version":1} of the X-Ray daemon',
    );
  }
  return decodeDocument(packet, end + 1, batch, limits);
}

/** A document as a datagram for an X-Ray daemon. */
export function encodeDaemonPacket(document: Uint8Array): Uint8Array {
  const packet = new Uint8Array(header.length + document.length);
  packet.set(header);
  packet.set(document, header.length);
  return packet;
}

function isHeader(line: Uint8Array): boolean {
  const value = headerValue(line);
  return value instanceof JsonObject && value.get('format') === 'json' && numberOf(value.get('version')) === 1;
}

function headerValue(line: Uint8Array) {
  try {
    return readJson(line, 0, 2);
  } catch {
    return undefined; // Whatever is wrong with it, it is no header.
  }
}
