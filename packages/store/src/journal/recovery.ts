import { join } from 'node:path';
import { StoreError } from '../errors.ts';
import { fault } from './faults.ts';
import type { JournalFile, JournalFs } from './journal-fs.ts';
import type { Quarantine } from './quarantine.ts';
import { REQUEST_WINDOW_MS } from './recent-requests.ts';
import type { RecentRequests } from './recent-requests.ts';
import { inspectHeader, RECORD_HEADER_BYTES, RECORD_VERSION } from './record.ts';
import type { RecordView } from './record.ts';
import { segmentFileName, segmentIdBytes, segmentIdOfFile, segmentUnixMs } from './segment-id.ts';
import type { SegmentId } from './segment-id.ts';
import { scanSegment } from './segment-scan.ts';
import type { DamagedRange } from './segment-scan.ts';
import { Segment } from './segment.ts';
import type { JournalTelemetry } from './telemetry.ts';

/** A segment's file as found at start. */
export interface FoundSegment {
  readonly id: SegmentId;
  readonly bytes: number;
}

/** The segments in a directory, newest first. Fails with `schema_newer` when one was written by a later version. */
export async function findSegments(fs: JournalFs, directory: string): Promise<FoundSegment[]> {
  const ids = (await fs.list(directory)).map(segmentIdOfFile).filter((id) => id !== undefined);
  const found: FoundSegment[] = [];
  for (const id of ids.sort().reverse()) {
    const file = await fs.open(join(directory, segmentFileName(id)));
    try {
      const header = await file.read(0, RECORD_HEADER_BYTES);
      if (inspectHeader(header, 0, segmentIdBytes(id)) === 'newer') throw newerJournal(directory);
      found.push({ id, bytes: await file.size() });
    } finally {
      await file.close();
    }
  }
  return found;
}

function newerJournal(directory: string): StoreError {
  return new StoreError(
    'schema_newer',
    `the journal in ${directory} holds requests written by a newer version of Clew and this one reads its layout only up to version ${RECORD_VERSION}; start the newer version again until its journal is empty`,
  );
}

/** What recovery works with. */
export interface RecoveryContext {
  readonly fs: JournalFs;
  readonly directory: string;
  readonly quarantine: Quarantine;
  readonly traceIdsOf: (payload: Uint8Array) => Uint8Array;
  readonly telemetry: JournalTelemetry;
  readonly now: () => number;
  readonly recent: RecentRequests;
  /** Called for every file: with a segment to be stored, or undefined when nothing is left of it; `fileBytes` is what it was counted as. */
  readonly recovered: (segment: Segment | undefined, fileBytes: number) => void;
}

/**
 * Reads what an earlier run left, in the background and newest first, because the newest hold the requests that may be repeated now. Torn tails are
 * cut off; damage is copied aside, counted and reported; good records behind it are kept.
 */
export class JournalRecovery {
  done = false;
  readonly #found: readonly FoundSegment[];
  readonly #context: RecoveryContext;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  #stopping = false;

  constructor(found: readonly FoundSegment[], context: RecoveryContext) {
    this.#found = found;
    this.#context = context;
  }

  /** Settles when all requests of the last ten minutes are in `recent`. */
  get requestsLoaded(): Promise<void> {
    return this.#loaded.promise;
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  start(): void {
    // Every failure inside is handled per segment; #run does not reject.
    void this.#run();
  }

  /** Stops behind the segment being read. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.finished;
  }

  async #run(): Promise<void> {
    const startedMs = performance.now();
    // Segments are filled for at most a minute, so one begun before this holds nothing that may be repeated.
    const oldestMs = this.#context.now() - REQUEST_WINDOW_MS - 2 * 60_000;
    let records = 0;
    let rows = 0;
    for (const found of this.#found) {
      if (this.#stopping) break;
      if (segmentUnixMs(found.id) < oldestMs) this.#loaded.resolve();
      const segment = await this.#recover(found);
      records += segment?.records ?? 0;
      rows += segment?.rows ?? 0;
    }
    this.done = true;
    this.#loaded.resolve();
    this.#finished.resolve();
    this.#context.telemetry.recovered(this.#found.length, records, rows, (performance.now() - startedMs) / 1000);
  }

  async #recover(found: FoundSegment): Promise<Segment | undefined> {
    const { fs, directory, telemetry, recovered } = this.#context;
    const segment = Segment.found(directory, found.id);
    try {
      fault('recovery.before_scan');
      const file = await fs.open(segment.path);
      try {
        await this.#read(segment, file);
      } finally {
        await file.close();
      }
      if (segment.rows === 0) await fs.remove(segment.path);
      recovered(segment.rows === 0 ? undefined : segment, found.bytes);
      return segment;
    } catch (error) {
      // The file stays, and is counted as held: the operator is told, the next start tries again.
      telemetry.unreadable(segment.id, error);
      return undefined;
    }
  }

  async #read(segment: Segment, file: JournalFile): Promise<void> {
    const bytes = await file.readAll();
    const scan = scanSegment(bytes, segment.idBytes);
    if (scan.newer) throw newerJournal(this.#context.directory);
    for (const range of scan.damaged) await this.#setAside(segment, bytes, range);
    for (const record of scan.records) {
      const reason = this.#note(segment, record);
      if (reason !== undefined) await this.#setAside(segment, bytes, { start: record.start, end: record.end, reason });
    }
    if (scan.end < bytes.length) {
      fault('recovery.before_truncate');
      await file.truncate(scan.end);
      await file.sync();
      this.#context.telemetry.tornTail(segment.id, bytes.length - scan.end);
    }
    segment.bytes = scan.end;
    segment.durable = segment.mark();
  }

  /** Notes a record's contents; returns why it is no batch, if so. */
  #note(segment: Segment, record: RecordView): string | undefined {
    const { recent, now, traceIdsOf } = this.#context;
    let traceIds: Uint8Array;
    try {
      traceIds = traceIdsOf(record.payload);
    } catch (error) {
      return `contents are no span batch: ${error instanceof Error ? error.message : String(error)}`;
    }
    const key = record.requestKey;
    segment.note(record.start, record.rows, traceIds, key);
    const receivedMs = Number(record.receivedUnixNano / 1_000_000n);
    segment.lastAppendUnixMs = Math.max(segment.lastAppendUnixMs, receivedMs);
    if (key !== undefined) recent.add(key, 0, receivedMs, now());
    return undefined;
  }

  async #setAside(segment: Segment, bytes: Uint8Array, range: DamagedRange): Promise<void> {
    segment.incomplete = true;
    const path = await this.#context.quarantine.put(
      `${segment.id}-${range.start}.damaged`,
      bytes.subarray(range.start, range.end),
      {
        reason: range.reason,
        segment: segment.id,
        offset: range.start,
      },
    );
    this.#context.telemetry.damaged(segment.id, range, path);
  }
}
