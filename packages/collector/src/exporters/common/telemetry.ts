import type { Telemetry } from '@clew/base';
import { exporterMetrics } from '@clew/pipeline';

/** What an exporter reports. */
export interface ExporterEvents {
  sent(spans: number): void;
  /** Spans given up for good. */
  dropped(spans: number, error: string): void;
  /** Spans that did not fit the queue. */
  rejected(spans: number): void;
  willRetry(error: string, intervalMs: number): void;
  partialSuccess(rejected: bigint, message: string): void;
}

/** The reference collector's exporter metrics and log lines. */
export function exporterEvents({ logger, meter }: Telemetry, exporter: string): ExporterEvents {
  const { sent, sendFailed, enqueueFailed } = exporterMetrics(meter);
  return {
    sent: (spans) => sent.add(spans, { exporter }),
    dropped(spans, error) {
      sendFailed.add(spans, { exporter });
      logger.error('Exporting failed. Dropping data.', { exporter, error, dropped_items: spans });
    },
    rejected(spans) {
      enqueueFailed.add(spans, { exporter });
      logger.warn('Exporting failed. Rejecting data.', {
        exporter,
        error: 'sending queue is full',
        rejected_items: spans,
      });
    },
    willRetry(error, intervalMs) {
      logger.info('Exporting failed. Will retry the request after interval.', {
        exporter,
        error,
        interval: `${Math.round(intervalMs)}ms`,
      });
    },
    partialSuccess(rejected, message) {
      logger.warn('Partial success response', { exporter, message, dropped_items: String(rejected) });
    },
  };
}
