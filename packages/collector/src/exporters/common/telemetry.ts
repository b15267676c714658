import type { Telemetry } from '@clew/base';

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

const labels = ['exporter'];

/** The reference collector's exporter metrics and log lines. */
export function exporterEvents({ logger, meter }: Telemetry, exporter: string): ExporterEvents {
  const counter = (name: string, help: string) => meter.counter({ name, help, labels });
  const sent = counter('otelcol_exporter_sent_spans', 'Number of spans successfully sent to destination.');
  const failed = counter(
    'otelcol_exporter_send_failed_spans',
    'Number of spans in failed attempts to send to destination.',
  );
  const enqueueFailed = counter(
    'otelcol_exporter_enqueue_failed_spans',
    'Number of spans failed to be added to the sending queue.',
  );
  return {
    sent: (spans) => sent.add(spans, { exporter }),
    dropped(spans, error) {
      failed.add(spans, { exporter });
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

/** Gauges of a queue, read when metrics are scraped. */
export function observeQueue(
  { meter }: Telemetry,
  exporter: string,
  queue: { readonly size: number; readonly capacity: number; readonly inFlight: number },
): void {
  const gauge = (name: string, help: string, read: () => number, more: Readonly<Record<string, string>> = {}) =>
    meter.observe({ name, help, labels: ['exporter', ...Object.keys(more)] }, () => [
      { value: read(), labels: { exporter, ...more } },
    ]);
  gauge('otelcol_exporter_queue_size', 'Current size of the sending queue.', () => queue.size, { data_type: 'traces' });
  gauge('otelcol_exporter_queue_capacity', 'Fixed capacity of the sending queue.', () => queue.capacity, {
    data_type: 'traces',
  });
  gauge('otelcol_exporter_in_flight_requests', 'Number of requests being sent.', () => queue.inFlight);
}
