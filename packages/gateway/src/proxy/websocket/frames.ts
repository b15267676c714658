import type { Limit } from '@clew/base';
import { websocketOpcodes } from '../../agents/index.ts';

/** The type of a frame. */
export type FrameType = keyof typeof websocketOpcodes;

const typeOf: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(websocketOpcodes).map(([type, code]) => [code, type as FrameType]),
);

/** Status codes with which WebSocket connections are closed (RFC 6455 section 7.4.1). */
export const closeCodes = Object.freeze({ protocolError: 1002, policyViolation: 1008, tooBig: 1009, internal: 1011 });

/** One frame. */
export interface Frame {
  readonly kind: 'frame';
  readonly type: FrameType;
  readonly isFinal: boolean;
  /** Without its mask. */
  readonly payload: Buffer;
  /** As it came, to be passed on untouched. */
  readonly bytes: Buffer;
}

/** What came breaks the rules of the protocol, or is larger than may be held; nothing after it can be read. */
export interface Violation {
  readonly kind: 'violation';
  readonly closeCode: number;
  readonly message: string;
}

/** What is known of a frame once its first bytes are here. */
interface Header {
  readonly type: FrameType;
  readonly isFinal: boolean;
  readonly headerBytes: number;
  readonly payloadBytes: number;
}

const isControl = (type: FrameType): boolean => type === 'close' || type === 'ping' || type === 'pong';
const MAX_CONTROL_BYTES = 125;
const MASK_BYTES = 4;

/** Cuts what one side sends into frames (RFC 6455 section 5). Holds no more than one frame and what came along with its end. */
export class FrameReader {
  readonly #masked: boolean;
  readonly #limit: Limit;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Fewer bytes cannot say more than is known already. */
  #neededBytes = 2;
  /** Whether a message has begun and not ended. */
  #inMessage = false;

  /** `masked`: whether it is a client that sends. `limit` bounds the payload of one frame. */
  constructor(masked: boolean, limit: Limit) {
    this.#masked = masked;
    this.#limit = limit;
  }

  /** Takes what came next. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next frame; undefined until it is complete. Nothing follows a violation. */
  next(): Frame | Violation | undefined {
    if (this.#bytes < this.#neededBytes) return undefined;
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [all];
    const header = this.#header(all);
    if (header === undefined || 'kind' in header) return header;
    const { type, isFinal, headerBytes, payloadBytes } = header;
    const frameBytes = headerBytes + payloadBytes;
    if (all.length < frameBytes) {
      this.#neededBytes = frameBytes;
      return undefined;
    }
    this.#keep(all.subarray(frameBytes));
    if (!isControl(type)) this.#inMessage = !isFinal;
    const bytes = all.subarray(0, frameBytes);
    const sent = bytes.subarray(headerBytes);
    const payload = this.#masked ? unmasked(sent, bytes.subarray(headerBytes - MASK_BYTES, headerBytes)) : sent;
    return { kind: 'frame', type, isFinal, payload, bytes };
  }

  /** What came and belongs to no frame that was returned. Nothing is read any more. */
  takeRest(): Buffer {
    const rest = Buffer.concat(this.#chunks, this.#bytes);
    this.#keep(Buffer.alloc(0));
    return rest;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#neededBytes = 2;
  }

  #header(all: Buffer): Header | Violation | undefined {
    const first = all[0]!;
    const second = all[1]!;
    const type = typeOf.get(first & 0x0f);
    const isFinal = (first & 0x80) !== 0;
    const shortLength = second & 0x7f;
    if ((first & 0x70) !== 0) return violation('a frame uses an extension that was not agreed on');
    if (type === undefined) return violation(`a frame has the reserved opcode ${first & 0x0f}`);
    if (((second & 0x80) !== 0) !== this.#masked) return violation(`a frame is ${this.#masked ? 'not ' : ''}masked`);
    if (isControl(type) && (!isFinal || shortLength > MAX_CONTROL_BYTES))
      return violation(`a ${type} frame is in pieces or too long`);
    if (!isControl(type) && (type === 'continuation') !== this.#inMessage)
      return violation(this.#inMessage ? 'a message begins within another' : 'a message goes on that has not begun');
    const lengthBytes = shortLength === 127 ? 8 : shortLength === 126 ? 2 : 0;
    const headerBytes = 2 + lengthBytes + (this.#masked ? MASK_BYTES : 0);
    if (all.length < headerBytes) {
      this.#neededBytes = headerBytes;
      return undefined;
    }
    const payloadBytes = lengthBytes === 8 ? longLength(all) : lengthBytes === 2 ? all.readUInt16BE(2) : shortLength;
    if (payloadBytes < (lengthBytes === 8 ? 0x1_0000 : lengthBytes === 2 ? 126 : 0))
      return violation('the length of a frame is not written in the shortest way');
    if (this.#limit.allows(payloadBytes)) return { type, isFinal, headerBytes, payloadBytes };
    const { message } = this.#limit.exceeded(payloadBytes);
    return { kind: 'violation', closeCode: closeCodes.tooBig, message };
  }
}

/** The length in the eight bytes after the first two. Beyond 2^53 it is not exact, and larger than anything that is held. */
function longLength(bytes: Buffer): number {
  return bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6);
}

function violation(message: string): Violation {
  return { kind: 'violation', closeCode: closeCodes.protocolError, message };
}

function unmasked(sent: Buffer, mask: Buffer): Buffer {
  const payload = Buffer.allocUnsafe(sent.length);
  for (let at = 0; at < sent.length; at++) payload[at] = sent[at]! ^ mask[at & 3]!;
  return payload;
}

const MAX_REASON_BYTES = MAX_CONTROL_BYTES - 2;

/** The frame that closes a connection. `mask`: four bytes, where a client is to have sent it. */
export function closeFrame(code: number, reason: string, mask?: Uint8Array): Buffer {
  const text = shortened(reason);
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  if (mask === undefined) return Buffer.concat([Buffer.from([0x88, payload.length]), payload]);
  const masked = unmasked(payload, Buffer.from(mask));
  return Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), mask, masked]);
}

/** As much of a text as fits, cut between characters. */
function shortened(reason: string): Buffer {
  const bytes = Buffer.from(reason);
  let length = Math.min(bytes.length, MAX_REASON_BYTES);
  while (length < bytes.length && (bytes[length]! & 0xc0) === 0x80) length--;
  return bytes.subarray(0, length);
}
