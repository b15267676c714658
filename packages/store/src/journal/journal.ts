import { join } from 'node:path';
import { StoreError } from '../errors.ts';
import type { StoreErrorCode } from '../errors.ts';
import { Committer } from './committer.ts';
import { fault } from './faults.ts';
import { nodeJournalFs } from './journal-fs.ts';
import type { JournalFs } from './journal-fs.ts';
import { DEFAULT_SEGMENT_POLICY, JOURNAL_DEFAULTS } from './journal-options.ts';
import type { JournalOptions, SegmentPolicy } from './journal-options.ts';
import { Quarantine } from './quarantine.ts';
import { findSegments, JournalRecovery } from './recovery.ts';
import type { FoundSegment } from './recovery.ts';
import { RecentRequests } from './recent-requests.ts';
import { recordBytes } from './record.ts';
import { RequestLog } from './request-log.ts';
import { Segment } from './segment.ts';
import type { AppendRecord } from './segment.ts';
import { SealedQueue } from './sealed-queue.ts';
import { DEFAULT_MIN_FREE_BYTES, defaultMaxBytes, SpaceWatch } from './space.ts';
import { journalTelemetry } from './telemetry.ts';
import type { JournalLimit, JournalTelemetry } from './telemetry.ts';

/**
 * Makes requests durable and hands them on in segments. What {@link append} resolved for survives a crash and a power loss, until
 * {@link remove} says that its segment is stored elsewhere.
 */
export class Journal {
  readonly directory: string;
  readonly fs: JournalFs;
  /** Requests accepted within ten minutes, those of recovered segments included once {@link requestsLoaded} settled. */
  readonly recent: RecentRequests;
  /** Sealed segments that wait to be stored. */
  readonly sealed: SealedQueue;
  readonly telemetry: JournalTelemetry;
  /** Asked whether the writer has nothing to do; set by the writer. */
  writerIdle: () => boolean = () => false;
  readonly #space: SpaceWatch;
  readonly #policy: SegmentPolicy;
  readonly #maxRecordBytes: number;
  readonly #maxUnsyncedBytes: number;
  readonly #requestLog: RequestLog;
  readonly #committer: Committer;
  readonly #recovery: JournalRecovery;
  /** Where data that cannot be read or stored goes. */
  readonly quarantine: Quarantine;
  readonly #now: () => number;
  /** Every segment that is not yet removed, in order of creation. */
  readonly #segments = new Set<Segment>();
  #current: Segment | undefined;
  #sealTimer: NodeJS.Timeout | undefined;
  #heldBytes = 0;
  /** Size of the last request that did not fit; 0 once one as large has. */
  #lastRefusedBytes = 0;
  #unsyncedBytes = 0;
  #closed = false;

