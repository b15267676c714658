import { join } from 'node:path';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import type { SpanBatch } from '@clew/model';
import { unpackBatch } from '@clew/model';
import type { AppendMeta, TableBlock } from '../block/table-block.ts';
import type { RecordView } from '../journal/record.ts';

/** The part of the block builder the writer uses. */
export interface BlockSource {
  readonly rowCount: number;
  readonly byteLength: number;
  append(batch: SpanBatch, meta: AppendMeta, rows?: Uint32Array): void;
  build(segmentId: string): TableBlock[];
  confirm(): void;
  reset(): void;
}

/** A block written to a file, ready to be inserted. */
export interface BlockFile {
  readonly table: string;
  readonly columns: readonly string[];
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Some spans of a record; all of them when `rows` is absent. */
export interface RecordPart {
  readonly record: RecordView;
  readonly rows?: Uint32Array | undefined;
}

/** Longest the loop is held up while batches are added, in milliseconds. */
const YIELD_AFTER_MS = 4;

/**
 * Adds the spans of `parts` to the builder, whose earlier contents are dropped. Other work gets its turn in between, so that acknowledgements are
 * not held up. Throws what unpacking or building throws.
 */
export async function appendParts(builder: BlockSource, parts: Iterable<RecordPart>): Promise<void> {
  builder.reset();
  let sliceStartMs = performance.now();
  for (const { record, rows } of parts) {
    builder.append(
      unpackBatch(record.payload),
      { tenant: record.tenant, receivedUnixNano: record.receivedUnixNano },
      rows,
    );
    if (performance.now() - sliceStartMs < YIELD_AFTER_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStartMs = performance.now();
  }
}

/** Where blocks lie while they are inserted. The files are made again after a crash, so they are not synced. */
export class BlockDirectory {
  readonly #directory: string;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory and empties it of what an earlier run left. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for (const name of await readdir(this.#directory))
      await rm(join(this.#directory, name), { force: true, recursive: true });
  }

  /** Writes blocks to files, in order. */
  async write(blocks: readonly TableBlock[]): Promise<BlockFile[]> {
    const files: BlockFile[] = [];
    for (const block of blocks) {
      if (block.rowCount === 0) continue;
      const path = join(this.#directory, `${process.pid}-${this.#made++}-${block.table}.native`);
      const bytes = await writeChunks(path, block.chunks);
      files.push({ table: block.table, columns: block.columns, path, rows: block.rowCount, bytes });
    }
    return files;
  }

  async remove(files: readonly BlockFile[]): Promise<void> {
    for (const file of files) await rm(file.path, { force: true });
  }
}

async function writeChunks(path: string, chunks: readonly Uint8Array[]): Promise<number> {
  const handle = await open(path, 'wx', 0o600);
  let total = 0;
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
      total += chunk.length;
    }
  } finally {
    await handle.close();
  }
  return total;
}
