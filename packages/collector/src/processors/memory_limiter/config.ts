import { durationMs, uint } from '@clew/pipeline';
import { z } from 'zod';

/** Settings of the `memory_limiter` processor; durations are in milliseconds once read. */
export const memoryLimiterConfigSchema = z
  .strictObject({
    check_interval: durationMs().prefault('0s'),
    limit_mib: uint().prefault(0),
    spike_limit_mib: uint().prefault(0),
    limit_percentage: uint().prefault(0),
    spike_limit_percentage: uint().prefault(0),
    min_gc_interval_when_soft_limited: durationMs().prefault('10s'),
    min_gc_interval_when_hard_limited: durationMs().prefault('0s'),
    max_gc_interval_when_soft_limited: durationMs().prefault('30s'),
    max_gc_interval_when_hard_limited: durationMs().prefault('30s'),
  })
  .superRefine((config, context) => {
    const { check_interval, limit_mib, spike_limit_mib, limit_percentage, spike_limit_percentage } = config;
    if (check_interval <= 0) context.addIssue("'check_interval' must be greater than zero");
    if (limit_mib === 0 && limit_percentage === 0) {
      context.addIssue("'limit_mib' or 'limit_percentage' must be greater than zero");
    }
    if (limit_percentage > 100 || spike_limit_percentage > 100) {
      context.addIssue(
        "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred",
      );
    }
    if (limit_mib > 0 && spike_limit_mib >= limit_mib)
      context.addIssue("'spike_limit_mib' must be smaller than 'limit_mib'");
    if (limit_mib === 0 && limit_percentage > 0 && spike_limit_percentage >= limit_percentage) {
      context.addIssue("'spike_limit_percentage' must be smaller than 'limit_percentage'");
    }
    if (config.min_gc_interval_when_soft_limited < config.min_gc_interval_when_hard_limited) {
      context.addIssue("'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'");
    }
  });

/** Settings of the `memory_limiter` processor. */
export type MemoryLimiterConfig = z.output<typeof memoryLimiterConfigSchema>;
