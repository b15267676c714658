import { describe, expect, it } from 'vitest';
import type { TracingBackend } from '../../config/model/observability.ts';
import { exportTarget, spanQueueSettings } from './settings.ts';
import type { ExportTarget } from './settings.ts';

const otlp = (endpoint: string, rest: Partial<TracingBackend> = {}): TracingBackend => ({
  kind: 'otlp',
  endpoint,
  headers: [],
  ...rest,
});

function clientOf(backend: TracingBackend, env: Readonly<Record<string, string>> = {}) {
  const target: ExportTarget = exportTarget(backend, env);
  if (target.kind !== 'otlp') throw new Error('not OTLP');
  return target.client;
}

describe('where spans go', () => {
  it.each([
    ['http://localhost:4317', {}, 'grpc', 'http://localhost:4317', undefined],
    ['https://collector:4317', {}, 'grpc', 'https://collector:4317', undefined],
    ['http://localhost:4318', {}, 'http/protobuf', 'http://localhost:4318', undefined],
    ['http://localhost:9/v1/traces', {}, 'http/protobuf', '', 'http://localhost:9/v1/traces'],
    [
      'http://localhost:4317',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      'http/json',
      'http://localhost:4317',
      undefined,
    ],
    [
      'http://localhost:4318',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      'http/json',
      'http://localhost:4318',
      undefined,
    ],
    [
      'http://localhost:4317',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
      'grpc',
      'http://localhost:4317',
      undefined,
    ],
  ])('follows endpoint %s and %j', (endpoint, env, protocol, base, exact) => {
    const client = clientOf(otlp(endpoint), env);
    expect([client.protocol, client.endpoint, client.signalEndpoints?.traces]).toEqual([protocol, base, exact]);
  });

  it('lets the file win over the environment', () => {
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_HEADERS: 'a=env' };
    const client = clientOf(
      otlp('http://localhost:4318', { protocol: 'grpc', headers: [{ name: 'A', value: 'file' }] }),
      env,
    );
    expect([client.protocol, client.headers]).toEqual(['grpc', { a: 'file' }]);
  });

  it('takes headers, time, compression and certificates from the environment', () => {
    const client = clientOf(otlp('https://collector:4317'), {
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20x=y, other = 2,=none,100%=%',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1500',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/cert.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: '/key.pem',
    });
    expect(client).toMatchObject({
      headers: { authorization: 'Bearer x=y', other: '2', '100%': '%' },
      timeoutMs: 1500,
      compression: 'gzip',
      tls: { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' },
    });
  });

  it.each([
    ['jaeger', 'http://localhost:14268', 'http://localhost:14268/api/traces'],
    ['jaeger', 'http://localhost:14268/jaeger', 'http://localhost:14268/jaeger'],
    ['zipkin', 'http://localhost:9411', 'http://localhost:9411/api/v2/spans'],
  ] as const)('completes the address of %s %s', (kind, endpoint, url) => {
    expect(exportTarget({ kind, endpoint, headers: [] }, {})).toMatchObject({ kind, url });
  });

  it('says which variables make no sense and goes on with the defaults', () => {
    const ignored: string[] = [];
    const env = {
      OTEL_BSP_MAX_QUEUE_SIZE: 'many',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'smoke',
      OTEL_BSP_SCHEDULE_DELAY: '-1',
    };
    expect(spanQueueSettings(env, ignored)).toEqual({
      maxQueueSpans: 2048,
      maxBatchSpans: 512,
      scheduleDelayMs: 5000,
      exportTimeoutMs: 30_000,
    });
    exportTarget(otlp('http://localhost:4317'), env, ignored);
    expect(ignored).toEqual([
      'OTEL_BSP_MAX_QUEUE_SIZE="many" is no positive whole number',
      'OTEL_BSP_SCHEDULE_DELAY="-1" is no positive whole number',
      'OTEL_EXPORTER_OTLP_PROTOCOL="smoke" is none of grpc, http/protobuf, http/json',
    ]);
  });

  it('never makes batches larger than the queue', () => {
    expect(spanQueueSettings({ OTEL_BSP_MAX_QUEUE_SIZE: '10' }).maxBatchSpans).toBe(10);
  });
});
