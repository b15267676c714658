import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';

/** Why a batch was sent. */
export type Trigger = 'size' | 'timeout' | 'stop';

/** What a batch processor reports. */
export interface BatchEvents {
  sent(trigger: Trigger, spans: number): void;
  /** A batch that was acknowledged already and could not be passed on: its spans are lost. */
  lost(spans: number, error: unknown): void;
  /** Publishes how many combinations of metadata values have a batch of their own. */
  observeCardinality(read: () => number): () => void;
}

const labels = ['processor'];
const sizeBuckets = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000, 30_000,
  50_000, 100_000,
];

/** The reference collector's metrics of batching. */
export function batchEvents({ logger, meter }: Telemetry, processor: string): BatchEvents {
  const counter = (name: string, help: string, otelUnit: string) =>
    meter.counter({ name: `otelcol_processor_${name}`, help, labels, otelUnit });
  const bySize = counter('batch_batch_size_trigger_send', 'Times a batch was sent because of its size.', '{times}');
  const byTimeout = counter('batch_timeout_trigger_send', 'Times a batch was sent because of the timeout.', '{times}');
  const dropped = counter('dropped_spans', 'Number of spans that were dropped.', '{spans}');
  const sizes = meter.histogram({
    name: 'otelcol_processor_batch_batch_send_size',
    help: 'Number of spans in the batches that were sent.',
    labels,
    otelUnit: '{spans}',
    buckets: sizeBuckets,
  });
  return {
    sent(trigger, spans) {
      if (trigger === 'size') bySize.add(1, { processor });
      if (trigger === 'timeout') byTimeout.add(1, { processor });
      sizes.record(spans, { processor });
    },
    lost(spans, error) {
      dropped.add(spans, { processor });
      logger.warn('Sender failed', { error: errorMessage(error), dropped_items: spans });
    },
    observeCardinality: (read) =>
      meter.observe(
        {
          name: 'otelcol_processor_batch_metadata_cardinality',
          help: 'Number of distinct combinations of metadata values being batched.',
          labels,
          otelUnit: '{combinations}',
        },
        () => [{ value: read(), labels: { processor } }],
      ),
  };
}
