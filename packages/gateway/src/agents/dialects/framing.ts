import { GatewayError } from '../../errors.ts';

/**
 * How frames lie in the byte stream: a big-endian 32-bit length, then for `typed` one byte of type, then JSON. The
 * length counts everything behind itself.
 */
export interface Framing {
  readonly typed: boolean;
  /** The largest length allowed. */
  readonly maxBytes: number;
}

/** Typed frames: 16 MiB. */
export const typedFraming: Framing = Object.freeze({ typed: true, maxBytes: 16_777_216 });
/** Frames without a type: 10 MiB. */
export const plainFraming: Framing = Object.freeze({ typed: false, maxBytes: 10_485_760 });

const lengthBytes = 4;

/** Puts length and type before a payload. Fails with `body_too_large` beyond what the peer accepts. */
export function encodeFrame(framing: Framing, type: number, payload: string): Buffer {
  const typeBytes = framing.typed ? 1 : 0;
  const length = Buffer.byteLength(payload) + typeBytes;
  if (length > framing.maxBytes) {
    const message = `an event of ${length} bytes does not fit into a frame of at most ${framing.maxBytes} bytes`;
    throw new GatewayError('body_too_large', message, { details: { length, maxBytes: framing.maxBytes } });
  }
  const frame = Buffer.allocUnsafe(lengthBytes + length);
  frame.writeUInt32BE(length, 0);
  if (framing.typed) frame[lengthBytes] = type;
  frame.write(payload, lengthBytes + typeBytes, 'utf8');
  return frame;
}

/** Cuts a byte stream into frames. Holds no more than one frame that the limit allows, and only what has arrived. */
export class FrameReader {
  readonly #framing: Framing;
  readonly #onFrame: (type: number, payload: Buffer) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  /** Bytes that must have arrived before the next look is worth it. */
  #wanted = lengthBytes;

  /** `onFrame` is called for each complete frame; the type is 0 when frames have none. */
  constructor(framing: Framing, onFrame: (type: number, payload: Buffer) => void) {
    this.#framing = framing;
    this.#onFrame = onFrame;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#size;
  }

  /** Takes what arrived. Fails with `protocol` on a length that cannot be; what `onFrame` throws passes through. */
  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#wanted) return;
    const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#size);
    const rest = this.#takeFrames(bytes);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
  }

  #takeFrames(bytes: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      this.#wanted = left < lengthBytes ? lengthBytes : lengthBytes + this.#length(bytes, at);
      if (left < this.#wanted) return bytes.subarray(at);
      const start = at + lengthBytes;
      at += this.#wanted;
      if (this.#framing.typed) this.#onFrame(bytes[start]!, bytes.subarray(start + 1, at));
      else this.#onFrame(0, bytes.subarray(start, at));
    }
  }

  #length(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at);
    const { maxBytes } = this.#framing;
    if (length > 0 && length <= maxBytes) return length;
    const message = `the agent announced a frame of ${length} bytes; 1 to ${maxBytes} are possible`;
    throw new GatewayError('protocol', message, { details: { length, maxBytes } });
  }
}
