import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { grpcClientShape, httpClientShape, resolveGrpcClient, resolveHttpClient, retrySchema } from './client.ts';
import { grpcServerShape, httpServerShape, resolveGrpcServer, resolveHttpServer } from './server.ts';
import { tlsClientSchema, tlsServerSchema } from './tls.ts';

const httpServer = z.strictObject(httpServerShape({ endpoint: 'localhost:4318' }));
const grpcServer = z.strictObject(grpcServerShape({ endpoint: 'localhost:4317' }));

describe('an HTTP server block', () => {
  it('has the defaults of the OTLP receiver', () => {
    expect(resolveHttpServer(httpServer.parse({}))).toEqual({
      endpoint: { transport: 'tcp', host: '127.0.0.1', port: 4318 },
      connections: { keepAlive: true },
      includeMetadata: false,
      maxBodyBytes: 20_971_520,
      encodings: ['identity', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4', 'x-snappy-framed'],
      responseHeaders: {},
    });
  });

  it('takes everything users write', () => {
    const config = httpServer.parse({
      endpoint: ':4318',
      auth: { authenticator: 'basicauth' },
      cors: { allowed_origins: ['*'], max_age: 60 },
      max_request_body_size: 1000,
      response_headers: { 'X-Custom': 'yes' },
      compression_algorithms: ['gzip', ''],
      read_timeout: '5s',
      idle_timeout: '1m',
      keep_alives_enabled: false,
      include_metadata: true,
      tls: { cert_file: '/c', key_file: '/k', client_ca_file: '/ca', min_version: '1.3', reload_interval: '1h' },
    });
    expect(resolveHttpServer(config)).toMatchObject({
      endpoint: { host: '::', port: 4318 },
      authenticator: 'basicauth',
      cors: { allowedOrigins: ['*'], maxAgeSeconds: 60 },
      maxBodyBytes: 1000,
      responseHeaders: { 'x-custom': 'yes' },
      encodings: ['gzip', 'identity'],
      connections: { requestTimeoutMs: 5000, idleTimeoutMs: 60_000, keepAlive: false },
      includeMetadata: true,
      tls: { certFile: '/c', clientCaFile: '/ca', minVersion: '1.3', reloadIntervalMs: 3_600_000 },
    });
  });

  it.each([
    [{ endpoint: 'nonsense' }, 'host:port, :port or [IPv6]:port is expected'],
    [{ endpoint: '127.0.0.1:99999' }, 'port 99999 is larger than 65535'],
    [{ endpoint: '' }, 'endpoint must not be empty'],
  ])('refuses %j', (input, message) => {
    expect(() => resolveHttpServer(httpServer.parse(input))).toThrow(message);
  });

  it.each([
    [{ compression_algorithms: ['br'] }, 'unsupported compression algorithm'],
    [{ read_timeout: '5 parsecs' }, 'unknown unit'],
    [{ middlewares: ['x'] }, 'middlewares are not supported'],
    [{ unknown_key: 1 }, 'unknown_key'],
  ])('does not parse %j', (input, message) => {
    expect(httpServer.safeParse(input).error?.message).toContain(message);
  });
});

describe('a gRPC server block', () => {
  it('has the defaults of the OTLP receiver', () => {
    expect(resolveGrpcServer(grpcServer.parse({}))).toMatchObject({
      endpoint: { host: '127.0.0.1', port: 4317 },
      maxReceiveBytes: 4_194_304,
      connections: { maxConcurrentStreams: 0, keepalive: {} },
    });
  });

  it('takes keepalive and sizes', () => {
    const config = grpcServer.parse({
      endpoint: '[::]:4317',
      max_recv_msg_size_mib: 16,
      max_concurrent_streams: 100,
      read_buffer_size: 524288,
      keepalive: {
        server_parameters: { max_connection_age: '11s' },
        enforcement_policy: { min_time: '10s', permit_without_stream: true },
      },
    });
    expect(resolveGrpcServer(config)).toMatchObject({
      endpoint: { host: '::' },
      maxReceiveBytes: 16 * 1024 * 1024,
      connections: {
        maxConcurrentStreams: 100,
        keepalive: { maxConnectionAgeMs: 11_000, minTimeMs: 10_000, permitWithoutStream: true },
      },
    });
  });
});

describe('TLS blocks', () => {
  it.each([
    [{ cert_file: 'a', cert_pem: 'b', key_file: 'c' }, 'provide either cert_file or cert_pem, not both'],
    [{ cert_file: 'a' }, 'provide both its certificate and its key'],
    [{ min_version: '1.3', max_version: '1.2' }, 'min_version cannot be greater than max_version'],
    [{ min_version: '2.0' }, 'unsupported TLS version'],
  ])('refuse %j', (input, message) => {
    expect(tlsServerSchema.safeParse(input).error?.message).toContain(message);
  });

  it('are on for clients unless insecure', () => {
    expect(tlsClientSchema.parse({})).toMatchObject({ insecure: false, insecureSkipVerify: false, minVersion: '1.2' });
    expect(tlsClientSchema.parse({ server_name_override: 'x' })).toMatchObject({ serverNameOverride: 'x' });
  });
});

describe('client blocks', () => {
  it('have the defaults of the exporters', () => {
    const grpc = z.strictObject(grpcClientShape).parse({ endpoint: 'x:4317', keepalive: { time: '30s' } });
    expect(resolveGrpcClient(grpc)).toMatchObject({
      endpoint: 'x:4317',
      compression: 'gzip',
      keepalive: { timeMs: 30_000, timeoutMs: 20_000 },
    });
    const http = z.strictObject(httpClientShape).parse({ compression: 'none', max_conns_per_host: 7 });
    expect(http.compression).toBe('identity');
    expect(resolveHttpClient(http)).toMatchObject({ maxConnectionsPerHost: 7, idleConnectionTimeoutMs: 90_000 });
  });

  it('refuse compressions the protocol does not have', () => {
    expect(z.strictObject(grpcClientShape).safeParse({ compression: 'lz4' }).error?.message).toContain(
      'unsupported compression type',
    );
  });

  it('retry as the specification asks unless told otherwise', () => {
    expect(retrySchema.parse({})).toEqual({
      enabled: true,
      initialIntervalMs: 5000,
      randomizationFactor: 0.5,
      multiplier: 1.5,
      maxIntervalMs: 30_000,
      maxElapsedTimeMs: 300_000,
    });
    expect(retrySchema.safeParse({ max_elapsed_time: '1s' }).error?.message).toContain(
      "'max_elapsed_time' must not be less than",
    );
  });
});
