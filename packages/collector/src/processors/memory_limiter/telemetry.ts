import type { Telemetry } from '@clew/base';
import type { MemoryLimiter } from './limiter.ts';

/** What a limiter reports. */
export interface LimiterEvents {
  refusing(usedBytes: number): void;
  resumed(usedBytes: number): void;
  accepted(spans: number): void;
  refused(spans: number): void;
  /** Publishes use and limits. */
  observe(limiter: MemoryLimiter): () => void;
}

const labels = ['processor'];
const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** The reference collector's metrics and log lines of memory limiting. */
export function limiterEvents({ logger, meter }: Telemetry, processor: string): LimiterEvents {
  const counter = (name: string, help: string) =>
    meter.counter({ name: `otelcol_processor_memory_limiter_${name}`, help, labels, otelUnit: '{spans}' });
  const accepted = counter('accepted_spans', 'Number of spans the memory limiter let pass.');
  const refused = counter('refused_spans', 'Number of spans the memory limiter refused.');
  return {
    refusing: (used) => logger.warn('Memory usage is above soft limit. Refusing data.', { cur_mem_mib: mib(used) }),
    resumed: (used) =>
      logger.info('Memory usage back within limits. Resuming normal operation.', { cur_mem_mib: mib(used) }),
    accepted: (spans) => accepted.add(spans, { processor }),
    refused: (spans) => refused.add(spans, { processor }),
    observe(limiter) {
      const gauge = (name: string, help: string, read: () => number) =>
        meter.observe({ name: `clew_memory_limiter_${name}_bytes`, help, labels }, () => [
          { value: read(), labels: { processor } },
        ]);
      const ends = [
        gauge('used', 'Memory in use as the limiter sees it.', () => limiter.usedBytes),
        gauge('soft_limit', 'Use at which data is refused.', () => limiter.limits.softBytes),
        gauge('hard_limit', 'Use that must not be exceeded.', () => limiter.limits.hardBytes),
      ];
      return () => ends.forEach((end) => end());
    },
  };
}
