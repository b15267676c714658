import type { Counter, Histogram, Meter, Observation } from '@clew/base';

/** Metrics every processor has, under the reference collector's names, old and new. */
export interface ProcessorMetrics {
  readonly incoming: Counter;
  readonly outgoing: Counter;
  readonly accepted: Counter;
  readonly refused: Counter;
  readonly duration: Histogram;
}

const processorLabels = ['processor'];
const itemLabels = ['processor', 'otel_signal'];
const durationBuckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** The metrics of processors; asking again gives the same ones. */
export function processorMetrics(meter: Meter): ProcessorMetrics {
  const counter = (name: string, help: string, labels: readonly string[], otelUnit: string) =>
    meter.counter({ name: `otelcol_processor_${name}`, help, labels, otelUnit });
  return {
    incoming: counter('incoming_items', 'Number of items passed to the processor.', itemLabels, '{items}'),
    outgoing: counter('outgoing_items', 'Number of items emitted from the processor.', itemLabels, '{items}'),
    accepted: counter('accepted_spans', 'Number of spans the processor took.', processorLabels, '{spans}'),
    refused: counter(
      'refused_spans',
      'Number of spans refused by the processor or by what follows it.',
      processorLabels,
      '{spans}',
    ),
    duration: meter.histogram({
      name: 'otelcol_processor_internal_duration',
      help: 'Time from the processor taking a batch to its acknowledgement, in seconds.',
      labels: itemLabels,
      otelUnit: 's',
      buckets: durationBuckets,
    }),
  };
}

/** Metrics every exporter has. */
export interface ExporterMetrics {
  readonly sent: Counter;
  readonly sendFailed: Counter;
  readonly enqueueFailed: Counter;
}

const exporterLabels = ['exporter'];

/** The metrics of exporters; asking again gives the same ones. */
export function exporterMetrics(meter: Meter): ExporterMetrics {
  const counter = (name: string, help: string) =>
    meter.counter({ name: `otelcol_exporter_${name}`, help, labels: exporterLabels, otelUnit: '{spans}' });
  return {
    sent: counter('sent_spans', 'Number of spans successfully sent to destination.'),
    sendFailed: counter('send_failed_spans', 'Number of spans in failed attempts to send to destination.'),
    enqueueFailed: counter('enqueue_failed_spans', 'Number of spans that could not be added to the sending queue.'),
  };
}

/** Numbers of an exporter's sending queue. */
export interface QueueState {
  /** In units of the queue's sizer. */
  readonly size: number;
  readonly capacity: number;
  readonly inFlightRequests: number;
}

/** Publishes the state of an exporter's queue until the returned function is called. */
export function observeQueue(meter: Meter, exporter: string, read: () => QueueState): () => void {
  const dataLabels = { exporter, data_type: 'traces' };
  const gauge = (name: string, help: string, labels: readonly string[], pick: (state: QueueState) => Observation) =>
    meter.observe({ name: `otelcol_exporter_${name}`, help, labels, otelUnit: '{batches}' }, () => [pick(read())]);
  const queueLabels = ['exporter', 'data_type'];
  const ends = [
    gauge('queue_size', 'Present size of the sending queue.', queueLabels, ({ size }) => ({
      value: size,
      labels: dataLabels,
    })),
    gauge('queue_capacity', 'Capacity of the sending queue.', queueLabels, ({ capacity }) => ({
      value: capacity,
      labels: dataLabels,
    })),
    gauge('in_flight_requests', 'Requests being sent.', exporterLabels, ({ inFlightRequests }) => ({
      value: inFlightRequests,
      labels: { exporter },
    })),
  ];
  return () => ends.forEach((end) => end());
}
