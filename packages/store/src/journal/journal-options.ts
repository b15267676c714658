import type { Telemetry } from '@clew/base';
import type { JournalFs } from './journal-fs.ts';

const MIB = 1024 * 1024;

/** When a segment is full or old enough to be stored. */
export interface SegmentPolicy {
  /** Spans in a segment, at most (one record alone may have more). */
  readonly maxRows: number;
  /** Bytes of a segment's records, at most (one record alone may have more). */
  readonly maxBytes: number;
  /** Age at which a segment is sealed, in milliseconds. */
  readonly maxAgeMs: number;
  /** Age at which a segment of fewer than `fewRows` spans is sealed, so that a lone request is soon found. */
  readonly quietAgeMs: number;
  readonly fewRows: number;
  /** Age at which a segment is sealed while others wait to be stored, in milliseconds; recovery counts on two minutes at most. */
  readonly maxBacklogAgeMs: number;
  /** Spans that are worth an insert of their own when the writer has nothing to do. */
  readonly worthwhileRows: number;
}

/**
 * The policy unless told otherwise. A packed batch grows by three quarters on its way into a block, so 32 MiB are blocks of at most about 64 MB,
 * which the engine inserts within a limit of 1 GB.
 */
export const DEFAULT_SEGMENT_POLICY: SegmentPolicy = Object.freeze({
  maxRows: 200_000,
  maxBytes: 32 * MIB,
  maxAgeMs: 1400,
  quietAgeMs: 250,
  fewRows: 500,
  maxBacklogAgeMs: 60_000,
  worthwhileRows: 100_000,
});

/** Defaults of the journal's limits. */
export const JOURNAL_DEFAULTS = Object.freeze({
  maxRecordBytes: 256 * MIB,
  maxUnsyncedBytes: 64 * MIB,
  maxResidentBytes: 64 * MIB,
  maxRememberedRequests: 1_000_000,
});

/** What a journal is opened with. */
export interface JournalOptions {
  readonly directory: string;
  /** Where damaged records are set aside. */
  readonly quarantineDirectory: string;
  readonly telemetry: Telemetry;
  /** Trace ids (16 bytes a row) of a packed batch; how the journal learns what a recovered record holds. Throws when the payload is no batch. */
  readonly traceIdsOf: (payload: Uint8Array) => Uint8Array;
  /** `journal.max_bytes`; default min(10 GiB, 20 % of free disk). */
  readonly maxBytes?: number | undefined;
  /** `journal.min_free_bytes`; default 256 MiB. */
  readonly minFreeBytes?: number | undefined;
  /** `journal.max_record_bytes`: one request's packed batch; default 256 MiB. */
  readonly maxRecordBytes?: number | undefined;
  /** `journal.max_unsynced_bytes`: records that wait for the disk; default 64 MiB. */
  readonly maxUnsyncedBytes?: number | undefined;
  /** `journal.max_resident_bytes`: memory for records of sealed segments; default 64 MiB. */
  readonly maxResidentBytes?: number | undefined;
  /** `journal.max_remembered_requests`; default 1,000,000 (up to 44 MB). */
  readonly maxRememberedRequests?: number | undefined;
  readonly policy?: Partial<SegmentPolicy>;
  readonly fs?: JournalFs;
  /** The wall clock, milliseconds since 1970. */
  readonly now?: () => number;
}
