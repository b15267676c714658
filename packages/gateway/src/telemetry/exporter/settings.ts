import type { OtlpClientOptions, TlsClientSettings } from '@clew/net';
import type { TracingBackend } from '../../config/model/observability.ts';

/** Sizes and times of the span queue. */
export interface SpanQueueSettings {
  /** Spans that wait; beyond them the newest are dropped. `OTEL_BSP_MAX_QUEUE_SIZE`, default 2,048. */
  readonly maxQueueSpans: number;
  /** `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, default 512. */
  readonly maxBatchSpans: number;
  /** A batch that is not full leaves after this. `OTEL_BSP_SCHEDULE_DELAY`, default 5,000. */
  readonly scheduleDelayMs: number;
  /** For one batch, repetitions included. `OTEL_BSP_EXPORT_TIMEOUT`, default 30,000. */
  readonly exportTimeoutMs: number;
}

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where spans go, in which format. */
export type ExportTarget =
  | { readonly kind: 'otlp'; readonly client: OtlpClientOptions }
  | {
      readonly kind: 'jaeger' | 'zipkin';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
    };

/** The queue as the environment has it (OpenTelemetry's `OTEL_BSP_*`); what is no positive number is ignored and listed in `ignored`. */
export function spanQueueSettings(env: Environment, ignored: string[] = []): SpanQueueSettings {
  const read = (name: string, fallback: number): number => positive(env, name, ignored) ?? fallback;
  const maxQueueSpans = read('OTEL_BSP_MAX_QUEUE_SIZE', 2048);
  return {
    maxQueueSpans,
    maxBatchSpans: Math.min(read('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512), maxQueueSpans),
    scheduleDelayMs: read('OTEL_BSP_SCHEDULE_DELAY', 5000),
    exportTimeoutMs: read('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
  };
}

/** The file's backend, with `OTEL_EXPORTER_OTLP_*` for what the file does not say. */
export function exportTarget(backend: TracingBackend, env: Environment, ignored: string[] = []): ExportTarget {
  const headers = Object.fromEntries(backend.headers.map(({ name, value }) => [name.toLowerCase(), value]));
  if (backend.kind !== 'otlp') {
    const path = backend.kind === 'jaeger' ? '/api/traces' : '/api/v2/spans';
    return { kind: backend.kind, url: withPath(backend.endpoint, path), headers, timeoutMs: DEFAULT_TIMEOUT_MS };
  }
  const protocol = backend.protocol ?? impliedProtocol(backend.endpoint, variable(env, 'PROTOCOL'), ignored);
  const compression = variable(env, 'COMPRESSION') === 'gzip' ? 'gzip' : 'identity';
  const timeoutName = env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'] ? 'TRACES_TIMEOUT' : 'TIMEOUT';
  const timeoutMs = positive(env, `OTEL_EXPORTER_OTLP_${timeoutName}`, ignored) ?? DEFAULT_TIMEOUT_MS;
  const url = new URL(backend.endpoint);
  return {
    kind: 'otlp',
    client: {
      protocol,
      ...(protocol === 'grpc'
        ? { endpoint: `${url.protocol}//${url.host}`, grpc: { connectTimeoutMs: timeoutMs, maxReconnectDelayMs: 5000 } }
        : httpEndpoint(backend.endpoint)),
      compression,
      timeoutMs,
      headers: backend.headers.length > 0 ? headers : headersOf(variable(env, 'HEADERS')),
      ...tlsOf(env),
    },
  };
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** The variable for traces before the one for all signals. */
function variable(env: Environment, name: string): string | undefined {
  return env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
}

function positive(env: Environment, name: string, ignored: string[]): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  ignored.push(`${name}=${JSON.stringify(text)} is no positive whole number`);
  return undefined;
}

/** Port 4318 and the path of OTLP/HTTP say HTTP; otherwise the environment decides, and without it gRPC it is. */
function impliedProtocol(
  endpoint: string,
  named: string | undefined,
  ignored: string[],
): 'grpc' | 'http/protobuf' | 'http/json' {
  const { port, pathname } = new URL(endpoint);
  const http = port === '4318' || pathname.replace(/\/$/, '').endsWith('/v1/traces');
  switch (named) {
    case 'http/protobuf':
    case 'http/json':
      return named;
    case 'grpc':
    case undefined:
      return http ? 'http/protobuf' : 'grpc';
    default:
      ignored.push(`OTEL_EXPORTER_OTLP_PROTOCOL=${JSON.stringify(named)} is none of grpc, http/protobuf, http/json`);
      return http ? 'http/protobuf' : 'grpc';
  }
}

/** A path that is OTLP's own is the whole address; others are what it is appended to. */
function httpEndpoint(endpoint: string): Pick<OtlpClientOptions, 'endpoint' | 'signalEndpoints'> {
  const exact = new URL(endpoint).pathname.replace(/\/$/, '').endsWith('/v1/traces');
  return exact ? { endpoint: '', signalEndpoints: { traces: endpoint } } : { endpoint };
}

function withPath(endpoint: string, path: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/' || url.pathname === '') url.pathname = path;
  return url.toString();
}

/** `key=value,key=value`, percent-encoded (W3C baggage's form, as OpenTelemetry has it). */
function headersOf(text: string | undefined): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of (text ?? '').split(',')) {
    const equals = pair.indexOf('=');
    if (equals <= 0) continue;
    const value = pair.slice(equals + 1).trim();
    headers[pair.slice(0, equals).trim().toLowerCase()] = percentDecoded(value);
  }
  return headers;
}

/** What is not percent-encoded after all is meant as it stands. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function tlsOf(env: Environment): { readonly tls?: TlsClientSettings } {
  const caFile = variable(env, 'CERTIFICATE');
  const certFile = variable(env, 'CLIENT_CERTIFICATE');
  const keyFile = variable(env, 'CLIENT_KEY');
  if (caFile === undefined && certFile === undefined && keyFile === undefined) return {};
  return {
    tls: {
      ...(caFile === undefined ? {} : { caFile }),
      ...(certFile === undefined ? {} : { certFile }),
      ...(keyFile === undefined ? {} : { keyFile }),
    },
  };
}
