import { z } from 'zod';
import { parseContentEncoding } from '../codec/encoding.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import { NetError } from '../errors.ts';
import type { ReplyHeaders } from '../exchange.ts';
import type { CorsSettings } from '../http/cors.ts';
import { defaultMaxGrpcMessageBytes, defaultMaxRequestBodyBytes } from '../limits.ts';
import { parseListenEndpoint } from '../listener/endpoint.ts';
import type { ConnectionSettings, KeepaliveSettings, ListenEndpoint } from '../listener/types.ts';
import type { TlsServerSettings } from '../tls/settings.ts';
import { bufferSize, compact, count, durationMs } from './fields.ts';
import { tlsServerSchema } from './tls.ts';

/** What a server's configuration means to a listener and to what is mounted on it. */
export interface ServerSettings {
  readonly endpoint: ListenEndpoint;
  readonly tls?: TlsServerSettings;
  readonly connections: ConnectionSettings;
  /** Id of the authenticator extension, to be resolved by the owner. */
  readonly authenticator?: string;
  /** Copy headers and peer into the request's context. */
  readonly includeMetadata: boolean;
}

/** The same for HTTP. */
export interface HttpServerSettings extends ServerSettings {
  readonly maxBodyBytes: number;
  readonly encodings: readonly ContentEncoding[];
  readonly cors?: CorsSettings;
  readonly responseHeaders: ReplyHeaders;
}

/** The same for gRPC. */
export interface GrpcServerSettings extends ServerSettings {
  readonly maxReceiveBytes: number;
}

/** Defaults in which servers differ. */
export interface HttpServerDefaults {
  readonly endpoint: string;
  /** As configuration writes them. Default '0s' for the first two, '0s' and '0s': a receiver sets no times. */
  readonly readTimeout?: string;
  readonly readHeaderTimeout?: string;
  readonly writeTimeout?: string;
  readonly idleTimeout?: string;
}

const authShape = z.strictObject({
  authenticator: z.string().min(1),
  request_params: z.array(z.string()).optional(),
});

const corsSchema = z.strictObject({
  allowed_origins: z.array(z.string()).prefault([]),
  allowed_headers: z.array(z.string()).prefault([]),
  exposed_headers: z.array(z.string()).prefault([]),
  max_age: count().prefault(0),
});

const noMiddlewares = z.array(z.unknown()).max(0, 'middlewares are not supported').optional();

/** An endpoint of a server: `host:port`, `:port`, `[::]:port`. */
function endpoint(fallback: string): z.ZodPrefault<z.ZodString> {
  return z.string().prefault(fallback);
}

/** The `compression_algorithms` of the reference, in its order. */
const defaultAlgorithms = ['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4', 'x-snappy-framed'];

/** Fields of an HTTP server's configuration; spread them into a receiver's `z.strictObject`. */
export function httpServerShape(defaults: HttpServerDefaults) {
  const { readTimeout = '0s', readHeaderTimeout = '0s', writeTimeout = '0s', idleTimeout = '0s' } = defaults;
  return {
    endpoint: endpoint(defaults.endpoint),
    transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).prefault('tcp'),
    tls: tlsServerSchema.optional(),
    auth: authShape.optional(),
    cors: corsSchema.optional(),
    max_request_body_size: count().prefault(defaultMaxRequestBodyBytes),
    include_metadata: z.boolean().prefault(false),
    response_headers: z.record(z.string(), z.string()).optional(),
    compression_algorithms: z
      .array(z.string().refine((name) => parseContentEncoding(name) !== undefined, 'unsupported compression algorithm'))
      .prefault(defaultAlgorithms),
    read_timeout: durationMs().prefault(readTimeout),
    read_header_timeout: durationMs().prefault(readHeaderTimeout),
    write_timeout: durationMs().prefault(writeTimeout),
    idle_timeout: durationMs().prefault(idleTimeout),
    keep_alives_enabled: z.boolean().prefault(true),
    max_connections: count().optional(),
    max_in_flight_body_bytes: count().optional(),
    middlewares: noMiddlewares,
  };
}

const keepaliveSchema = z.strictObject({
  server_parameters: z
    .strictObject({
      max_connection_idle: durationMs().optional(),
      max_connection_age: durationMs().optional(),
      max_connection_age_grace: durationMs().optional(),
      time: durationMs().optional(),
      timeout: durationMs().optional(),
    })
    .optional(),
  enforcement_policy: z
    .strictObject({
      min_time: durationMs().optional(),
      permit_without_stream: z.boolean().prefault(false),
    })
    .optional(),
});

