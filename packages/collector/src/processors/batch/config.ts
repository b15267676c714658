import { durationMs, uint } from '@clew/pipeline';
import { z } from 'zod';

/** Settings of the `batch` processor; `timeout` is in milliseconds once read. */
export const batchConfigSchema = z
  .strictObject({
    timeout: durationMs()
      .prefault('200ms')
      .meta({ description: 'How long spans wait for company; 0 passes them on at once.' }),
    send_batch_size: uint()
      .prefault(8192)
      .meta({ description: 'Spans that are enough to send a batch without waiting.' }),
    send_batch_max_size: uint()
      .prefault(0)
      .meta({ description: 'Spans a batch may have; larger ones are split. 0 is unlimited.' }),
    metadata_keys: z
      .array(z.string().min(1))
      .prefault([])
      .meta({ description: 'Client metadata whose values are batched apart.' }),
    metadata_cardinality_limit: uint()
      .prefault(1000)
      .meta({ description: 'Combinations of metadata values that may exist.' }),
  })
  .superRefine((config, context) => {
    const { timeout, send_batch_size: size, send_batch_max_size: max, metadata_keys: keys } = config;
    if (max !== 0 && max < size) context.addIssue('send_batch_max_size must be greater or equal to send_batch_size');
    if (timeout < 0) context.addIssue('timeout must be greater or equal to 0');
    const folded = keys.map((key) => key.toLowerCase());
    for (const [index, key] of folded.entries()) {
      if (folded.indexOf(key) !== index) {
        context.addIssue(`duplicate entry in metadata_keys: ${JSON.stringify(key)} (case-insensitive)`);
      }
    }
  });

/** Settings of the `batch` processor. */
export type BatchConfig = z.output<typeof batchConfigSchema>;
