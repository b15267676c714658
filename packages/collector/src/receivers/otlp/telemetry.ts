import type { Telemetry } from '@clew/base';
import type { RejectReason } from '@clew/net';

/** How a request came in; a label of the receiver's metrics. */
export type Transport = 'grpc' | 'http';

/** What an OTLP receiver reports: each function counts and, where somebody must act, logs. */
export interface OtlpEvents {
  accepted(transport: Transport, spans: number): void;
  refused(transport: Transport, spans: number, reason: string): void;
  failed(transport: Transport, spans: number, reason: string): void;
  /** A request that never became spans: malformed, too large, too slow, unauthenticated, not admitted. */
  rejected(transport: Transport, reason: RejectReason | 'malformed_data', detail: string): void;
  /** Records of a signal nobody here consumes. */
  unconsumed(signal: 'logs' | 'metrics', items: number): void;
}

const receiverLabels = ['receiver', 'transport'];

/** The reference collector's receiver metrics, and Clew's own count of rejections by reason. */
export function otlpEvents({ logger, meter }: Telemetry, receiver: string): OtlpEvents {
  const accepted = meter.counter({
    name: 'otelcol_receiver_accepted_spans',
    help: 'Number of spans successfully pushed into the pipeline.',
    labels: receiverLabels,
    otelUnit: '{spans}',
  });
  const refused = meter.counter({
    name: 'otelcol_receiver_refused_spans',
    help: 'Number of spans that could not be pushed into the pipeline.',
    labels: receiverLabels,
    otelUnit: '{spans}',
  });
  const failed = meter.counter({
    name: 'otelcol_receiver_failed_spans',
    help: 'Number of spans that failed to be processed by the receiver due to internal errors.',
    labels: receiverLabels,
    otelUnit: '{spans}',
  });
  const requests = meter.counter({
    name: 'otelcol_receiver_requests',
    help: 'Number of requests processed, by outcome.',
    labels: [...receiverLabels, 'outcome'],
    otelUnit: '{requests}',
  });
  const rejected = meter.counter({
    name: 'clew_receiver_rejected_requests_total',
    help: 'Requests turned away before they became spans, by reason.',
    labels: [...receiverLabels, 'reason'],
  });
  const unconsumed = meter.counter({
    name: 'clew_receiver_unconsumed_items_total',
    help: 'Log records and metric data points answered with partial success because no pipeline takes them.',
    labels: ['receiver', 'signal'],
  });
  const told = new Set<string>();
  return {
    accepted(transport, spans) {
      accepted.add(spans, { receiver, transport });
      requests.add(1, { receiver, transport, outcome: 'success' });
    },
    refused(transport, spans, reason) {
      refused.add(spans, { receiver, transport });
      requests.add(1, { receiver, transport, outcome: 'refused' });
      logger.debug('Refused spans; the client was told to retry.', { receiver, transport, spans, reason });
    },
    failed(transport, spans, reason) {
      failed.add(spans, { receiver, transport });
      requests.add(1, { receiver, transport, outcome: 'failure' });
      logger.error('Spans could not be processed.', { receiver, transport, spans, reason });
    },
    rejected(transport, reason, detail) {
      rejected.add(1, { receiver, transport, reason });
      logger.debug('Turned a request away.', { receiver, transport, reason, detail });
    },
    unconsumed(signal, items) {
      unconsumed.add(items, { receiver, signal });
      if (told.has(signal)) return;
      told.add(signal);
      logger.info(`A client sends ${signal}, which no pipeline takes; it is answered with partial success.`, {
        receiver,
        items,
      });
    },
  };
}
