import { stringify } from 'yaml';

/** What shapes the built-in configuration. */
export interface BuiltInOptions {
  /** Address every listener binds. */
  readonly listenHost: string;
  readonly dataDirectory: string;
  /** Keeps memory below 600 MB at the price of slower queries. */
  readonly small: boolean;
  /** Parts that do not start because their optional port is taken. */
  readonly without: readonly 'health_check'[];
}

/** Browsers on these origins may send spans: pages under development on this machine. */
const localOrigins = ['http://localhost:*', 'http://127.0.0.1:*'];

/** The all-in-one as a collector configuration: the same model a user writes, and what `clew config` prints. */
export function builtInConfig(options: BuiltInOptions): string {
  const at = (port: number) =>
    `${options.listenHost.includes(':') ? `[${options.listenHost}]` : options.listenHost}:${port}`;
  const health = !options.without.includes('health_check');
  return stringify({
    receivers: {
      otlp: {
        accept_unconsumed_signals: true,
        protocols: {
          grpc: { endpoint: at(4317), max_recv_msg_size_mib: 20 },
          http: { endpoint: at(4318), cors: { allowed_origins: localOrigins } },
        },
      },
    },
    processors: {
      memory_limiter: options.small
        ? { check_interval: '250ms', limit_mib: 250, spike_limit_mib: 50 }
        : { check_interval: '250ms', limit_mib: 700, spike_limit_mib: 150 },
    },
    exporters: { clew_store: {} },
    extensions: {
      clew_storage: {
        directory: options.dataDirectory,
        ...(options.small
          ? { engine: { max_memory_bytes: '350MB', sessions: 2 }, journal: { max_resident_bytes: '8MiB' } }
          : {}),
      },
      clew_query: { http: { endpoint: at(16686) } },
      ...(health ? { health_check: { endpoint: at(13133) } } : {}),
    },
    service: {
      extensions: ['clew_storage', 'clew_query', ...(health ? ['health_check'] : [])],
      pipelines: { traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['clew_store'] } },
      telemetry: { logs: { level: 'warn' } },
    },
  });
}
