import { SpanBytes } from './span-bytes.ts';

const scratch = new SpanBytes();

/** What `write` writes, as bytes that are ready to be copied into spans. */
export function bytesOf(write: (out: SpanBytes) => void): Uint8Array {
  scratch.reset();
  write(scratch);
  return scratch.taken();
}
