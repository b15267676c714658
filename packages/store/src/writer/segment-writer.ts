import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '@clew/base';
import { errorMessage } from '@clew/base';
import { packBatch, unpackBatch } from '@clew/model';
import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { fault } from '../journal/faults.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordView } from '../journal/record.ts';
import type { Segment } from '../journal/segment.ts';
import { insertSettings } from '../schema/segments.ts';
import { bisect } from './bisect.ts';
import type { CountedPart } from './bisect.ts';
import { failsForGood, leavesDoubt, needsLess } from './insert-errors.ts';
import { insertComment } from './running-inserts.ts';
import type { BlockFile, RecordPart, SegmentBlocks } from './segment-blocks.ts';
import { writerTelemetry } from './telemetry.ts';
import type { ReconcileOutcome, WriterTelemetry } from './telemetry.ts';

/** What the writer asks and tells the tables about a segment. */
export interface SegmentTables {
  /** Span rows that carry the segment's id. */
  count(segmentId: string): Promise<number>;
  /** Deletes them. */
  remove(segmentId: string): Promise<void>;
  /** Makes sure that everything derived from the spans of a stored segment is there. */
  derive(segmentId: string): Promise<void>;
}

/** What a writer needs. */
export interface SegmentWriterOptions {
  readonly journal: Journal;
  readonly client: SqlClient;
  readonly blocks: SegmentBlocks;
  readonly tables: SegmentTables;
  readonly telemetry: Telemetry;
  /** First and longest pause between attempts, in milliseconds. */
  readonly retry?: { readonly firstMs: number; readonly maxMs: number };
}

const DEFAULT_RETRY = { firstMs: 100, maxMs: 5000 };
/** Attempts to insert a segment that meets the engine's memory limit as one block, before it is inserted in pieces. */
const ATTEMPTS_AS_ONE_BLOCK = 3;
/** How long a segment that is refused alone waits for another to prove the engine healthy before it is tried again. */
const SUSPECT_RETRY_MS = 10_000;

