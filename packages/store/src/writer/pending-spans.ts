import type { SpanBatch } from '@clew/model';
import { unpackBatch } from '@clew/model';
import { isErrno } from '../journal/journal-fs.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordView } from '../journal/record.ts';
import type { Segment } from '../journal/segment.ts';

/** Spans of one trace in one request that is acknowledged and may not be in the tables yet. */
export interface PendingBatch {
  /** The whole batch; must not be changed. */
  readonly batch: SpanBatch;
  /** Rows of it that belong to the trace. */
  readonly rows: Uint32Array;
  readonly receivedUnixNano: bigint;
}

/**
 * What is acknowledged but may not be stored yet. Ask this *before* the tables: a segment leaves here only after it is in the tables, so asking in this order misses
 * nothing and may find spans twice, equal in everything.
 */
export interface PendingSpans {
  /** Batches that hold spans of the trace (16 bytes), in no particular order. */
  findTrace(tenant: string, traceId: Uint8Array): Promise<PendingBatch[]>;
  /** Spans not yet stored, and when the oldest of them arrived (milliseconds since 1970), if any. */
  backlog(): { readonly rows: number; readonly oldestUnixMs: number | undefined };
}

/** Segments that are no longer in memory and are read for one lookup, at most; a lookup during a long outage must not read the whole journal. */
const MAX_SEGMENTS_READ = 32;

/** {@link PendingSpans} over a journal. */
export class JournalPendingSpans implements PendingSpans {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async findTrace(tenant: string, traceId: Uint8Array): Promise<PendingBatch[]> {
    const found: PendingBatch[] = [];
    const onDisk: Segment[] = [];
    // Collected without waiting in between: nothing is removed meanwhile.
    for (const segment of this.#journal.segments()) {
      const { buffer, keys, filter } = segment;
      if (buffer !== undefined && keys !== undefined) {
        for (const offset of keys.find(traceId)) collect(buffer.recordAt(offset), tenant, traceId, found);
      } else if (filter?.mayHave(traceId) === true) {
        onDisk.push(segment);
      }
    }
    // Newest first: what just arrived is what is missing elsewhere.
    for (const segment of onDisk.reverse().slice(0, MAX_SEGMENTS_READ))
      await this.#collectFromDisk(segment, tenant, traceId, found);
    return found;
  }

  backlog(): { readonly rows: number; readonly oldestUnixMs: number | undefined } {
    let rows = 0;
    let oldestUnixMs: number | undefined;
    for (const segment of this.#journal.segments()) {
      rows += segment.rows;
      oldestUnixMs = Math.min(oldestUnixMs ?? Infinity, segment.openedUnixMs);
    }
    return { rows, oldestUnixMs };
  }

  async #collectFromDisk(segment: Segment, tenant: string, traceId: Uint8Array, found: PendingBatch[]): Promise<void> {
    let records: Iterable<RecordView>;
    try {
      records = await segment.readRecords(this.#journal.fs);
    } catch (error) {
      // Stored and removed while we looked: it is in the tables now, which are asked after this.
      if (!this.#journal.holds(segment) || isErrno(error, 'ENOENT')) return;
      throw error;
    }
    for (const record of records) collect(record, tenant, traceId, found);
  }
}

function collect(record: RecordView, tenant: string, traceId: Uint8Array, found: PendingBatch[]): void {
  if (record.tenant !== tenant) return;
  const batch = unpackBatch(record.payload);
  const rows: number[] = [];
  for (let row = 0; row < batch.count; row++) if (isTrace(batch.traceIds, row * 16, traceId)) rows.push(row);
  if (rows.length > 0) found.push({ batch, rows: Uint32Array.from(rows), receivedUnixNano: record.receivedUnixNano });
}

function isTrace(traceIds: Uint8Array, at: number, traceId: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) if (traceIds[at + i] !== traceId[i]) return false;
  return true;
}
