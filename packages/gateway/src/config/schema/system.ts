import type { LimitsConfig, RateConfig, RateLimitsConfig, SystemConfig } from '../model/system.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { child, optional, required, setting } from '../table/field.ts';
import { bytes, decimal, duration, flag, integer, oneOf } from '../table/value-type.ts';
import { rateLimitKey } from './shared.ts';

/** `system`. */
export const system: Block<SystemConfig> = block(
  {
    workerThreads: setting('worker-threads', integer({ min: 0, max: 1024 }), {
      default: 0,
      level: 'must',
      doc: 'threads that serve requests; 0 = one per core',
    }),
    traceIdFormat: setting(
      'trace-id-format',
      oneOf(['tinyflake', 'uuid'], { aliases: { uuid4: 'uuid', uuidv4: 'uuid' } }),
      {
        default: 'tinyflake',
        level: 'must',
        // The original falls back in silence; a warning keeps such files starting.
        lenient: true,
        doc: 'how correlation ids look',
      },
    ),
    gracefulShutdownTimeoutMs: setting('graceful-shutdown-timeout-secs', duration('seconds'), {
      default: 30,
      doc: 'how long running requests may take to finish at the end',
    }),
    maxConnections: setting('max-connections', integer({ min: 1 }), {
      default: 10000,
      doc: 'client connections over all listeners',
    }),
    autoReload: setting('auto-reload', flag, {
      default: false,
      doc: 'load the configuration again when a file changes',
    }),
    routeCacheSize: setting('route-cache-size', integer({ min: 1, max: 1_000_000 }), {
      default: 1000,
      level: 'may',
      doc: 'routing decisions remembered',
    }),
  },
  {
    unsupported: {
      daemon: 'running in the background; a service manager does that',
      'pid-file': 'a file with the process id',
      user: 'changing the user after the start',
      group: 'changing the group after the start',
      'working-directory': 'changing the directory at the start',
    },
  },
);

/** `limits`. */
export const limits: Block<LimitsConfig> = block(
  {
    maxHeaderBytes: setting('max-header-size', bytes({ min: 1 }), {
      default: 8192,
      aliases: ['max-header-size-bytes'],
      doc: 'names and values of all headers of a request; beyond it 431',
    }),
    maxHeaderCount: setting('max-header-count', integer({ min: 1 }), {
      default: 100,
      doc: 'headers of a request; beyond it 400',
    }),
    maxHeaderNameBytes: setting('max-header-name-bytes', bytes({ min: 1 }), {
      default: 256,
      doc: 'name of one header; beyond it 431',
    }),
    maxHeaderValueBytes: setting('max-header-value-bytes', bytes({ min: 1 }), {
      default: 4096,
      doc: 'value of one header; beyond it 431',
    }),
    maxTargetBytes: setting('max-target-bytes', bytes({ min: 1 }), {
      default: 8192,
      level: 'may',
      doc: 'path and query of a request; beyond it 414',
    }),
    maxBodyBytes: setting('max-body-size', bytes(), {
      default: 10485760,
      aliases: ['max-body-size-bytes'],
      doc: 'body of a request; beyond it 413',
    }),
    maxBodyBufferBytes: setting('max-body-buffer-bytes', bytes(), {
      default: 1048576,
      doc: 'what is held of a body that must be held whole, for agents too; beyond it 413',
    }),
    maxConnectionsPerClient: setting('max-connections-per-client', integer({ min: 1 }), {
      default: 100,
      doc: 'connections of one client address',
    }),
    maxTotalConnections: setting('max-total-connections', integer({ min: 1 }), {
      default: 10000,
      doc: 'client connections; beyond it 503',
    }),
    maxInFlightRequests: setting('max-in-flight-requests', integer({ min: 1 }), {
      default: 10000,
      doc: 'requests in progress; beyond it 503',
    }),
    maxAgentResponseBytes: setting('max-agent-response-bytes', bytes({ min: 1 }), {
      default: 10240,
      doc: 'one answer of an agent; beyond it the call has failed',
    }),
    maxAgentQueueDepth: setting('max-agent-queue-depth', integer({ min: 1 }), {
      default: 100,
      doc: 'calls of each thread that wait for one agent; beyond it the call has failed',
    }),
  },
  {
    unsupported: {
      'max-body-inspection-bytes': 'bodies sent to agents; see max-request-body-bytes of the agent',
      'max-agent-body-bytes': 'bodies sent to agents; see max-request-body-bytes of the agent',
      'max-decompression-ratio': 'inspection of compressed bodies',
      'max-decompressed-size-bytes': 'inspection of compressed bodies',
      'max-connections-per-route': 'connections of one route',
      'max-idle-connections-per-upstream': 'see connection-pool of the upstream',
      'max-in-flight-requests-per-worker': 'requests of one thread',
      'max-queued-requests': 'requests that wait',
      'max-requests-per-second-global': 'see rate-limits',
      'max-requests-per-second-per-client': 'see rate-limits',
      'max-requests-per-second-per-route': 'see rate-limits',
      'max-memory-bytes': 'memory of the process',
      'max-memory-percent': 'memory of the process',
    },
  },
);

/** Requests a second; fractions are slower than one. */
export const requestRate = decimal({ min: 0.001, max: 1e9 });

/** How many requests may come at once. */
export const burstSize = integer({ min: 1 });

const globalRate: Block<RateConfig> = block({
  requestsPerSecond: required('max-rps', requestRate, { doc: 'requests a second', example: 'max-rps 10000' }),
  burst: setting('burst', burstSize, { default: 10, doc: 'requests at once' }),
  key: setting('key', rateLimitKey, { default: 'client-ip', doc: 'what requests are told apart by' }),
});

/** `rate-limits`. */
export const rateLimits: Block<RateLimitsConfig> = block(
  {
    requestsPerSecond: optional('default-rps', requestRate, { doc: 'requests a second, for routes without a rate' }),
    burst: setting('default-burst', burstSize, { default: 10, doc: 'requests at once, for routes without a rate' }),
    key: setting('key', rateLimitKey, { default: 'client-ip', doc: 'what requests are told apart by' }),
    global: child('global', globalRate, {
      doc: 'a rate over all routes and for requests that no route takes; of each client, unless its key says otherwise',
    }),
  },
  {},
  ({ requestsPerSecond, burst, key, global }) => ({
    ...(requestsPerSecond === undefined ? {} : { perRoute: { requestsPerSecond, burst, key } }),
    ...(global === undefined ? {} : { global }),
  }),
);
