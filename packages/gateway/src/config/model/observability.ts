import type { SourcePosition } from '../../kdl/position.ts';
import type { SocketAddress } from './listener.ts';
import type { HeaderValue } from './route.ts';

/** Where spans are sent, and in which format. */
export interface TracingBackend {
  readonly kind: 'otlp' | 'jaeger' | 'zipkin';
  readonly endpoint: string;
  /** How OTLP is carried; absent = as the endpoint suggests (port 4318 or a path mean HTTP). */
  readonly protocol?: 'grpc' | 'http/protobuf' | 'http/json';
  readonly headers: readonly HeaderValue[];
}

/** The `tracing` block. */
export interface TracingConfig {
  readonly position: SourcePosition;
  readonly enabled: boolean;
  readonly backend: TracingBackend;
  /** Share of traces begun here that are kept, 0 to 1. */
  readonly samplingRate: number;
  readonly serviceName: string;
  /** What the span of a request is named by besides its method: the path as it came, or the pattern of its route. */
  readonly spanName: 'path' | 'route';
  /** Whether spans tell queries. */
  readonly includeQuery: boolean;
}

/** Levels of the application log, most severe first. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Fields of an access-log line that can be switched off; `latency_ms` is the name of `duration_ms` there. */
export const accessLogFields = [
  'timestamp',
  'trace_id',
  'method',
  'path',
  'query',
  'status',
  'latency_ms',
  'body_bytes_sent',
  'upstream_addr',
  'upstream_duration_ms',
  'connection_reused',
  'rate_limit_hit',
  'geo_country',
  'user_agent',
  'referer',
  'client_ip',
] as const;
export type AccessLogField = (typeof accessLogFields)[number];

/** What every log file has. */
export interface LogSink {
  /** Present when the configuration names it; its folders are made. */
  readonly file?: string;
  /** Used without `file`, and only if its folder can be written to; else standard output. */
  readonly defaultFile: string;
  readonly bufferBytes: number;
  /** Lines that wait for a slow disk or pipe are dropped beyond this. */
  readonly maxWaitingBytes: number;
}

/** The `access-log` block. */
export interface AccessLogConfig extends LogSink {
  readonly enabled: boolean;
  readonly format: 'json' | 'combined';
  readonly includeTraceId: boolean;
  /** Share of lines written, 0 to 1. */
  readonly sampleRate: number;
  /** Whether lines with a status of 400 or more are written whatever `sampleRate` says. */
  readonly sampleErrorsAlways: boolean;
  /** Fields switched off in `fields`. */
  readonly omittedFields: readonly AccessLogField[];
}

/** The `error-log` block. */
export interface ErrorLogConfig extends LogSink {
  readonly enabled: boolean;
  readonly level: LogLevel;
}

/** The `audit-log` block. */
export interface AuditLogConfig extends LogSink {
  readonly enabled: boolean;
  readonly logBlocked: boolean;
  readonly logAgentDecisions: boolean;
  readonly logWafEvents: boolean;
}

/** The `logging` block. */
export interface LoggingConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly timestamps: boolean;
  /** The application log's file; absent = standard error. */
  readonly file?: string;
  /** Absent = no access log. */
  readonly accessLog?: AccessLogConfig;
  readonly errorLog: ErrorLogConfig;
  /** Absent = no audit log. */
  readonly auditLog?: AuditLogConfig;
}

/** The `metrics` block. */
export interface MetricsConfig {
  readonly enabled: boolean;
  readonly address: SocketAddress;
  readonly path: string;
  /** Connections at once. */
  readonly maxConnections: number;
}

/** The `observability` block. */
export interface ObservabilityConfig {
  /** Absent = trace headers pass through untouched and no spans are made. */
  readonly tracing?: TracingConfig;
  readonly logging: LoggingConfig;
  readonly metrics: MetricsConfig;
}
