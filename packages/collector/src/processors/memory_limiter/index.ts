import type { ProcessorFactory } from '@clew/pipeline';
import { memoryLimiterConfigSchema } from './config.ts';
import type { MemoryLimiterConfig } from './config.ts';
import { MemoryLimiterProcessor } from './memory-limiter-processor.ts';

/** The `memory_limiter` processor: refuses data while memory is short. */
export const memoryLimiterProcessorFactory: ProcessorFactory<MemoryLimiterConfig> = {
  kind: 'processor',
  type: 'memory_limiter',
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: memoryLimiterConfigSchema,
  create: (settings, next) => new MemoryLimiterProcessor(settings, next),
};
