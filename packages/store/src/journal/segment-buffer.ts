import { RecordView } from './record.ts';

const FIRST_CHUNK_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

interface Chunk {
  readonly bytes: Uint8Array;
  /** Offset in the segment's file of the first byte. */
  readonly start: number;
  used: number;
}

/**
 * The bytes of a segment in memory, in chunks that a record never spans, so that a record can be written to disk and read back as a batch
 * without being copied. Chunks are not reused: batches handed out borrow them. A hot path, guarded by `bench/journal`.
 */
export class SegmentBuffer {
  /** Bytes in use: the segment's length. */
  length = 0;
  /** Memory held, in bytes. */
  capacity = 0;
  /** Where the room made by {@link reserve} is. */
  target: Uint8Array = new Uint8Array(0);
  offset = 0;
  readonly #chunks: Chunk[] = [];

  /** Makes room for `size` contiguous bytes and sets `target` and `offset`; the bytes belong to the segment at once. */
  reserve(size: number): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.used + size > chunk.bytes.length) chunk = this.#addChunk(size);
    this.target = chunk.bytes;
    this.offset = chunk.used;
    chunk.used += size;
    this.length += size;
  }

  /** Views of the bytes `[from, to)`. */
  slices(from: number, to: number): Uint8Array[] {
    const slices: Uint8Array[] = [];
    for (const chunk of this.#chunks) {
      const start = Math.max(from, chunk.start);
      const end = Math.min(to, chunk.start + chunk.used);
      if (start < end) slices.push(chunk.bytes.subarray(start - chunk.start, end - chunk.start));
    }
    return slices;
  }

  /** Forgets what lies at and behind `length`. */
  truncate(length: number): void {
    for (let last = this.#chunks.at(-1); last !== undefined && last.start >= length; last = this.#chunks.at(-1)) {
      this.#chunks.pop();
      this.capacity -= last.bytes.length;
    }
    const last = this.#chunks.at(-1);
    if (last !== undefined) last.used = length - last.start;
    this.length = length;
  }

  /** The record that begins at `offset` of the file. */
  recordAt(offset: number): RecordView {
    const chunk = this.#chunks.findLast((candidate) => candidate.start <= offset)!;
    return new RecordView(chunk.bytes, offset - chunk.start);
  }

  #addChunk(size: number): Chunk {
    const wanted = Math.min(MAX_CHUNK_BYTES, Math.max(FIRST_CHUNK_BYTES, this.capacity * 2));
    // Unpooled and not zeroed: every byte is written before it is read.
    const bytes = Buffer.allocUnsafeSlow(Math.max(wanted, size));
    const chunk = { bytes, start: this.length, used: 0 };
    this.#chunks.push(chunk);
    this.capacity += bytes.length;
    return chunk;
  }
}
