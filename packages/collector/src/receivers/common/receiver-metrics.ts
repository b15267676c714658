import type { Counter, Logger, Telemetry } from '@clew/base';

const labels = ['receiver', 'transport'];

/** The counters every receiver of spans keeps, and where it logs. */
export interface ReceiverMetrics {
  readonly receiver: string;
  readonly logger: Logger;
  readonly accepted: Counter;
  readonly refused: Counter;
  readonly failed: Counter;
  readonly requests: Counter;
  readonly rejected: Counter;
}

/** The reference collector's receiver metrics, and Clew's own count of rejections by reason. */
export function receiverMetrics({ logger, meter }: Telemetry, receiver: string): ReceiverMetrics {
  return {
    receiver,
    logger,
    accepted: meter.counter({
      name: 'otelcol_receiver_accepted_spans',
      help: 'Number of spans successfully pushed into the pipeline.',
      labels,
      otelUnit: '{spans}',
    }),
    refused: meter.counter({
      name: 'otelcol_receiver_refused_spans',
      help: 'Number of spans that could not be pushed into the pipeline.',
      labels,
      otelUnit: '{spans}',
    }),
    failed: meter.counter({
      name: 'otelcol_receiver_failed_spans',
      help: 'Number of spans that failed to be processed by the receiver due to internal errors.',
      labels,
      otelUnit: '{spans}',
    }),
    requests: meter.counter({
      name: 'otelcol_receiver_requests',
      help: 'Number of requests processed, by outcome.',
      labels: [...labels, 'outcome'],
      otelUnit: '{requests}',
    }),
    rejected: meter.counter({
      name: 'clew_receiver_rejected_requests_total',
      help: 'Requests turned away before they became spans, by reason.',
      labels: [...labels, 'reason'],
    }),
  };
}
