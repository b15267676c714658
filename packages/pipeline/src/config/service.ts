import { z } from 'zod';
import { durationMs, secret, section, uint } from './schema.ts';

/** A map of attributes, in which null removes a default. */
const attributes = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

const logs = section({
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .or(z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).transform(lowerCase))
    .prefault('info'),
  encoding: z.enum(['console', 'json']).prefault('console'),
  development: z.boolean().prefault(false),
  disable_caller: z.boolean().prefault(false),
  disable_stacktrace: z.boolean().prefault(false),
  sampling: section({
    enabled: z.boolean().prefault(true),
    tick: durationMs().prefault('10s'),
    initial: uint().prefault(10),
    thereafter: uint().prefault(100),
  }),
  output_paths: z.array(z.string()).prefault(['stderr']),
  error_output_paths: z.array(z.string()).prefault(['stderr']),
  initial_fields: z.record(z.string(), z.unknown()).prefault({}),
  processors: z.array(z.unknown()).prefault([]),
});

function lowerCase<Word extends string>(word: Word): Lowercase<Word> {
  return word.toLowerCase() as Lowercase<Word>;
}

const prometheusReader = z.strictObject({
  host: z.string().prefault('localhost'),
  port: z.int().min(0).max(65_535).prefault(8888),
  without_scope_info: z.boolean().prefault(false),
  without_units: z.boolean().prefault(false),
  without_type_suffix: z.boolean().prefault(false),
  with_resource_constant_labels: z
    .strictObject({ included: z.array(z.string()).prefault([]), excluded: z.array(z.string()).prefault([]) })
    .optional(),
});

const otlpReader = z.strictObject({
  protocol: z.string().prefault('http/protobuf'),
  endpoint: z.string().optional(),
  headers: secret(
    z.union([z.array(z.strictObject({ name: z.string(), value: z.string() })), z.record(z.string(), z.string())]),
  ).optional(),
  compression: z.string().optional(),
  timeout: z.int().optional(),
  insecure: z.boolean().optional(),
  certificate: z.string().optional(),
  client_certificate: z.string().optional(),
  client_key: z.string().optional(),
  temporality_preference: z.string().optional(),
  default_histogram_aggregation: z.string().optional(),
});

const reader = z
  .strictObject({
    pull: z.strictObject({ exporter: z.strictObject({ prometheus: prometheusReader }) }).optional(),
    periodic: z
      .strictObject({
        interval: z.int().positive().prefault(60_000),
        timeout: z.int().positive().prefault(30_000),
        exporter: z.strictObject({ otlp: otlpReader.optional(), console: z.strictObject({}).optional() }),
      })
      .optional(),
  })
  .refine((value) => (value.pull === undefined) !== (value.periodic === undefined), {
    error: 'must have exactly one of "pull" and "periodic"',
  });

const defaultReader = {
  pull: {
    exporter: {
      prometheus: {
        host: 'localhost',
        port: 8888,
        without_scope_info: true,
        without_units: true,
        without_type_suffix: true,
      },
    },
  },
};

const metrics = z
  .strictObject({
    level: z.enum(['none', 'basic', 'normal', 'detailed']).prefault('normal'),
    readers: z.array(reader).prefault([defaultReader]),
    address: z.string().optional(),
    views: z.array(z.unknown()).prefault([]),
  })
  .refine(({ level, readers, address }) => level === 'none' || readers.length > 0 || address !== undefined, {
    error: 'collector telemetry metrics reader should exist when metric level is not none',
  })
  .prefault({});

const traces = section({
  level: z.string().optional(),
  processors: z.array(z.unknown()).prefault([]),
  propagators: z.array(z.enum(['tracecontext', 'b3'])).prefault([]),
});

/** Settings of a program's own logs, metrics and traces: `service::telemetry`. */
export const telemetrySchema = section({ logs, metrics, traces, resource: attributes.prefault({}) });

/** Own telemetry, defaults filled in. Durations are milliseconds. */
export type TelemetryConfig = z.output<typeof telemetrySchema>;

const pipeline = z.strictObject({
  receivers: z.array(z.string()).prefault([]),
  processors: z.array(z.string()).prefault([]),
  exporters: z.array(z.string()).prefault([]),
});

/** The `service` section as written. */
export const serviceSchema = section({
  extensions: z.array(z.string()).prefault([]),
  pipelines: z.record(z.string(), pipeline).prefault({}),
  telemetry: telemetrySchema,
});

/** The `service` section, defaults filled in. */
export type ServiceSection = z.output<typeof serviceSchema>;
