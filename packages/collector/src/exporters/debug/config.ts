import { uint } from '@clew/pipeline';
import { z } from 'zod';

/** The withdrawn `logging` exporter's word for verbosity. */
const legacyLevels: Readonly<Record<string, 'basic' | 'normal' | 'detailed'>> = {
  debug: 'detailed',
  info: 'normal',
  warn: 'basic',
  error: 'basic',
};

/** Settings of the `debug` exporter. */
export const debugConfigSchema = z
  .strictObject({
    verbosity: z.enum(['basic', 'normal', 'detailed']).optional(),
    loglevel: z.enum(['debug', 'info', 'warn', 'error']).optional(),
    sampling_initial: uint().prefault(2),
    sampling_thereafter: uint().prefault(1),
    use_internal_logger: z.boolean().prefault(true),
    output_paths: z.array(z.string()).optional(),
    sending_queue: z.strictObject({ enabled: z.boolean().prefault(false) }).optional(),
  })
  .superRefine((config, context) => {
    if (config.use_internal_logger && config.output_paths !== undefined) {
      context.addIssue('output_paths requires use_internal_logger to be false');
    }
    if (config.verbosity !== undefined && config.loglevel !== undefined) {
      context.addIssue('verbosity and loglevel cannot both be given; keep verbosity, loglevel is the older name');
    }
    if (config.sending_queue?.enabled === true) {
      context.addIssue({
        code: 'custom',
        path: ['sending_queue', 'enabled'],
        message: 'printing needs no queue; set enabled to false',
      });
    }
  })
  .transform(({ verbosity, loglevel, ...config }) => ({
    ...config,
    verbosity: verbosity ?? legacyLevels[loglevel ?? 'warn'] ?? ('basic' as const),
  }));

/** Settings of the `debug` exporter. */
export type DebugConfig = z.output<typeof debugConfigSchema>;
