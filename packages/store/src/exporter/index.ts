import type { ExporterFactory } from '@clew/pipeline';
import { ClewStoreExporter } from './clew-store-exporter.ts';
import { clewStoreConfig } from './config.ts';
import type { ClewStoreConfig } from './config.ts';

/** `clew_store`: stores traces in the storage of the `clew_storage` extension. */
export const clewStoreExporter: ExporterFactory<ClewStoreConfig> = {
  type: 'clew_store',
  kind: 'exporter',
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: clewStoreConfig,
  create: ({ id }) => new ClewStoreExporter(id),
};
