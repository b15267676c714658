import { grpcServerShape, httpServerShape } from '@clew/net';
import { DEFAULT_DECODE_LIMITS } from '@clew/wire/otlp';
import { z } from 'zod';

/** A URL path; one without a leading slash gets it. */
function urlPath(fallback: string) {
  return z
    .string()
    .min(1, 'must not be empty')
    .refine((path) => !/[?#\s]/.test(path), 'must be a URL path without query or fragment')
    .transform((path) => (path.startsWith('/') ? path : `/${path}`))
    .prefault(fallback);
}

const http = z.strictObject({
  ...httpServerShape({ endpoint: 'localhost:4318' }),
  traces_url_path: urlPath('/v1/traces'),
  metrics_url_path: urlPath('/v1/metrics'),
  logs_url_path: urlPath('/v1/logs'),
});

/** What the HTTP side does when only gRPC is configured. */
export const defaultHttp: z.output<typeof http> = http.parse({});

/** An empty section (`grpc:`) enables the protocol with its defaults. */
function enabledByName<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null ? {} : value), schema.optional());
}

/** Settings of the OTLP receiver. */
export const otlpReceiverConfig = z
  .strictObject({
    protocols: z
      .strictObject({
        grpc: enabledByName(z.strictObject(grpcServerShape({ endpoint: 'localhost:4317' }))),
        http: enabledByName(http),
      })
      .prefault({}),
    /**
     * Answer logs and metrics that no pipeline takes with success and a partial success that says so, instead of
     * "not implemented": an SDK that exports all signals to one endpoint then does not retry and complain for ever.
     */
    accept_unconsumed_signals: z.boolean().prefault(false),
    max_spans_per_request: z.int().min(1).prefault(DEFAULT_DECODE_LIMITS.maxSpans),
    max_value_depth: z.int().min(1).max(1000).prefault(DEFAULT_DECODE_LIMITS.maxDepth),
  })
  .superRefine((config, context) => {
    if (config.protocols.grpc === undefined && config.protocols.http === undefined) {
      context.addIssue({ code: 'custom', message: 'must specify at least one protocol when using the OTLP receiver' });
    }
  });

/** What the settings parse to. */
export type OtlpReceiverConfig = z.output<typeof otlpReceiverConfig>;
