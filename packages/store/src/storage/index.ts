import type { ExtensionFactory } from '@clew/pipeline';
import { ClewStorageExtension } from './clew-storage.ts';
import { clewStorageConfig } from './config.ts';
import type { ClewStorageConfig } from './config.ts';

/** `clew_storage`: where spans are kept. */
export const clewStorageExtension: ExtensionFactory<ClewStorageConfig> = {
  type: 'clew_storage',
  kind: 'extension',
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: clewStorageConfig,
  create: (settings) => new ClewStorageExtension(settings),
};
