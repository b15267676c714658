import type { ProcessorFactory } from '@clew/pipeline';
import { BatchProcessor } from './batch-processor.ts';
import { batchConfigSchema } from './config.ts';
import type { BatchConfig } from './config.ts';

/** The `batch` processor: gathers spans into larger batches. */
export const batchProcessorFactory: ProcessorFactory<BatchConfig> = {
  kind: 'processor',
  type: 'batch',
  stability: { traces: 'beta' },
  placement: 'stateless',
  configSchema: batchConfigSchema,
  create: (settings, next) => new BatchProcessor(settings, next),
};
