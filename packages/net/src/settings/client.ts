import { z } from 'zod';
import type { ClientKeepaliveSettings } from '../client/grpc-connection.ts';
import type { GrpcClientOptions } from '../client/grpc-client.ts';
import type { HttpClientOptions } from '../client/http-client.ts';
import { retrySettingsProblems } from '../client/retry.ts';
import { parseContentEncoding } from '../codec/encoding.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import type { RetrySettings } from '../client/retry.ts';
import { bufferSize, compact, count, durationMs, secretHeaders } from './fields.ts';
import { tlsClientSchema } from './tls.ts';

const auth = z.strictObject({ authenticator: z.string().min(1) }).optional();

/** Retrying as the `retry_on_failure` block says it. */
export const retrySchema = z
  .strictObject({
    enabled: z.boolean().prefault(true),
    initial_interval: durationMs().prefault('5s'),
    randomization_factor: z.number().prefault(0.5),
    multiplier: z.number().prefault(1.5),
    max_interval: durationMs().prefault('30s'),
    max_elapsed_time: durationMs().prefault('300s'),
  })
  .transform((parsed): Required<RetrySettings> => ({
    enabled: parsed.enabled,
    initialIntervalMs: parsed.initial_interval,
    randomizationFactor: parsed.randomization_factor,
    multiplier: parsed.multiplier,
    maxIntervalMs: parsed.max_interval,
    maxElapsedTimeMs: parsed.max_elapsed_time,
  }))
  .superRefine((settings, context) => {
    for (const message of retrySettingsProblems(settings)) context.addIssue({ code: 'custom', message });
  });

function compressionOf(names: readonly string[]): z.ZodType<ContentEncoding, string> {
  return z
    .string()
    .refine(
      (name) => names.includes(name),
      `unsupported compression type: use one of ${names.filter(Boolean).join(', ')}`,
    )
    .transform((name) => parseContentEncoding(name) ?? 'identity');
}

/** Fields of a gRPC client's configuration; spread them into an exporter's `z.strictObject`. */
export const grpcClientShape = {
  endpoint: z.string().prefault(''),
  tls: tlsClientSchema.prefault({}),
  compression: compressionOf(['', 'none', 'gzip', 'snappy', 'zstd', 'deflate']).prefault('gzip'),
  headers: secretHeaders().prefault({}),
  authority: z.string().optional(),
  auth,
  keepalive: z
    .strictObject({
      time: durationMs().optional(),
      timeout: durationMs().prefault('20s'),
      permit_without_stream: z.boolean().prefault(false),
    })
    .optional(),
  wait_for_ready: z.boolean().prefault(false),
  balancer_name: z.enum(['round_robin', 'pick_first', '']).prefault('round_robin'),
  read_buffer_size: bufferSize(),
  write_buffer_size: bufferSize(),
};

/** Fields of an HTTP client's configuration. */
export const httpClientShape = {
  endpoint: z.string().prefault(''),
  tls: tlsClientSchema.prefault({}),
  compression: compressionOf([
    '',
    'none',
    'gzip',
    'zstd',
    'zlib',
    'deflate',
    'snappy',
    'x-snappy-framed',
    'lz4',
  ]).prefault('gzip'),
  compression_params: z.strictObject({ level: z.int().optional() }).optional(),
  headers: secretHeaders().prefault({}),
  auth,
  proxy_url: z.string().optional(),
  max_idle_conns: count().prefault(100),
  max_idle_conns_per_host: count().optional(),
  max_conns_per_host: count().optional(),
  idle_conn_timeout: durationMs().prefault('90s'),
  disable_keep_alives: z.boolean().prefault(false),
  http2_read_idle_timeout: durationMs().optional(),
  http2_ping_timeout: durationMs().optional(),
  cookies: z.strictObject({ enabled: z.literal(false, 'cookies are not supported').optional() }).optional(),
  read_buffer_size: bufferSize(),
  write_buffer_size: bufferSize(),
};

/** What `grpcClientShape` parses to. */
export type GrpcClientConfig = z.output<z.ZodObject<typeof grpcClientShape>>;

/** What `httpClientShape` parses to. */
export type HttpClientConfig = z.output<z.ZodObject<typeof httpClientShape>>;

/** Turns a gRPC client's configuration into a client's options. */
export function resolveGrpcClient(config: GrpcClientConfig): GrpcClientOptions {
  const keepalive: ClientKeepaliveSettings = config.keepalive
    ? compact({
        timeMs: config.keepalive.time,
        timeoutMs: config.keepalive.timeout,
        permitWithoutStream: config.keepalive.permit_without_stream,
      })
    : {};
  return {
    endpoint: config.endpoint,
    tls: config.tls,
    compression: config.compression,
    headers: config.headers,
    keepalive,
    ...compact({ authority: config.authority }),
  };
}

/** Turns an HTTP client's configuration into a client's options; endpoint, headers and compression go with requests. */
export function resolveHttpClient(config: HttpClientConfig): HttpClientOptions {
  return {
    tls: config.tls,
    idleConnectionTimeoutMs: config.idle_conn_timeout,
    disableKeepAlives: config.disable_keep_alives,
    maxConnectionsPerHost: config.max_conns_per_host || config.max_idle_conns_per_host || config.max_idle_conns,
    ...compact({ proxyUrl: config.proxy_url }),
  };
}
