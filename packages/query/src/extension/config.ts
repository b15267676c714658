import { httpServerShape } from '@clew/net';
import { section, durationMs } from '@clew/pipeline';
import { z } from 'zod';

/** A path under which everything is served: `/`, or `/clew` behind a proxy. */
const basePath = z
  .string()
  .regex(/^\/([\w.~-]+(\/[\w.~-]+)*)?$/, 'must begin with a slash and not end with one, such as /clew')
  .prefault('/');

/** Settings of the `clew_query` extension. */
export const queryConfig = z
  .strictObject({
    http: z.strictObject(httpServerShape({ endpoint: 'localhost:16686', idleTimeout: '1m' })).prefault({}),
    base_path: basePath,
    limits: section({
      max_search_time: durationMs()
        .prefault('10s')
        .describe('How long one search may take; what was found by then is given.'),
      max_trace_spans: z.int().min(1).prefault(1_000_000).describe('Spans of one trace that are read.'),
      max_detail_spans: z.int().min(1).max(1000).prefault(200).describe('Spans whose details one request may ask for.'),
    }),
    jaeger: section({
      max_clock_skew_adjustment: durationMs()
        .prefault('0s')
        .describe('Largest clock skew that is corrected; 0 corrects none and only warns.'),
      max_trace_size: z.int().min(0).prefault(0).describe('Spans of a trace that the Jaeger API returns; 0 is all.'),
    }),
  })
  .prefault({});

/** What the settings parse to. */
export type QueryConfig = z.output<typeof queryConfig>;
