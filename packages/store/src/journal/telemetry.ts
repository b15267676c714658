import type { Telemetry } from '@clew/base';
import type { StoreErrorCode } from '../errors.ts';
import type { DamagedRange } from './segment-scan.ts';

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Numbers read when metrics are scraped. */
export interface JournalGauges {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly freeBytes: number;
  readonly segments: number;
  readonly residentBytes: number;
  readonly requestsRemembered: number;
  readonly requestsForgottenEarly: number;
}

/** A limit of the journal, for the metrics all limits share. */
export interface JournalLimit {
  /** Label of the metrics. */
  readonly name: string;
  /** Where users set it. */
  readonly setting: string;
  readonly value: number;
  /** Code of the error it makes. */
  readonly code: StoreErrorCode;
}

/** What the journal reports: one function an event, log line and metric together. */
export interface JournalTelemetry {
  synced(seconds: number, records: number, rows: number, bytes: number): void;
  refused(code: string): void;
  writeFailed(error: unknown, segmentId: string): void;
  duplicateRecognised(): void;
  tornTail(segmentId: string, bytes: number): void;
  damaged(segmentId: string, range: DamagedRange, path: string): void;
  unreadable(segmentId: string, error: unknown): void;
  recovered(segments: number, records: number, rows: number, seconds: number): void;
  /** Stops answering scrapes. */
  dispose(): void;
}

/** Makes the metrics of a journal and its event functions. */
export function journalTelemetry(
  { logger, meter }: Telemetry,
  read: () => JournalGauges,
  limits: readonly JournalLimit[],
): JournalTelemetry {
  const exceeded = new Map<string, number>();
  const observed: (() => void)[] = [];
  const gauge = (name: string, help: string, value: (gauges: JournalGauges) => number): void => {
    observed.push(meter.observe({ name, help }, () => [{ value: value(read()) }]));
  };
  gauge('clew_journal_size_bytes', 'Bytes in the journal.', (gauges) => gauges.bytes);
  gauge('clew_journal_limit_bytes', 'journal.max_bytes in effect.', (gauges) => gauges.maxBytes);
  gauge('clew_journal_disk_free_bytes', 'Free bytes on the disk under the journal.', (gauges) => gauges.freeBytes);
  gauge('clew_journal_segments', 'Segments not yet stored.', (gauges) => gauges.segments);
  gauge('clew_journal_resident_bytes', 'Memory that holds records.', (gauges) => gauges.residentBytes);
  gauge(
    'clew_journal_requests_remembered',
    'Requests by which repetitions are recognised.',
    (gauges) => gauges.requestsRemembered,
  );

  const labels = ['limit', 'setting'];
  const labelsOf = ({ name, setting }: JournalLimit) => ({ limit: name, setting });
  observed.push(
    meter.observe({ name: 'clew_limit_value', help: 'Configured limits; 0 means unlimited.', labels }, () =>
      limits.map((limit) => ({ value: limit.value, labels: labelsOf(limit) })),
    ),
    meter.observe(
      { name: 'clew_limit_exceeded_total', help: 'How often a limit refused something.', labels, kind: 'counter' },
      () => limits.map((limit) => ({ value: exceeded.get(limit.code) ?? 0, labels: labelsOf(limit) })),
    ),
  );

  const forgotten = {
    name: 'clew_journal_requests_forgotten_early_total',
    help: 'Tables of remembered requests dropped early; raise clew_storage.journal.max_remembered_requests.',
  };
  observed.push(meter.observe({ ...forgotten, kind: 'counter' }, () => [{ value: read().requestsForgottenEarly }]));

  const syncSeconds = meter.histogram({
    name: 'clew_journal_sync_seconds',
    help: 'Time of one write and fdatasync.',
    buckets: SECONDS,
  });
  const counter = (name: string, help: string, labels?: readonly string[]) =>
    meter.counter(labels === undefined ? { name, help } : { name, help, labels });
  const records = counter('clew_journal_records_total', 'Requests made durable.');
  const rows = counter('clew_journal_spans_total', 'Spans made durable.');
  const bytes = counter('clew_journal_written_bytes_total', 'Bytes written.');
  const refused = counter('clew_journal_refused_total', 'Requests refused, by reason.', ['reason']);
  const failures = counter('clew_journal_write_failures_total', 'Writes or syncs that failed.');
  const duplicates = counter(
    'clew_journal_duplicates_total',
    'Repeated requests acknowledged without being stored again.',
  );
  const torn = counter('clew_journal_torn_tails_total', 'Unfinished writes cut off at start.');
  const damaged = counter('clew_journal_damaged_records_total', 'Damaged stretches set aside at start.');
  const unreadable = counter(
    'clew_journal_unreadable_segments_total',
    'Segments that could not be read and were left alone.',
  );

  return {
    synced(seconds, syncedRecords, syncedRows, syncedBytes) {
      syncSeconds.record(seconds);
      records.add(syncedRecords);
      rows.add(syncedRows);
      bytes.add(syncedBytes);
    },
    refused(code) {
      refused.add(1, { reason: code });
      exceeded.set(code, (exceeded.get(code) ?? 0) + 1);
    },
    writeFailed(error, segmentId) {
      failures.add(1);
      logger.error('the journal could not be written; senders are told to retry', { error, segment: segmentId });
    },
    duplicateRecognised: () => duplicates.add(1),
    tornTail(segmentId, cut) {
      torn.add(1);
      logger.info('cut an unfinished write off a journal segment', { segment: segmentId, bytes: cut });
    },
    damaged(segmentId, range, path) {
      damaged.add(1);
      logger.error('a damaged journal record was set aside', { segment: segmentId, ...range, path });
    },
    unreadable(segmentId, error) {
      unreadable.add(1);
      logger.error('a journal segment cannot be read and is left as it is', { segment: segmentId, error });
    },
    recovered(segments, recoveredRecords, recoveredRows, seconds) {
      if (segments === 0) return;
      logger.info('recovered the journal', { segments, records: recoveredRecords, spans: recoveredRows, seconds });
    },
    dispose() {
      for (const stop of observed) stop();
    },
  };
}