/**
 * Moves sealed segments from the journal into the tables, one at a time and oldest first, each as one block whose token is the segment's id. A segment leaves the
 * journal only after every insert returned, which means synced.
 *
 * When an insert ends in doubt (the engine went away, a deadline passed, this process was killed) the tables are asked first: all rows there,
 * none, or some. When the engine is down attempts repeat for ever while the journal goes on filling. When spans are refused for good the segment is
 * bisected, but only once something else was stored: an engine that refuses everything is no reason to set everything aside.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #telemetry: WriterTelemetry;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #busy: Segment | undefined;
  #suspects: Segment[] = [];
  #storedSegments = 0;
  #prepared = false;
  #lastError: string | undefined;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#telemetry = writerTelemetry(options.telemetry);
    options.journal.writerIdle = () => this.#busy === undefined && options.journal.sealed.length === 0;
  }

  /** Begins to store. Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Settles when the journal is empty of sealed segments, when the deadline aborts, or when nothing can be stored now: what is left is safe and is
   * stored after the next start.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    while (!deadline.aborted && this.#canStore() && this.#pending()) {
      await sleep(10, undefined, { signal: deadline }).catch(() => undefined);
    }
  }

  /** Ends after the attempt under way; what is not stored stays in the journal. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.journal.sealed.close();
    await this.#running;
    await this.#options.blocks.close();
  }

  /** Partitions of these days (since 1970) were dropped: what was announced for them is announced again with the next spans. */
  forgetDays(days: readonly number[]): Promise<void> {
    return this.#options.blocks.forgetDays(days);
  }

  /** Plain data. */
  snapshot(): WriterSnapshot {
    const { journal } = this.#options;
    return {
      storing: this.#busy?.id ?? null,
      waitingSegments: journal.sealed.length,
      suspectSegments: this.#suspects.length,
      storedSegments: this.#storedSegments,
      lastError: this.#lastError ?? null,
    };
  }

  #canStore(): boolean {
    return this.#running !== undefined && !this.#stopping.signal.aborted && this.#lastError === undefined;
  }

  #pending(): boolean {
    return this.#busy !== undefined || this.#options.journal.sealed.length > 0;
  }

  async #run(): Promise<void> {
    const { journal } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const segment = await journal.sealed.next(this.#suspects.length > 0 ? SUSPECT_RETRY_MS : undefined);
      if (segment !== undefined) await this.#storeUntilDone(segment);
      if (this.#suspects.length > 0) await this.#retrySuspects(segment === undefined);
    }
  }

  /** Suspects are looked at again when something was stored, and now and then when nothing comes. */
  async #retrySuspects(nothingCame: boolean): Promise<void> {
    if (this.#storedSegments === 0 && !nothingCame) return;
    const suspects = this.#suspects;
    this.#suspects = [];
    for (const suspect of suspects) await this.#storeUntilDone(suspect);
  }

  async #storeUntilDone(segment: Segment): Promise<void> {
    const { firstMs, maxMs } = this.#options.retry ?? DEFAULT_RETRY;
    this.#busy = segment;
    let delayMs = firstMs;
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt++, delayMs = Math.min(delayMs * 2, maxMs)) {
      try {
        await this.#store(segment, attempt);
        this.#lastError = undefined;
        break;
      } catch (error) {
        this.#lastError = errorMessage(error);
        segment.inDoubt ||= leavesDoubt(error);
        if (failsForGood(error)) {
          this.#suspects.push(segment);
          this.#options.journal.sealed.evict(segment);
          this.#telemetry.suspected(segment.id, error);
          break;
        }
        this.#telemetry.retrying(segment.id, error, delayMs);
        await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
    this.#busy = undefined;
  }

  async #store(segment: Segment, attempt: number): Promise<void> {
    const startedMs = performance.now();
    const found = segment.inDoubt ? await this.#reconcile(segment) : 'absent';
    const bytes = found === 'complete' ? 0 : await this.#insert(segment, attempt);
    this.#storedSegments++;
    fault('writer.after_insert_before_delete');
    await this.#options.journal.remove(segment);
    fault('writer.after_delete');
    const seconds = (performance.now() - startedMs) / 1000;
    this.#telemetry.stored(seconds, segment.rows, bytes, (Date.now() - segment.openedUnixMs) / 1000);
  }

  /** Asks the tables what became of an earlier attempt, and removes what is there of a partial one. */
  async #reconcile(segment: Segment): Promise<ReconcileOutcome> {
    const { tables } = this.#options;
    fault('recovery.before_count');
    const rows = await tables.count(segment.id);
    fault('recovery.after_count');
    // A segment whose damaged records were set aside may rightly be there with more rows than are left of it.
    const complete = rows === segment.rows || (segment.incomplete && rows > segment.rows);
    const outcome = rows === 0 ? 'absent' : complete ? 'complete' : 'partial';
    if (outcome === 'complete') await tables.derive(segment.id);
    if (outcome === 'partial') {
      await tables.remove(segment.id);
      fault('recovery.after_delete_rows');
    }
    this.#telemetry.reconciled(segment.id, outcome);
    return outcome;
  }

  /** Inserts a segment that is not in the tables; returns the bytes given to the engine. */
  async #insert(segment: Segment, attempt: number): Promise<number> {
    // A token that was used before might make the engine drop the rows although none is there.
    const token = segment.inDoubt ? freshToken(segment) : segment.id;
    try {
      return await this.#storeParts(segment, undefined, token);
    } catch (error) {
      const refused = failsForGood(error) && this.#storedSegments > 0;
      const tooLarge = needsLess(error) && attempt >= ATTEMPTS_AS_ONE_BLOCK;
      if (!refused && !tooLarge) throw error;
      segment.inDoubt = true;
      await this.#bisect(segment);
      return 0;
    }
  }

  async #bisect(segment: Segment): Promise<void> {
    const records = await segment.readRecords(this.#options.journal.fs);
    const parts = records.map((record): CountedPart => ({ offset: record.start, recordRows: record.rows }));
    await bisect(parts, {
      store: async (some) => {
        await this.#storeParts(segment, some, freshToken(segment));
      },
      setAside: (part, error) => {
        const record = records.find((candidate) => candidate.start === part.offset)!;
        return this.#setAside(segment, record, part.rows, error);
      },
    });
  }

  async #storeParts(segment: Segment, parts: readonly RecordPart[] | undefined, token: string): Promise<number> {
    const { blocks } = this.#options;
    fault('writer.before_build');
    if (!this.#prepared) await blocks.prepare();
    this.#prepared = true;
    const files = await blocks.build(segment, parts);
    fault('writer.after_file');
    let stored = false;
    try {
      await this.#insertFiles(segment, files, token);
      stored = true;
    } finally {
      await blocks.finish(files, stored);
    }
    return files.reduce((sum, file) => sum + file.bytes, 0);
  }

  async #insertFiles(segment: Segment, files: readonly BlockFile[], token: string): Promise<void> {
    for (const [index, file] of files.entries()) {
      if (this.#stopping.signal.aborted)
        throw new StoreError('cancelled', 'storing a segment was stopped; it stays in the journal');
      fault(index === 0 ? 'writer.before_insert' : 'writer.between_tables');
      await this.#options.client.insertFile({
        table: file.table,
        columns: file.columns,
        path: file.path,
        token: `${token}-${file.table}`,
        comment: insertComment(segment.id, file.table, file.rows),
        settings: insertSettings,
        signal: this.#stopping.signal,
      });
    }
  }

  async #setAside(segment: Segment, record: RecordView, rows: Uint32Array | undefined, error: unknown): Promise<void> {
    const name = `${segment.id}-${record.start}${rows === undefined ? '' : `-${rows[0]}`}.batch`;
    const bytes = rows === undefined ? record.payload : packBatch(unpackBatch(record.payload), { rows });
    const path = await this.#options.journal.quarantine.put(name, bytes, {
      reason: errorMessage(error),
      segment: segment.id,
      tenant: record.tenant,
      receivedUnixNano: String(record.receivedUnixNano),
      ...(rows === undefined ? {} : { row: rows[0]! }),
    });
    this.#telemetry.quarantined(segment.id, rows?.length ?? record.rows, path, error);
  }
}

/** A token no insert has used yet. */
function freshToken(segment: Segment): string {
  return `${segment.id}-${crypto.randomUUID()}`;
}

/** Plain data about the writer. */
export interface WriterSnapshot {
  /** Id of the segment being stored. */
  readonly storing: string | null;
  readonly waitingSegments: number;
  readonly suspectSegments: number;
  readonly storedSegments: number;
  readonly lastError: string | null;
}
