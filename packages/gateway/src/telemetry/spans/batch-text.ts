import { ValueType, bytesOfText } from '@clew/model';
import type { SpanBatch } from '@clew/model';

/** Text and numbers into a batch's heap. Hot path, guarded by `bench/gateway`: no bytes are made for text that is ASCII. */

/** Appends `text` to the heap of `batch` as UTF-8 and returns the number of bytes; they end where the heap ends. */
export function appendText(batch: SpanBatch, text: string): number {
  const { length } = text;
  const start = batch.reserveHeap(length);
  const { heap } = batch;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      batch.heapLength = start;
      const bytes = bytesOfText(text);
      batch.appendHeap(bytes, 0, bytes.length);
      return bytes.length;
    }
    heap[start + i] = code;
  }
  return length;
}

/** Adds a text attribute to the span being written; an empty text is none. */
export function addText(batch: SpanBatch, key: number, text: string): void {
  if (text === '') return;
  const length = appendText(batch, text);
  batch.spanAttrs.push(key, ValueType.STRING, batch.heapLength - length, length);
}

/** Adds an integer attribute, 0 to 2^32 - 1. */
export function addInt(batch: SpanBatch, key: number, value: number): void {
  batch.spanAttrs.push(key, ValueType.INT, value >>> 0, 0);
}

const scratch = { bytes: new Uint8Array(1024) };

/** The index of `first`, a space and `second` in the batch's strings. Parts that are empty bring no space. */
export function internPair(batch: SpanBatch, first: string, second: string): number {
  if (second === '') return batch.strings.internText(first);
  const length = first.length + 1 + second.length;
  if (length > scratch.bytes.length) return batch.strings.internText(`${first} ${second}`);
  const { bytes } = scratch;
  let seen = copyAscii(first, bytes, 0);
  bytes[first.length] = 0x20;
  seen |= copyAscii(second, bytes, first.length + 1);
  if (seen > 0x7f) return batch.strings.internText(`${first} ${second}`);
  return batch.strings.intern(bytes, 0, length);
}

/** Copies what is ASCII and returns all bits seen. */
function copyAscii(text: string, target: Uint8Array, at: number): number {
  let seen = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    seen |= code;
    target[at + i] = code;
  }
  return seen;
}
