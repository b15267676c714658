import { httpServerShape } from '@clew/net';
import { durationMs, uint } from '@clew/pipeline';
import { z } from 'zod';

/** Settings of the `health_check` extension. */
export const healthCheckConfigSchema = z.strictObject({
  ...httpServerShape({ endpoint: 'localhost:13133' }),
  path: z.string().startsWith('/', { error: 'must begin with /' }).prefault('/'),
  response_body: z.strictObject({ healthy: z.string().prefault(''), unhealthy: z.string().prefault('') }).optional(),
  /** Accepted and without effect, as in the reference collector. */
  check_collector_pipeline: z
    .strictObject({
      enabled: z.boolean().prefault(false),
      interval: durationMs().prefault('5m'),
      exporter_failure_threshold: uint().prefault(5),
    })
    .optional(),
});

/** Settings of the `health_check` extension. */
export type HealthCheckConfig = z.output<typeof healthCheckConfigSchema>;