/** Fields of a gRPC server's configuration. */
export function grpcServerShape(defaults: { readonly endpoint: string }) {
  return {
    endpoint: endpoint(defaults.endpoint),
    transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).prefault('tcp'),
    tls: tlsServerSchema.optional(),
    auth: authShape.optional(),
    max_recv_msg_size_mib: count().prefault(0),
    max_concurrent_streams: count().prefault(0),
    read_buffer_size: bufferSize(),
    write_buffer_size: bufferSize(),
    keepalive: keepaliveSchema.optional(),
    include_metadata: z.boolean().prefault(false),
    max_connections: count().optional(),
    max_in_flight_body_bytes: count().optional(),
    middlewares: noMiddlewares,
  };
}

/** What `httpServerShape` parses to. */
export type HttpServerConfig = z.output<z.ZodObject<ReturnType<typeof httpServerShape>>>;

/** What `grpcServerShape` parses to. */
export type GrpcServerConfig = z.output<z.ZodObject<ReturnType<typeof grpcServerShape>>>;

/** Turns an HTTP server's configuration into what listeners and mounts take. Fails with `invalid_setting`. */
export function resolveHttpServer(config: HttpServerConfig): HttpServerSettings {
  return {
    ...resolveServer(config, {
      keepAlive: config.keep_alives_enabled,
      ...positive('requestTimeoutMs', config.read_timeout),
      ...positive('headerTimeoutMs', config.read_header_timeout),
      ...positive('idleTimeoutMs', config.idle_timeout),
      ...positive('writeIdleTimeoutMs', config.write_timeout),
    }),
    maxBodyBytes: config.max_request_body_size || defaultMaxRequestBodyBytes,
    encodings: config.compression_algorithms.map(parseContentEncoding).filter((encoding) => encoding !== undefined),
    responseHeaders: Object.fromEntries(
      Object.entries(config.response_headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    ...(config.cors ? { cors: resolveCors(config.cors) } : {}),
  };
}

/** Turns a gRPC server's configuration into what listeners and mounts take. Fails with `invalid_setting`. */
export function resolveGrpcServer(config: GrpcServerConfig): GrpcServerSettings {
  return {
    ...resolveServer(config, {
      maxConcurrentStreams: config.max_concurrent_streams,
      keepalive: resolveKeepalive(config.keepalive),
    }),
    maxReceiveBytes: config.max_recv_msg_size_mib * 1024 * 1024 || defaultMaxGrpcMessageBytes,
  };
}

function resolveServer(config: HttpServerConfig | GrpcServerConfig, connections: ConnectionSettings): ServerSettings {
  if (config.endpoint === '')
    throw new NetError('invalid_setting', 'endpoint must not be empty: host:port is expected');
  const limits = compact({
    maxConnections: config.max_connections,
    maxInFlightBodyBytes: config.max_in_flight_body_bytes,
  });
  return {
    endpoint: parseListenEndpoint(config.endpoint, config.transport),
    connections: { ...connections, ...limits },
    includeMetadata: config.include_metadata,
    ...(config.tls ? { tls: config.tls } : {}),
    ...(config.auth ? { authenticator: config.auth.authenticator } : {}),
  };
}

/** A zero means "not set" in the reference's files, where Clew keeps a default that protects the server. */
function positive<Key extends keyof ConnectionSettings>(key: Key, value: number): Pick<ConnectionSettings, Key> {
  return (value > 0 ? { [key]: value } : {}) as Pick<ConnectionSettings, Key>;
}

function resolveCors(config: z.output<typeof corsSchema>): CorsSettings {
  return {
    allowedOrigins: config.allowed_origins,
    allowedHeaders: config.allowed_headers,
    exposedHeaders: config.exposed_headers,
    maxAgeSeconds: config.max_age,
  };
}

function resolveKeepalive(config: z.output<typeof keepaliveSchema> | undefined): KeepaliveSettings {
  const { server_parameters: server = {}, enforcement_policy: policy } = config ?? {};
  return compact({
    maxConnectionIdleMs: server.max_connection_idle,
    maxConnectionAgeMs: server.max_connection_age,
    maxConnectionAgeGraceMs: server.max_connection_age_grace,
    timeMs: server.time,
    timeoutMs: server.timeout,
    minTimeMs: policy?.min_time,
    permitWithoutStream: policy?.permit_without_stream,
  });
}
