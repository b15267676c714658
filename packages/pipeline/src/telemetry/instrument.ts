import type { Meter } from '@clew/base';
import type { SpanBatch } from '@clew/model';
import type { ConsumeContext, Durability, Refusal, TracesConsumer } from '../consumer.ts';
import { exporterMetrics, processorMetrics } from './metrics.ts';

/**
 * Wrappers that count what components take and pass on, so that no component has to. They run once a batch, never once a
 * span.
 */

/** Told what happened to a batch, and how many seconds the consumer took. */
export interface ConsumeObserver {
  consumed(spans: number, seconds: number, context: ConsumeContext): void;
  refused(spans: number, seconds: number, context: ConsumeContext): void;
}

/** A consumer that reports to `observer` and is otherwise the same; `mutatesData` can speak for a whole chain. */
export function instrumentConsumer(
  consumer: TracesConsumer,
  observer: ConsumeObserver,
  mutatesData: boolean = consumer.mutatesData,
): TracesConsumer {
  return new ObservedConsumer(consumer, observer, mutatesData);
}

class ObservedConsumer implements TracesConsumer {
  readonly mutatesData: boolean;
  readonly #consumer: TracesConsumer;
  readonly #observer: ConsumeObserver;

  constructor(consumer: TracesConsumer, observer: ConsumeObserver, mutatesData: boolean) {
    this.mutatesData = mutatesData;
    this.#consumer = consumer;
    this.#observer = observer;
  }

  durability(): Durability {
    return this.#consumer.durability();
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.#consumer.admit(requestBytes);
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    // The batch is the callee's until the promise settles; its count may have changed by then.
    const spans = batch.count;
    const startMs = performance.now();
    try {
      await this.#consumer.consumeTraces(batch, context);
    } catch (error) {
      this.#observer.refused(spans, (performance.now() - startMs) / 1000, context);
      throw error;
    }
    this.#observer.consumed(spans, (performance.now() - startMs) / 1000, context);
  }
}

/** The two sides of a processor. */
export interface ProcessorObservers {
  /** For the processor itself. */
  readonly input: ConsumeObserver;
  /** For the consumer the processor is given as its next. */
  readonly output: ConsumeObserver;
}

/**
 * Counts what a processor takes in and passes on, and how long it works itself: the time its next consumer takes is
 * subtracted as far as it happens under the same context, which is to say unless the processor hands over later.
 */
export function observeProcessor(meter: Meter, processor: string): ProcessorObservers {
  const metrics = processorMetrics(meter);
  const labels = { processor };
  const items = { processor, otel_signal: 'traces' };
  const downstreamSeconds = new WeakMap<ConsumeContext, number>();
  const tookIn = (spans: number, seconds: number, context: ConsumeContext): void => {
    metrics.incoming.add(spans, items);
    metrics.duration.record(Math.max(0, seconds - (downstreamSeconds.get(context) ?? 0)), items);
  };
  const passedOn = (spans: number, seconds: number, context: ConsumeContext): void => {
    metrics.outgoing.add(spans, items);
    downstreamSeconds.set(context, seconds + (downstreamSeconds.get(context) ?? 0));
  };
  return {
    input: {
      consumed(spans, seconds, context) {
        tookIn(spans, seconds, context);
        metrics.accepted.add(spans, labels);
      },
      refused(spans, seconds, context) {
        tookIn(spans, seconds, context);
        metrics.refused.add(spans, labels);
      },
    },
    output: { consumed: passedOn, refused: passedOn },
  };
}

/**
 * Counts what an exporter without a queue of its own sends. An exporter that answers before it has sent counts by itself, at
 * the far end of its queue: see `exporterMetrics`.
 */
export function observeExporter(meter: Meter, exporter: string): ConsumeObserver {
  const metrics = exporterMetrics(meter);
  const labels = { exporter };
  return {
    consumed: (spans) => metrics.sent.add(spans, labels),
    refused: (spans) => metrics.sendFailed.add(spans, labels),
  };
}
