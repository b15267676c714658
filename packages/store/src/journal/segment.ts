import { join } from 'node:path';
import type { JournalFile, JournalFs } from './journal-fs.ts';
import { recordBytes, writeRecord } from './record.ts';
import type { PayloadSource, RecordView } from './record.ts';
import { SegmentBuffer } from './segment-buffer.ts';
import { makeSegmentId, segmentFileName, segmentIdBytes, segmentUnixMs } from './segment-id.ts';
import type { SegmentId } from './segment-id.ts';
import { scanSegment } from './segment-scan.ts';
import { TraceKeys } from './trace-keys.ts';
import type { TraceFilter } from './trace-keys.ts';

/** One accepted request on its way into the journal. */
export interface AppendRecord {
  readonly tenant: Uint8Array;
  readonly rows: number;
  readonly receivedUnixNano: bigint;
  /** 16 bytes under which a repetition is recognised. */
  readonly requestKey?: Uint8Array | undefined;
  /** The packed batch. */
  readonly payload: PayloadSource;
  /** Trace ids of the rows, 16 bytes each. */
  readonly traceIds: Uint8Array;
}

/** How far a segment reaches: everything needed to go back to that point. */
export interface SegmentMark {
  readonly bytes: number;
  readonly rows: number;
  readonly records: number;
  readonly keys: number;
  readonly requests: number;
}

const EMPTY_MARK: SegmentMark = { bytes: 0, rows: 0, records: 0, keys: 0, requests: 0 };

/**
 * A run of records that will be inserted as one block: a file in the journal's directory, its records in memory while it is young, and
 * what must be known of it without reading it. Bytes up to `durable` are synced; a segment is sealed when all of them are and nothing more is added.
 */
export class Segment {
  readonly id: SegmentId;
  readonly idBytes: Uint8Array;
  readonly path: string;
  /** When its first record came, milliseconds since 1970. */
  readonly openedUnixMs: number;
  /** When its last record came. */
  lastAppendUnixMs: number;
  rows = 0;
  records = 0;
  /** Length including what is not yet synced. */
  bytes = 0;
  durable: SegmentMark = EMPTY_MARK;
  /** Keys of the requests in it, 16 bytes each, `requests` of them. */
  requestKeys: Uint8Array = new Uint8Array(0);
  requests = 0;
  /** Records in memory; undefined once they were let go. */
  buffer: SegmentBuffer | undefined;
  /** Set while the file is open for appending. */
  file: JournalFile | undefined;
  /** True when an insert of it may have happened: the tables must be asked before inserting. */
  inDoubt = false;
  /** True when records of it were set aside as damaged: the tables may rightly hold more rows than it has. */
  incomplete = false;
  keys: TraceKeys | undefined = new TraceKeys();
  filter: TraceFilter | undefined;

  private constructor(directory: string, id: SegmentId, openedUnixMs: number) {
    this.id = id;
    this.idBytes = segmentIdBytes(id);
    this.path = join(directory, segmentFileName(id));
    this.openedUnixMs = openedUnixMs;
    this.lastAppendUnixMs = openedUnixMs;
  }

  /** A new one, filled in memory and written later. */
  static begin(directory: string, nowUnixMs: number): Segment {
    const segment = new Segment(directory, makeSegmentId(nowUnixMs), nowUnixMs);
    segment.buffer = new SegmentBuffer();
    return segment;
  }

  /** One found in the directory; the caller fills in what it contains. */
  static found(directory: string, id: SegmentId): Segment {
    const segment = new Segment(directory, id, segmentUnixMs(id));
    segment.inDoubt = true;
    return segment;
  }

  /** Adds a record in memory. */
  append(record: AppendRecord, nowUnixMs: number): void {
    const buffer = this.buffer!;
    const offset = this.bytes;
    buffer.reserve(recordBytes(record.tenant.length, record.payload.byteLength));
    writeRecord(buffer.target, buffer.offset, {
      tenant: record.tenant,
      rows: record.rows,
      segmentId: this.idBytes,
      requestKey: record.requestKey,
      receivedUnixNano: record.receivedUnixNano,
      payload: record.payload,
    });
    this.bytes = buffer.length;
    this.lastAppendUnixMs = nowUnixMs;
    this.note(offset, record.rows, record.traceIds, record.requestKey);
  }

  /** Remembers what the record at `offset` contains. */
  note(offset: number, rows: number, traceIds: Uint8Array, requestKey: Uint8Array | undefined): void {
    this.rows += rows;
    this.records++;
    this.keys!.add(traceIds, rows, offset);
    if (requestKey === undefined) return;
    if ((this.requests + 1) * 16 > this.requestKeys.length) {
      const grown = new Uint8Array(Math.max(256, this.requestKeys.length * 2));
      grown.set(this.requestKeys);
      this.requestKeys = grown;
    }
    this.requestKeys.set(requestKey, this.requests++ * 16);
  }

  /** Where it reaches now. */
  mark(): SegmentMark {
    return {
      bytes: this.bytes,
      rows: this.rows,
      records: this.records,
      keys: this.keys?.count ?? 0,
      requests: this.requests,
    };
  }

  /** Goes back to the last durable point, after a write or sync failed; returns how many bytes that undid. */
  rollback(): number {
    const undone = this.bytes - this.durable.bytes;
    this.buffer?.truncate(this.durable.bytes);
    this.keys?.rollback(this.durable.keys);
    this.bytes = this.durable.bytes;
    this.rows = this.durable.rows;
    this.records = this.durable.records;
    this.requests = this.durable.requests;
    return undone;
  }

  /** Lets go of the records in memory and keeps a filter over their traces. */
  evict(): void {
    this.buffer = undefined;
    if (this.keys === undefined) return;
    this.filter = this.keys.toFilter();
    this.keys = undefined;
  }

  /** The records as they are on disk. Damaged ones are left out; recovery has set them aside. */
  async readRecords(fs: JournalFs): Promise<readonly RecordView[]> {
    const file = await fs.open(this.path);
    try {
      return scanSegment(await file.readAll(), this.idBytes).records;
    } finally {
      await file.close();
    }
  }
}
