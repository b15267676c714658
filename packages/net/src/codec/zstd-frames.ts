// Finds the frames of a zstd stream (RFC 8878 section 3.1) without decompressing: magic number, frame header
// (descriptor, window, dictionary id, content size), blocks of a three-byte header each, optional checksum.
import { malformedEncoding } from './limit.ts';

/** One frame of compressed data. */
export interface ZstdFrame {
  readonly bytes: Uint8Array;
  /** Inflated size, when the frame announces it. */
  readonly contentBytes: number | undefined;
  /** Memory a decoder needs for back references. */
  readonly windowBytes: number;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a5;

/** Largest window accepted; a decoder must keep that much memory while it works on one body. */
const maxWindowBytes = 128 * 1024 * 1024;

/** Splits a stream into frames; skippable ones are dropped. Fails with `malformed_encoding`. */
export function splitZstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const magic = bytes.length - at >= 8 ? view.getUint32(at, true) : 0;
    if (magic >>> 4 === skippableMagic) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw cutOff();
    } else {
      if (magic !== frameMagic) throw malformedEncoding('zstd', `no frame begins at byte ${at}`);
      const frame = readFrame(bytes, view, at);
      frames.push(frame);
      at += frame.bytes.length;
    }
  }
  if (frames.length === 0) throw malformedEncoding('zstd', 'it holds no frame');
  return frames;
}

function readFrame(bytes: Uint8Array, view: DataView, start: number): ZstdFrame {
  const descriptor = view.getUint8(start + 4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = start + 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  let at = sizeAt + sizeBytes;
  if (at > bytes.length) throw cutOff();
  const contentBytes = readContentSize(view, sizeAt, sizeBytes);
  const windowBytes = singleSegment ? (contentBytes ?? 0) : readWindow(view.getUint8(start + 5));
  if (!singleSegment && windowBytes > maxWindowBytes) {
    throw malformedEncoding('zstd', `it asks for a window of ${windowBytes} bytes, ${maxWindowBytes} are allowed`);
  }
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) throw cutOff();
    const header = view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw malformedEncoding('zstd', `a block of a reserved type at byte ${at}`);
    at += 3 + (type === 1 ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > bytes.length) throw cutOff();
  return { bytes: bytes.subarray(start, at), contentBytes, windowBytes };
}

function readContentSize(view: DataView, at: number, bytes: number): number | undefined {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  if (bytes === 8) return Number(view.getBigUint64(at, true));
  return undefined;
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function cutOff(): Error {
  return malformedEncoding('zstd', 'it is cut off');
}
