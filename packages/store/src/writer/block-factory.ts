import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpanBatch } from '@clew/model';
import { unpackBatch } from '@clew/model';
import type { AppendMeta, TableBlock } from '../block/table-block.ts';
import type { RecordView } from '../journal/record.ts';
import { scanSegment } from '../journal/segment-scan.ts';
import type { BlockFile, RecordPart } from './segment-blocks.ts';

/** The part of the block builder that is used here. */
export interface BlockSource {
  append(batch: SpanBatch, meta: AppendMeta, rows?: Uint32Array): void;
  build(segmentId: string): TableBlock[];
  confirm(): void;
  forgetDays(days: readonly number[]): void;
  reset(): void;
}

/** A segment as bytes: unpacks its records, has the builder make blocks of them, and writes those to files. */
export class BlockFactory {
  readonly #builder: BlockSource;
  readonly #directory: string;
  #made = 0;

  constructor(builder: BlockSource, directory: string) {
    this.#builder = builder;
    this.#directory = directory;
  }

  /** Makes the directory and empties it. Files are made again after a crash, so they are never synced. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for (const name of await readdir(this.#directory)) {
      await rm(join(this.#directory, name), { force: true, recursive: true });
    }
  }

  /** Blocks of a segment's file contents, or of some parts of it. Damaged records are left out; recovery has set them aside. */
  async build(bytes: Uint8Array, segmentId: string, parts: readonly RecordPart[] | undefined): Promise<BlockFile[]> {
    const { records } = scanSegment(bytes, Buffer.from(segmentId, 'hex'));
    // What an earlier build left that was never finished, because it failed.
    this.#builder.reset();
    if (parts === undefined) for (const record of records) this.#append(record, undefined);
    else this.#appendParts(records, parts);
    return this.#write(this.#builder.build(segmentId));
  }

  /** Deletes files; `stored` says that they were inserted. */
  async finish(paths: readonly string[], stored: boolean): Promise<void> {
    if (stored) this.#builder.confirm();
    this.#builder.reset();
    for (const path of paths) await rm(path, { force: true });
  }

  forgetDays(days: readonly number[]): void {
    this.#builder.forgetDays(days);
  }

  #append(record: RecordView, rows: Uint32Array | undefined): void {
    const { tenant, receivedUnixNano } = record;
    this.#builder.append(unpackBatch(record.payload), { tenant, receivedUnixNano }, rows);
  }

  #appendParts(records: readonly RecordView[], parts: readonly RecordPart[]): void {
    const byOffset = new Map(records.map((record) => [record.start, record]));
    for (const { offset, rows } of parts) {
      const record = byOffset.get(offset);
      if (record !== undefined) this.#append(record, rows);
    }
  }

  async #write(blocks: readonly TableBlock[]): Promise<BlockFile[]> {
    const files: BlockFile[] = [];
    for (const block of blocks) {
      if (block.rowCount === 0) continue;
      const path = join(this.#directory, `${process.pid}-${this.#made++}-${block.table}.native`);
      const bytes = await writeChunks(path, block.chunks);
      files.push({ table: block.table, columns: block.columns, path, rows: block.rowCount, bytes });
    }
    return files;
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
