import type { Named } from './named.ts';

/** A server of an upstream. */
export interface TargetConfig {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Share of requests, against the other targets' weights; at least 1. */
  readonly weight: number;
}

/** How a target is chosen. */
export type LoadBalancing = 'round_robin' | 'least_connections' | 'weighted' | 'ip_hash' | 'random' | 'consistent_hash';

/** What is asked of a target to learn whether it lives. */
export type HealthProbe =
  | { readonly kind: 'tcp' }
  | {
      readonly kind: 'http';
      readonly path: string;
      /** Any of them is healthy. */
      readonly expectedStatuses: readonly number[];
      /** The Host header. */
      readonly host: string;
    };

/** The `health-check` block. */
export interface HealthCheckConfig {
  readonly probe: HealthProbe;
  readonly intervalMs: number;
  /** For connecting and answering together. */
  readonly timeoutMs: number;
  /** Successes in a row that make a target healthy. */
  readonly healthyThreshold: number;
  /** Failures in a row that make a target unhealthy. */
  readonly unhealthyThreshold: number;
}

/** The `timeouts` block. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** For the whole exchange. */
  readonly requestMs: number;
  /** Between two reads. */
  readonly readMs: number;
  /** Between two writes. */
  readonly writeMs: number;
}

/** The `connection-pool` block. */
export interface ConnectionPoolConfig {
  /** Connections to one target. */
  readonly maxConnections: number;
  /** Of these, connections kept open without a request. */
  readonly maxIdle: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs?: number;
}

/** A `circuit-breaker` block, of an upstream or an agent. */
export interface CircuitBreakerConfig {
  /** Failures in a row that open the circuit. */
  readonly failureThreshold: number;
  /** Successes in a row that close a half-open circuit. */
  readonly successThreshold: number;
  /** How long the circuit stays open. */
  readonly openMs: number;
  /** Requests let through at once while half-open. */
  readonly halfOpenMaxRequests: number;
}

/** How servers and agents are reached over TLS. */
export interface ClientTlsConfig {
  /** The server name asked for; absent = the host of the address. */
  readonly sni?: string;
  /** Whether a certificate nobody vouches for is accepted. */
  readonly insecureSkipVerify: boolean;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
  readonly caCertFile?: string;
}

/** One `upstream`. */
export interface UpstreamConfig extends Named {
  /** At least one. */
  readonly targets: readonly TargetConfig[];
  readonly loadBalancing: LoadBalancing;
  readonly healthCheck?: HealthCheckConfig;
  readonly timeouts: UpstreamTimeouts;
  /** The largest head of a response. */
  readonly maxResponseHeadBytes: number;
  readonly connectionPool: ConnectionPoolConfig;
  readonly circuitBreaker?: CircuitBreakerConfig;
  readonly tls?: ClientTlsConfig;
}
