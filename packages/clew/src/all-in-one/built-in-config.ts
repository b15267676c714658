import { stringify } from 'yaml';
import type { OptionalPart } from './ports.ts';

/** What shapes the built-in configuration. */
export interface BuiltInOptions {
  /** Address every listener binds. */
  readonly listenHost: string;
  readonly dataDirectory: string;
  /** Keeps memory below 600 MB at the price of slower queries. */
  readonly small: boolean;
  /** Parts that do not start because their optional port is taken. */
  readonly without: readonly OptionalPart[];
}

/** The name of the built-in configuration where origins of settings are told. */
export const builtInSource = 'built-in configuration';

/** Browsers on these origins may send spans: pages under development on this machine. */
const localOrigins = ['http://localhost:*', 'http://127.0.0.1:*'];

/**
 * Datagrams that may wait while the journal is busy: their senders cannot be told to wait, so seconds of a busy system rather than the
 * reference's fraction of one.
 */
const queuedDatagrams = 10_000;

/** The all-in-one as a collector configuration: the same model a user writes, and what `clew config` prints. */
export function builtInConfig(options: BuiltInOptions): string {
  const at = (port: number) =>
    `${options.listenHost.includes(':') ? `[${options.listenHost}]` : options.listenHost}:${port}`;
  const endpoint = (port: number) => ({ endpoint: at(port) });
  const datagrams = (port: number) => ({ ...endpoint(port), queue_size: queuedDatagrams });
  const has = (part: OptionalPart) => !options.without.includes(part);
  const part = <T>(name: OptionalPart, section: string, settings: T): Record<string, T> =>
    has(name) ? { [section]: settings } : {};
  const jaegerProtocols = {
    ...part('jaeger_grpc', 'grpc', { ...endpoint(14250), max_recv_msg_size_mib: 20 }),
    ...part('jaeger_thrift_http', 'thrift_http', endpoint(14268)),
    ...part('jaeger_thrift_compact', 'thrift_compact', datagrams(6831)),
    ...part('jaeger_thrift_binary', 'thrift_binary', datagrams(6832)),
    ...part('jaeger_thrift_zipkin_compact', 'thrift_zipkin_compact', datagrams(5775)),
  };
  const receivers = {
    otlp: {
      accept_unconsumed_signals: true,
      protocols: {
        grpc: { ...endpoint(4317), max_recv_msg_size_mib: 20 },
        http: { ...endpoint(4318), cors: { allowed_origins: localOrigins } },
      },
    },
    ...(Object.keys(jaegerProtocols).length > 0 ? { jaeger: { protocols: jaegerProtocols } } : {}),
    ...part('zipkin', 'zipkin', { ...endpoint(9411), cors: { allowed_origins: localOrigins } }),
  };
  const remoteSampling = {
    http: has('remote_sampling_http') ? endpoint(5778) : { enabled: false },
    grpc: has('remote_sampling_grpc') ? endpoint(5779) : { enabled: false },
    // Clients of Jaeger's collector ask where they send.
    also_http_endpoints: has('jaeger_thrift_http') ? [at(14268)] : [],
    also_grpc_endpoints: has('jaeger_grpc') ? [at(14250)] : [],
    file: { default_sampling_probability: 1 },
  };
  const extensions = {
    clew_storage: {
      directory: options.dataDirectory,
      ...(options.small
        ? { engine: { max_memory_bytes: '350MB', sessions: 2 }, journal: { max_resident_bytes: '8MiB' } }
        : {}),
    },
    clew_query: { http: endpoint(16686) },
    remote_sampling: remoteSampling,
    ...part('health_check', 'health_check', endpoint(13133)),
  };
  return stringify({
    receivers,
    processors: {
      memory_limiter: options.small
        ? { check_interval: '250ms', limit_mib: 250, spike_limit_mib: 50 }
        : { check_interval: '250ms', limit_mib: 700, spike_limit_mib: 150 },
    },
    exporters: { clew_store: {} },
    extensions,
    service: {
      extensions: Object.keys(extensions),
      pipelines: {
        traces: { receivers: Object.keys(receivers), processors: ['memory_limiter'], exporters: ['clew_store'] },
      },
      telemetry: { logs: { level: 'warn' } },
    },
  });
}
