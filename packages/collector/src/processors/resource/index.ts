import type { ProcessorFactory } from '@clew/pipeline';
import { resourceConfigSchema } from './config.ts';
import type { ResourceConfig } from './config.ts';
import { ResourceProcessor } from './resource-processor.ts';

/** The `resource` processor: edits attributes of resources. */
export const resourceProcessorFactory: ProcessorFactory<ResourceConfig> = {
  kind: 'processor',
  type: 'resource',
  stability: { traces: 'beta' },
  placement: 'stateless',
  configSchema: resourceConfigSchema,
  create: (settings, next) => new ResourceProcessor(settings, next),
};
