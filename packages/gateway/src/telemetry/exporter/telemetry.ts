import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';

/** Lines about a failing backend are at least this far apart. */
const LOG_INTERVAL_MS = 60_000;

const exportFails = 'Spans cannot be exported; requests are not affected and exporting goes on.';
const queueFull = 'Spans are dropped because the queue is full.';

/** What is said again at most once a minute, as long as it is so. */
export const saidOncePerMinute: ReadonlySet<string> = new Set([exportFails, queueFull]);

/** Seconds. */
const durationBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Everything operators see of the exporter. Metrics are there with value 0 from the start. */
export class ExporterTelemetry {
  readonly #logger;
  readonly #meter;
  readonly #exported;
  readonly #failed;
  readonly #duration;
  readonly #nowMs: () => number;
  #failing = false;
  #loggedMs = -Infinity;
  #lostSinceLogged = 0;
  #lostWhileFailing = 0;
  #overflowed = 0;
  #overflowLoggedMs = -Infinity;

  constructor({ logger, meter }: Telemetry, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#meter = meter;
    this.#nowMs = nowMs;
    this.#exported = meter.counter({
      name: 'otel_exporter_spans_exported_total',
      help: 'Spans that the tracing backend accepted.',
    });
    this.#failed = meter.counter({
      name: 'otel_exporter_spans_failed_total',
      help: 'Spans lost for good: not accepted in time, refused, or no room in the queue.',
    });
    this.#duration = meter.histogram({
      name: 'otel_exporter_export_duration_seconds',
      help: 'Time from the first attempt to send a batch until it was accepted or given up.',
      buckets: durationBuckets,
    });
    this.#exported.add(0);
    this.#failed.add(0);
  }

  /** Whether the last thing heard of the backend was a failure. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Shows the queue; the returned function ends it. */
  observeQueue(spans: () => number): () => void {
    return this.#meter.observe({ name: 'otel_exporter_queue_size', help: 'Spans that wait to be sent.' }, () => [
      { value: spans() },
    ]);
  }

  exported(spans: number, durationMs: number): void {
    this.#exported.add(spans);
    this.#duration.record(durationMs / 1000);
    if (!this.#failing) return;
    this.#failing = false;
    this.#logger.info('Spans are exported again.', { lostMeanwhile: this.#lostWhileFailing });
    this.#lostWhileFailing = 0;
    this.#lostSinceLogged = 0;
    this.#loggedMs = -Infinity;
  }

  /** The backend took a batch but for some spans. */
  rejected(spans: number, message: string): void {
    if (spans > 0) this.#failed.add(spans);
    this.#logger.warn('The tracing backend refused spans.', { spans, reason: message });
  }

  /** An attempt failed and will be repeated. */
  willRetry(error: unknown): void {
    this.#say(error);
  }

  /** A batch was given up. */
  lost(spans: number, error: unknown, durationMs: number): void {
    this.#duration.record(durationMs / 1000);
    this.#count(spans);
    this.#say(error);
  }

  /** The queue had no room for a span. What the backend does is another matter. */
  overflowed(): void {
    this.#count(1);
    this.#overflowed++;
    const nowMs = this.#nowMs();
    if (nowMs - this.#overflowLoggedMs < LOG_INTERVAL_MS) return;
    this.#overflowLoggedMs = nowMs;
    this.#logger.warn(queueFull, {
      spans: this.#overflowed,
      advice: 'raise OTEL_BSP_MAX_QUEUE_SIZE, lower sampling-rate, or see why the backend is slow',
    });
    this.#overflowed = 0;
  }

  /** Spans were left when the gateway had to stop. */
  abandoned(spans: number): void {
    this.#failed.add(spans);
    this.#logger.warn('Spans were not sent before the gateway stopped.', { spans });
  }

  #count(spans: number): void {
    this.#failed.add(spans);
    this.#lostSinceLogged += spans;
    this.#lostWhileFailing += spans;
  }

  /** The first failure at once, then one line a minute. */
  #say(error: unknown): void {
    this.#failing = true;
    const nowMs = this.#nowMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#logger.warn(exportFails, {
      reason: errorMessage(error),
      spansLost: this.#lostSinceLogged,
    });
    this.#lostSinceLogged = 0;
  }
}
