import type { ExporterFactory } from '@clew/pipeline';
import { debugConfigSchema } from './config.ts';
import type { DebugConfig } from './config.ts';
import { DebugExporter } from './debug-exporter.ts';

/** The `debug` exporter: prints spans. */
export const debugExporterFactory: ExporterFactory<DebugConfig> = {
  kind: 'exporter',
  type: 'debug',
  deprecatedAliases: {
    logging: 'the "logging" exporter is now called "debug", and its loglevel is called verbosity; rename both',
  },
  stability: { traces: 'alpha' },
  placement: 'stateless',
  configSchema: debugConfigSchema,
  create: (settings) => new DebugExporter(settings),
};