  private constructor(
    options: JournalOptions,
    space: SpaceWatch,
    recent: RecentRequests,
    log: RequestLog,
    found: readonly FoundSegment[],
  ) {
    this.directory = options.directory;
    this.fs = options.fs ?? nodeJournalFs;
    this.recent = recent;
    this.sealed = new SealedQueue(options.maxResidentBytes ?? JOURNAL_DEFAULTS.maxResidentBytes);
    this.#space = space;
    this.#policy = { ...DEFAULT_SEGMENT_POLICY, ...options.policy };
    this.#maxRecordBytes = options.maxRecordBytes ?? JOURNAL_DEFAULTS.maxRecordBytes;
    this.#maxUnsyncedBytes = options.maxUnsyncedBytes ?? JOURNAL_DEFAULTS.maxUnsyncedBytes;
    this.#requestLog = log;
    this.#now = options.now ?? Date.now;
    this.telemetry = journalTelemetry(options.telemetry, () => this.snapshot(), this.#limits());
    this.#committer = new Committer(this.fs, {
      durable: (segment, from, bytes, seconds) => {
        this.#unsyncedBytes -= bytes;
        const nowMs = this.#now();
        for (let i = from.requests; i < segment.durable.requests; i++)
          recent.add(segment.requestKeys, i * 16, nowMs, nowMs);
        this.telemetry.synced(seconds, segment.durable.records - from.records, segment.durable.rows - from.rows, bytes);
      },
      failed: (segments, bytes, error) => this.#writeFailed(segments, bytes, error),
      finished: (segment) => this.#sealedNow(segment),
    });
    this.quarantine = new Quarantine(this.fs, options.quarantineDirectory);
    this.#heldBytes = found.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#recovery = new JournalRecovery(found, {
      fs: this.fs,
      directory: this.directory,
      quarantine: this.quarantine,
      traceIdsOf: options.traceIdsOf,
      telemetry: this.telemetry,
      now: this.#now,
      recent,
      recovered: (segment, fileBytes) => {
        this.#heldBytes += (segment?.bytes ?? 0) - fileBytes;
        if (segment === undefined) return;
        this.#segments.add(segment);
        segment.evict();
        this.sealed.push(segment);
      },
    });
  }

  /**
   * Opens the journal in a directory, which is made when missing. Records of an earlier run are read in the background; see {@link recovered}.
   * Fails with `directory_unreadable`, or `schema_newer` when a later version wrote here.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const fs = options.fs ?? nodeJournalFs;
    const { directory } = options;
    const now = options.now ?? Date.now;
    try {
      await fs.makeDirectory(directory);
      await fs.syncDirectory(directory);
      const space = await fs.space(directory);
      const found = await findSegments(fs, directory);
      const maxBytes = options.maxBytes ?? defaultMaxBytes(space);
      const limits = { maxBytes, minFreeBytes: options.minFreeBytes ?? DEFAULT_MIN_FREE_BYTES };
      const recent = new RecentRequests(options.maxRememberedRequests ?? JOURNAL_DEFAULTS.maxRememberedRequests);
      const log = await RequestLog.open(fs, join(directory, 'requests'), recent, now());
      const journal = new Journal(options, new SpaceWatch(fs, directory, limits, space, now), recent, log, found);
      journal.#recovery.start();
      return journal;
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError(
        'directory_unreadable',
        `the journal directory ${directory} cannot be used (${error instanceof Error ? error.message : String(error)}); make it readable and writable for this user, or choose another with clew_storage.journal.directory`,
        { cause: error },
      );
    }
  }

  /** Settles when the requests of the last ten minutes are known again, so that repetitions of them are recognised. */
  get requestsLoaded(): Promise<void> {
    return this.#recovery.requestsLoaded;
  }

  /** Settles when everything an earlier run left is in the queue of sealed segments. */
  get recovered(): Promise<void> {
    return this.#recovery.finished;
  }

  /** Bytes held, on disk or on the way there. */
  get bytes(): number {
    return this.#heldBytes;
  }

  /** Why a request of about `bytes` would be refused now, or undefined. Costs nothing and promises nothing. */
  refusal(bytes: number): StoreError | undefined {
    if (this.#closed)
      return new StoreError(
        'journal_full',
        'the journal is closed: the process is stopping; send again elsewhere or later',
      );
    if (this.#unsyncedBytes + bytes > this.#maxUnsyncedBytes && this.#unsyncedBytes > 0) {
      return new StoreError(
        'overloaded',
        `${this.#unsyncedBytes} bytes wait to be written to the journal and the limit clew_storage.journal.max_unsynced_bytes is ${this.#maxUnsyncedBytes}: the disk is too slow for what arrives`,
      );
    }
    // A size of 0 is unknown: what was refused last is a fair guess, until something as large has fitted again.
    return this.#space.refusal(this.bytes, bytes === 0 ? this.#lastRefusedBytes : bytes);
  }

  /**
   * Takes a request; settles when it is on disk. Rejects with `journal_full`, `disk_full`, `overloaded` or `invalid_argument` (too large), or with
   * the system's error when writing failed. What was rejected is not stored, except when power fails in that moment.
   */
  append(record: AppendRecord): Promise<void> {
    const bytes = recordBytes(record.tenant.length, record.payload.byteLength);
    const refusal = bytes > this.#maxRecordBytes ? tooLarge(bytes, this.#maxRecordBytes) : this.refusal(bytes);
    if (refusal !== undefined) {
      this.telemetry.refused(refusal.code);
      this.#lastRefusedBytes = bytes;
      return Promise.reject(refusal);
    }
    if (bytes >= this.#lastRefusedBytes) this.#lastRefusedBytes = 0;
    const segment = this.#roomFor(record.rows, bytes);
    segment.append(record, this.#now());
    this.#unsyncedBytes += bytes;
    this.#heldBytes += bytes;
    const committed = this.#committer.submit(segment);
    if (this.#isFull(segment)) this.#seal();
    return committed;
  }

  /** Seals the segment that is being filled, if there is one, so that it is stored without waiting for its age. */
  flush(): void {
    if (this.#current !== undefined) this.#seal();
  }

  /** Gives up a segment that is stored: its request keys are kept for ten minutes, its file is deleted. */
  async remove(segment: Segment): Promise<void> {
    await this.#requestLog.append(segment, this.#now());
    fault('writer.after_request_log');
    await this.fs.remove(segment.path);
    this.#segments.delete(segment);
    this.#heldBytes -= segment.bytes;
    this.sealed.release(segment);
  }

  /** All segments that are not yet removed, the one being filled included. */
  segments(): Iterable<Segment> {
    return this.#segments;
  }

  /** Whether a segment is still here. */
  holds(segment: Segment): boolean {
    return this.#segments.has(segment);
  }

  /** Takes no more, makes durable what was taken, and lets go of all files. What is not stored stays for the next start. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.flush();
    await this.#committer.idle();
    await this.#recovery.stop();
    this.sealed.close();
    await this.#requestLog.close();
    this.telemetry.dispose();
  }

  /** Plain numbers. */
  snapshot(): JournalSnapshot {
    return {
      directory: this.directory,
      bytes: this.bytes,
      maxBytes: this.#space.limits.maxBytes,
      freeBytes: this.#space.freeBytes,
      minFreeBytes: this.#space.limits.minFreeBytes,
      unsyncedBytes: this.#unsyncedBytes,
      segments: this.#segments.size,
      sealedSegments: this.sealed.length,
      rows: [...this.#segments].reduce((sum, segment) => sum + segment.rows, 0),
      residentBytes: this.sealed.residentBytes + (this.#current?.buffer?.capacity ?? 0),
      requestsRemembered: this.recent.size,
      requestsForgottenEarly: this.recent.evictedEarly,
      recovering: !this.#recovery.done,
    };
  }

  #limits(): JournalLimit[] {
    const limit = (name: string, value: number, code: StoreErrorCode): JournalLimit => ({
      name: `journal_${name}`,
      setting: `clew_storage.journal.${name}`,
      value,
      code,
    });
    return [
      limit('max_bytes', this.#space.limits.maxBytes, 'journal_full'),
      limit('min_free_bytes', this.#space.limits.minFreeBytes, 'disk_full'),
      limit('max_record_bytes', this.#maxRecordBytes, 'invalid_argument'),
      limit('max_unsynced_bytes', this.#maxUnsyncedBytes, 'overloaded'),
    ];
  }

  #roomFor(rows: number, bytes: number): Segment {
    const { maxRows, maxBytes } = this.#policy;
    const current = this.#current;
    if (current !== undefined && current.rows + rows <= maxRows && current.bytes + bytes <= maxBytes) return current;
    if (current !== undefined) this.#seal();
    const segment = Segment.begin(this.directory, this.#now());
    this.#segments.add(segment);
    this.#current = segment;
    this.#sealTimer = setTimeout(() => this.#quietAge(segment), this.#policy.quietAgeMs);
    return segment;
  }

  #isFull(segment: Segment): boolean {
    const { maxRows, maxBytes, worthwhileRows } = this.#policy;
    if (segment.rows >= maxRows || segment.bytes >= maxBytes) return true;
    return segment.rows >= worthwhileRows && this.writerIdle();
  }

  #quietAge(segment: Segment): void {
    const { fewRows, maxAgeMs, quietAgeMs } = this.#policy;
    if (segment.rows < fewRows) this.#sealUnlessBacklog(segment);
    else this.#sealTimer = setTimeout(() => this.#sealUnlessBacklog(segment), maxAgeMs - quietAgeMs);
  }

  /** While others wait already, a segment gains nothing from being sealed and goes on filling, so that a backlog is few large ones. */
  #sealUnlessBacklog(segment: Segment): void {
    const { quietAgeMs, maxBacklogAgeMs } = this.#policy;
    if (this.sealed.length < 2 || this.#now() - segment.openedUnixMs >= maxBacklogAgeMs) return this.#seal();
    this.#sealTimer = setTimeout(() => this.#sealUnlessBacklog(segment), quietAgeMs);
  }

  #seal(): void {
    clearTimeout(this.#sealTimer);
    const segment = this.#current!;
    this.#current = undefined;
    this.#committer.finish(segment);
  }

  #sealedNow(segment: Segment): void {
    if (segment.rows > 0) return this.sealed.push(segment);
    // Nothing in it was ever acknowledged: its write failed.
    this.#segments.delete(segment);
    this.fs.remove(segment.path).catch((error: unknown) => this.telemetry.writeFailed(error, segment.id));
  }

  #writeFailed(segments: readonly Segment[], bytes: number, error: unknown): StoreError {
    this.#unsyncedBytes -= bytes;
    this.#heldBytes -= bytes;
    for (const segment of segments) {
      this.telemetry.writeFailed(error, segment.id);
      if (segment !== this.#current) continue;
      clearTimeout(this.#sealTimer);
      this.#current = undefined;
    }
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#space.noteFailure(error)) {
      return new StoreError(
        'disk_full',
        `the journal in ${this.directory} could not be written because the disk is full (${reason}); free some space`,
        { cause: error },
      );
    }
    return new StoreError(
      'journal_write_failed',
      `the journal in ${this.directory} could not be written (${reason}); nothing of the request was kept, send it again`,
      { cause: error },
    );
  }
}

function tooLarge(bytes: number, limit: number): StoreError {
  return new StoreError(
    'invalid_argument',
    `a request packed to ${bytes} bytes is larger than the limit clew_storage.journal.max_record_bytes of ${limit}; send smaller requests or raise it`,
    { details: { bytes, limit } },
  );
}

/** Plain data about a journal; sizes in bytes. */
export interface JournalSnapshot {
  readonly directory: string;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly freeBytes: number;
  readonly minFreeBytes: number;
  readonly unsyncedBytes: number;
  readonly segments: number;
  readonly sealedSegments: number;
  readonly rows: number;
  readonly residentBytes: number;
  readonly requestsRemembered: number;
  /** Tables of remembered requests dropped before their ten minutes because there were too many. */
  readonly requestsForgottenEarly: number;
  readonly recovering: boolean;
}
