import { httpClientShape, retrySchema } from '@clew/net';
import { durationMs } from '@clew/pipeline';
import { z } from 'zod';
import { sendingQueueSchema } from '../common/queue-config.ts';

/** Settings of the `otlphttp` exporter. */
export const otlpHttpExporterConfig = z
  .strictObject({
    ...httpClientShape,
    traces_endpoint: z.string().optional(),
    metrics_endpoint: z.string().optional(),
    logs_endpoint: z.string().optional(),
    encoding: z.enum(['proto', 'json']).prefault('proto'),
    timeout: durationMs().prefault('30s'),
    retry_on_failure: retrySchema.prefault({}),
    sending_queue: sendingQueueSchema.prefault({}),
  })
  .superRefine((config, context) => {
    if (config.endpoint === '' && !config.traces_endpoint && !config.metrics_endpoint && !config.logs_endpoint) {
      context.addIssue({ code: 'custom', message: 'at least one endpoint must be specified' });
    }
  });

/** What the settings parse to. */
export type OtlpHttpExporterConfig = z.output<typeof otlpHttpExporterConfig>;
