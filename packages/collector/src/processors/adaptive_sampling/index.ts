import type { ProcessorFactory } from '@clew/pipeline';
import { adaptiveSamplingConfig } from './config.ts';
import type { AdaptiveSamplingConfig } from './config.ts';
import { AdaptiveSamplingProcessor } from './adaptive-sampling-processor.ts';

/** The `adaptive_sampling` processor: part of configurations of Jaeger 2, and transparent here. */
export const adaptiveSamplingProcessorFactory: ProcessorFactory<AdaptiveSamplingConfig> = {
  kind: 'processor',
  type: 'adaptive_sampling',
  stability: { traces: 'beta' },
  placement: 'stateless',
  configSchema: adaptiveSamplingConfig,
  create: (_settings, next) => new AdaptiveSamplingProcessor(next),
};
