import { httpServerShape } from '@clew/net';
import { DEFAULT_DECODE_LIMITS } from '@clew/wire';
import { z } from 'zod';

/** Settings of the Zipkin receiver. */
export const zipkinReceiverConfig = z.strictObject({
  ...httpServerShape({ endpoint: 'localhost:9411' }),
  /** Turn tags that look like numbers or booleans into such. */
  parse_string_tags: z.boolean().prefault(false),
  max_spans_per_request: z.int().min(1).prefault(DEFAULT_DECODE_LIMITS.maxSpans),
});

/** What the settings parse to. */
export type ZipkinReceiverConfig = z.output<typeof zipkinReceiverConfig>;
