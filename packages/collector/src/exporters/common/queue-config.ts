import { durationMs } from '@clew/pipeline';
import { z } from 'zod';

const sizer = z.enum(['requests', 'items', 'bytes']);

/** The `sending_queue` block every exporter shares. */
export const sendingQueueSchema = z
  .strictObject({
    enabled: z.boolean().prefault(true),
    num_consumers: z.int().prefault(10),
    queue_size: z.int().prefault(1000),
    sizer: sizer.prefault('requests'),
    wait_for_result: z.boolean().prefault(false),
    block_on_overflow: z.boolean().prefault(false),
    storage: z.string().optional(),
    batch: z
      .strictObject({
        flush_timeout: durationMs().prefault('200ms'),
        min_size: z.int().min(0).prefault(8192),
        max_size: z.int().min(0).prefault(0),
        sizer: z.literal('items', 'only the sizer "items" is supported for batches').prefault('items'),
      })
      .optional(),
  })
  .superRefine((queue, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', message });
    if (!queue.enabled) return;
    if (queue.num_consumers <= 0) issue('`num_consumers` must be positive');
    if (queue.queue_size <= 0) issue('`queue_size` must be positive');
    if (queue.storage !== undefined) {
      issue(
        `\`storage\`: persistent queues are not supported; send through clew_store, whose journal is durable, or remove "${queue.storage}"`,
      );
    }
    if (queue.batch && queue.batch.max_size !== 0 && queue.batch.max_size < queue.batch.min_size) {
      issue('`batch`: `max_size` must be greater or equal to `min_size`');
    }
  });

/** What the block parses to. */
export type SendingQueueConfig = z.output<typeof sendingQueueSchema>;
