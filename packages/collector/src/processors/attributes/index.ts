import type { ProcessorFactory } from '@clew/pipeline';
import { AttributesProcessor } from './attributes-processor.ts';
import { attributesConfigSchema } from './config.ts';
import type { AttributesConfig } from './config.ts';

/** The `attributes` processor: edits attributes of spans. */
export const attributesProcessorFactory: ProcessorFactory<AttributesConfig> = {
  kind: 'processor',
  type: 'attributes',
  stability: { traces: 'beta' },
  placement: 'stateless',
  configSchema: attributesConfigSchema,
  create: (settings, next) => new AttributesProcessor(settings, next),
};
