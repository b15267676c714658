import type { Telemetry } from '@clew/base';
import { errorMessage } from '@clew/base';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What the writer reports: one function an event, log line and metric together. */
export interface WriterTelemetry {
  stored(seconds: number, rows: number, blockBytes: number, waitedSeconds: number): void;
  /** An attempt failed and will be repeated. */
  retrying(segmentId: string, error: unknown, afterMs: number): void;
  /** A segment failed in a way that repeating does not mend, and nothing else has been stored yet that would prove the engine healthy. */
  suspected(segmentId: string, error: unknown): void;
  /** What became of a segment whose insert was in doubt. */
  reconciled(segmentId: string, outcome: ReconcileOutcome): void;
  quarantined(segmentId: string, rows: number, path: string, error: unknown): void;
}

/** What the tables said about a segment that may have been inserted. */
export type ReconcileOutcome = 'absent' | 'complete' | 'partial';

/** Makes the writer's metrics and event functions. */
export function writerTelemetry({ logger, meter }: Telemetry): WriterTelemetry {
  const insertSeconds = meter.histogram({
    name: 'clew_store_insert_seconds',
    help: 'Time from taking a segment until it is stored.',
    buckets: SECONDS,
  });
  const waitSeconds = meter.histogram({
    name: 'clew_store_wait_seconds',
    help: "Time from a segment's first request until it is stored.",
    buckets: SECONDS,
  });
  const counter = (name: string, help: string, labels?: readonly string[]) =>
    meter.counter(labels === undefined ? { name, help } : { name, help, labels });
  const segments = counter('clew_store_segments_total', 'Segments stored.');
  const rows = counter('clew_store_spans_total', 'Spans stored.');
  const bytes = counter('clew_store_inserted_bytes_total', 'Bytes of blocks given to the engine.');
  const retries = counter(
    'clew_store_insert_retries_total',
    'Attempts to store a segment that failed and are repeated.',
  );
  const suspects = counter('clew_store_suspect_segments_total', 'Segments put back because only they, or all, fail.');
  const reconciled = counter('clew_store_reconciled_total', 'Segments looked up after a crash, by outcome.', [
    'outcome',
  ]);
  const quarantined = counter('clew_store_quarantined_spans_total', 'Spans set aside because they cannot be stored.');
  return {
    stored(seconds, storedRows, blockBytes, waitedSeconds) {
      insertSeconds.record(seconds);
      waitSeconds.record(waitedSeconds);
      segments.add(1);
      rows.add(storedRows);
      bytes.add(blockBytes);
    },
    retrying(segmentId, error, afterMs) {
      retries.add(1);
      logger.warn('a segment could not be stored yet; it stays in the journal', {
        segment: segmentId,
        reason: errorMessage(error),
        retryAfterMs: afterMs,
      });
    },
    suspected(segmentId, error) {
      suspects.add(1);
      logger.error('a segment was refused by the engine; others are stored first', { segment: segmentId, error });
    },
    reconciled(segmentId, outcome) {
      reconciled.add(1, { outcome });
      logger.info('looked up a segment whose insert was in doubt', { segment: segmentId, outcome });
    },
    quarantined(segmentId, count, path, error) {
      quarantined.add(count);
      logger.error('spans that cannot be stored were set aside', { segment: segmentId, spans: count, path, error });
    },
  };
}
