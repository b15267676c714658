/** How correlation ids look: `tinyflake` is 11 characters of time and chance, `uuid` a UUID of version 4. */
export type CorrelationIdFormat = 'tinyflake' | 'uuid';

/** The `system` block: what concerns the process as a whole. */
export interface SystemConfig {
  /** Threads that serve requests; 0 = one per core. */
  readonly workerThreads: number;
  readonly traceIdFormat: CorrelationIdFormat;
  /** How long running requests may take to finish once the process was told to stop. */
  readonly gracefulShutdownTimeoutMs: number;
  /** Client connections over all listeners. */
  readonly maxConnections: number;
  /** Whether a changed file is loaded without being asked. */
  readonly autoReload: boolean;
  /** Routing decisions remembered. */
  readonly routeCacheSize: number;
}

/** The `limits` block: bounds on what clients and agents send. */
export interface LimitsConfig {
  /** Sum of header names and values of a request; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** Header lines of a request; beyond it 400. */
  readonly maxHeaderCount: number;
  readonly maxHeaderNameBytes: number;
  readonly maxHeaderValueBytes: number;
  /** Path and query of a request; beyond it 414. */
  readonly maxTargetBytes: number;
  /** A request body; beyond it 413. */
  readonly maxBodyBytes: number;
  /** What is held of one body when it must be held; beyond it 413. */
  readonly maxBodyBufferBytes: number;
  readonly maxConnectionsPerClient: number;
  readonly maxTotalConnections: number;
  /** Requests in progress; beyond it 503 with Retry-After. */
  readonly maxInFlightRequests: number;
  /** One answer of an agent; beyond it the call has failed. */
  readonly maxAgentResponseBytes: number;
  /** Calls that wait for one agent; beyond it the call has failed. */
  readonly maxAgentQueueDepth: number;
}

/** What requests are told apart by when they are counted against a rate. `header` names the header, in lower case. */
export type RateLimitKey =
  | { readonly kind: 'client-ip' | 'path' | 'route' | 'client-ip-and-path' }
  | { readonly kind: 'header'; readonly header: string };

/** A rate: a bucket that holds `burst` requests and is refilled `requestsPerSecond`. */
export interface RateConfig {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly key: RateLimitKey;
}

/** The `rate-limits` block. */
export interface RateLimitsConfig {
  /** The rate of every route that has none of its own. */
  readonly perRoute?: RateConfig;
  /** The rate of all requests together. */
  readonly global?: RateConfig;
}
