import { readFile } from 'node:fs/promises';
import type { SpanBatch } from '@clew/model';
import type { AppendMeta, TableBlock } from '../block/table-block.ts';
import type { InsertFile, SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import type { JournalFs } from '../journal/journal-fs.ts';
import type { Segment } from '../journal/segment.ts';
import { BlockFactory } from '../writer/block-factory.ts';
import type { BlockSource } from '../writer/block-factory.ts';
import type { BlockFile, RecordPart, SegmentBlocks } from '../writer/segment-blocks.ts';
import type { SegmentTables } from '../writer/segment-writer.ts';

/** One stored span: its segment and its span id as text. */
export interface StoredSpan {
  readonly segment: string;
  readonly tenant: string;
  readonly spanId: string;
}

/** What an insert into {@link MemoryEngine} does. */
export type InsertFate =
  | 'store'
  /** Fails before anything is there. */
  | 'fail_before'
  /** Fails because it needs more memory than allowed; nothing is there. */
  | 'memory'
  /** Everything is there, but the answer is lost. */
  | 'fail_after'
  /** Half of the rows are there, and the answer is lost. */
  | 'fail_half';

/**
 * Tables in memory for tests of the writer: keeps spans by segment, honours deduplication tokens as the engine does (a used token makes it drop the block), and fails
 * as told.
 */
export class MemoryEngine {
  spans: StoredSpan[] = [];
  /** Decides what the next insert does. */
  fate: (insert: InsertFile) => InsertFate = () => 'store';
  /** Throwing refuses a span as data the engine cannot take. */
  refuse: (spanId: string) => boolean = () => false;
  /** Tables in the order in which they were inserted into. */
  readonly order: string[] = [];
  readonly derived: string[] = [];
  down = false;
  readonly #tokens = new Set<string>();

  readonly client: Pick<SqlClient, 'insertFile'> = {
    insertFile: (insert) => this.#insert(insert),
  };

  readonly tables: SegmentTables = {
    count: async (segment) => {
      this.#checkUp();
      return this.spans.filter((span) => span.segment === segment).length;
    },
    remove: async (segment) => {
      this.#checkUp();
      this.spans = this.spans.filter((span) => span.segment !== segment);
    },
    derive: async (segment) => {
      this.#checkUp();
      this.derived.push(segment);
    },
  };

  async #insert(insert: InsertFile): Promise<void> {
    this.#checkUp();
    const rows = JSON.parse(await readFile(insert.path, 'utf8')) as StoredSpan[];
    this.order.push(insert.table);
    if (insert.table !== 'spans') return;
    const refused = rows.find((row) => this.refuse(row.spanId));
    if (refused !== undefined) {
      throw new StoreError('sql_error', `cannot store ${refused.spanId}`, { details: { engineCode: 6 } });
    }
    const fate = this.fate(insert);
    if (fate === 'fail_before') throw new StoreError('engine_unavailable', 'went away before the insert');
    if (fate === 'memory') throw new StoreError('memory_limit', 'too large for the memory allowed');
    if (!this.#tokens.has(insert.token))
      this.spans.push(...(fate === 'fail_half' ? rows.slice(0, rows.length >>> 1) : rows));
    this.#tokens.add(insert.token);
    if (fate !== 'store') throw new StoreError('engine_unavailable', 'went away during the insert');
  }

  #checkUp(): void {
    if (this.down) throw new StoreError('engine_unavailable', 'the engine is down');
  }
}

/** Builds blocks whose bytes are JSON, for {@link MemoryEngine}. */
class JsonBuilder implements BlockSource {
  #spans: { readonly tenant: string; readonly spanId: string }[] = [];

  append(batch: SpanBatch, { tenant }: AppendMeta, rows?: Uint32Array): void {
    for (const row of rows ?? Array(batch.count).keys()) {
      const spanId = Buffer.from(batch.spanIds.subarray(row * 8, row * 8 + 8)).toString('hex');
      this.#spans.push({ tenant, spanId });
    }
  }

  build(segment: string): TableBlock[] {
    const rows = this.#spans.map((span): StoredSpan => ({ segment, ...span }));
    const block = (table: string, content: unknown, rowCount: number): TableBlock => ({
      table,
      columns: [],
      chunks: [Buffer.from(JSON.stringify(content))],
      rowCount,
    });
    return [block('resources', [], 1), block('spans', rows, rows.length)];
  }

  confirm(): void {}

  forgetDays(): void {}

  reset(): void {
    this.#spans = [];
  }
}

/** Blocks for {@link MemoryEngine}, built in this thread from segments on any file system. */
export class JsonBlocks implements SegmentBlocks {
  readonly #fs: JournalFs;
  readonly #factory: BlockFactory;

  constructor(fs: JournalFs, directory: string) {
    this.#fs = fs;
    this.#factory = new BlockFactory(new JsonBuilder(), directory);
  }

  prepare(): Promise<void> {
    return this.#factory.prepare();
  }

  async build(segment: Segment, parts?: readonly RecordPart[]): Promise<BlockFile[]> {
    const file = await this.#fs.open(segment.path);
    return this.#factory.build(await file.readAll(), segment.id, parts);
  }

  finish(files: readonly BlockFile[], stored: boolean): Promise<void> {
    return this.#factory.finish(
      files.map((file) => file.path),
      stored,
    );
  }

  async forgetDays(): Promise<void> {}

  async close(): Promise<void> {}
}
