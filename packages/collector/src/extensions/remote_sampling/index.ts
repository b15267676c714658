import type { ExtensionFactory } from '@clew/pipeline';
import { remoteSamplingConfig } from './config.ts';
import type { RemoteSamplingConfig } from './config.ts';
import { RemoteSampling } from './remote-sampling.ts';

/** The `remote_sampling` extension: tells services how much to sample. */
export const remoteSamplingExtensionFactory: ExtensionFactory<RemoteSamplingConfig> = {
  kind: 'extension',
  type: 'remote_sampling',
  aliases: ['jaegerremotesampling'],
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: remoteSamplingConfig,
  create: (settings) => new RemoteSampling(settings),
};
