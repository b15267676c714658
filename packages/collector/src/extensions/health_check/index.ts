import type { ExtensionFactory } from '@clew/pipeline';
import { healthCheckConfigSchema } from './config.ts';
import type { HealthCheckConfig } from './config.ts';
import { HealthCheck } from './health-check.ts';

/** The `health_check` extension: answers whether the pipelines run. */
export const healthCheckExtensionFactory: ExtensionFactory<HealthCheckConfig> = {
  kind: 'extension',
  type: 'health_check',
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: healthCheckConfigSchema,
  create: (settings) => new HealthCheck(settings),
};
