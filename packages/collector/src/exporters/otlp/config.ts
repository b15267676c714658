import { durationMs } from '@clew/pipeline';
import { grpcClientShape, retrySchema } from '@clew/net';
import { z } from 'zod';
import { sendingQueueSchema } from '../common/queue-config.ts';

/** Settings of the `otlp` exporter. */
export const otlpExporterConfig = z
  .strictObject({
    ...grpcClientShape,
    timeout: durationMs().prefault('5s'),
    retry_on_failure: retrySchema.prefault({}),
    sending_queue: sendingQueueSchema.prefault({}),
  })
  .superRefine((config, context) => {
    if (config.endpoint === '') context.addIssue({ code: 'custom', message: 'requires a non-empty "endpoint"' });
  });

/** What the settings parse to. */
export type OtlpExporterConfig = z.output<typeof otlpExporterConfig>;
