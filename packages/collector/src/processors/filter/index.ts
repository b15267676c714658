import type { ProcessorFactory } from '@clew/pipeline';
import { filterConfigSchema } from './config.ts';
import type { FilterConfig } from './config.ts';
import { FilterProcessor } from './filter-processor.ts';

/** The `filter` processor: drops spans. */
export const filterProcessorFactory: ProcessorFactory<FilterConfig> = {
  kind: 'processor',
  type: 'filter',
  stability: { traces: 'alpha' },
  placement: 'stateless',
  configSchema: filterConfigSchema,
  create: (settings, next) => new FilterProcessor(settings, next),
};
