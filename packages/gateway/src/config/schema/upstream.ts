import type { Named } from '../model/named.ts';
import type {
  ConnectionPoolConfig,
  HealthCheckConfig,
  HealthProbe,
  TargetConfig,
  UpstreamConfig,
  UpstreamTimeouts,
} from '../model/upstream.ts';
import { serverAddress, urlPath } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { variant } from '../table/collections.ts';
import { child, children, list, optional, required, section, setting } from '../table/field.ts';
import { bytes, duration, integer, oneOf, word } from '../table/value-type.ts';
import { circuitBreaker, clientTls, statusCode } from './shared.ts';

const target: Block<TargetConfig> = block(
  {
    address: required('address', serverAddress, {
      level: 'must',
      doc: 'host and port',
      example: 'target "127.0.0.1:3000"',
    }),
    weight: setting('weight', integer({ min: 1, max: 1_000_000 }), {
      default: 1,
      level: 'must',
      doc: 'share of requests against the other targets',
    }),
  },
  {
    positional: ['address'],
    unsupported: { 'max-requests': 'requests at once to one target', metadata: 'notes about a target' },
  },
  ({ address, weight }) => ({ ...address, weight }),
);

const targets: Block<readonly TargetConfig[]> = block(
  { targets: children('target', target, { level: 'must', doc: 'a server' }) },
  {},
  ({ targets: read }) => read,
);

const httpProbe: Block<HealthProbe> = block(
  {
    path: setting('path', urlPath, { default: '/health', level: 'must', doc: 'path asked for with GET' }),
    // Written as text as often as as a number.
    expectedStatuses: list('expected-status', statusText(), { default: [200], doc: 'statuses that mean healthy' }),
    host: setting('host', word, { default: 'localhost', doc: 'Host header of the probe' }),
  },
  {},
  (values) => ({ kind: 'http', ...values }),
);

function statusText() {
  return {
    label: statusCode.label,
    read: (value: Parameters<typeof statusCode.read>[0]) => {
      const { value: written } = value;
      const number = typeof written === 'string' && /^\d{3}$/.test(written) ? Number(written) : written;
      return statusCode.read({ ...value, value: number });
    },
  };
}

const tcpProbe: Block<HealthProbe> = block({}, {}, () => ({ kind: 'tcp' }));

const healthCheck: Block<HealthCheckConfig> = block(
  {
    probe: variant(
      'type',
      {
        variants: { http: httpProbe, tcp: tcpProbe },
        unsupported: { grpc: 'tcp', inference: 'tcp' },
        default: 'tcp',
      },
      { level: 'must', doc: 'what is asked of a target' },
    ),
    intervalMs: setting('interval-secs', duration('seconds', { min: 1 }), {
      default: 10,
      level: 'must',
      doc: 'time between two probes; the first runs at the start',
    }),
    timeoutMs: setting('timeout-secs', duration('seconds', { min: 1 }), {
      default: 5,
      doc: 'for connecting and answering',
    }),
    healthyThreshold: setting('healthy-threshold', integer({ min: 1 }), {
      default: 2,
      doc: 'successes in a row that make a target healthy',
    }),
    unhealthyThreshold: setting('unhealthy-threshold', integer({ min: 1 }), {
      default: 3,
      doc: 'failures in a row that make a target unhealthy',
    }),
  },
  {},
  ({ probe, ...rest }) => ({ probe: probe ?? { kind: 'tcp' }, ...rest }),
);

const timeouts: Block<UpstreamTimeouts> = block({
  connectMs: setting('connect-secs', duration('seconds', { min: 1 }), {
    default: 10,
    aliases: ['connect'],
    doc: 'until connected',
  }),
  requestMs: setting('request-secs', duration('seconds', { min: 1 }), {
    default: 60,
    aliases: ['request'],
    doc: 'for the whole exchange',
  }),
  readMs: setting('read-secs', duration('seconds', { min: 1 }), {
    default: 30,
    aliases: ['read'],
    doc: 'between two reads',
  }),
  writeMs: setting('write-secs', duration('seconds', { min: 1 }), {
    default: 30,
    aliases: ['write'],
    doc: 'between two writes',
  }),
});

const connectionPool: Block<ConnectionPoolConfig> = block({
  maxConnections: setting('max-connections', integer({ min: 1 }), {
    default: 100,
    doc: 'connections of each thread to one target',
  }),
  maxIdle: setting('max-idle', integer({ min: 0 }), {
    default: 20,
    doc: 'of these, kept open without a request, for each thread',
  }),
  idleTimeoutMs: setting('idle-timeout-secs', duration('seconds'), {
    default: 60,
    aliases: ['idle-timeout'],
    doc: 'how long a connection is kept open without a request',
  }),
  maxLifetimeMs: optional('max-lifetime-secs', duration('seconds', { min: 1 }), {
    aliases: ['max-lifetime'],
    doc: 'how long a connection is used at all',
  }),
});

/** Names of methods that choose a target and are read as the plainest one. */
const otherBalancing = {
  power_of_two_choices: 'round_robin',
  p2c: 'round_robin',
  sticky: 'round_robin',
  maglev: 'consistent_hash',
  peak_ewma: 'least_connections',
  adaptive: 'least_connections',
  locality_aware: 'round_robin',
  deterministic_subset: 'round_robin',
  weighted_least_connections: 'least_connections',
  wlc: 'least_connections',
  least_tokens_queued: 'least_connections',
} as const;

/** `upstream`. */
export const upstream: Block<Omit<UpstreamConfig, keyof Named>> = block(
  {
    direct: children('target', target, { level: 'must', doc: 'a server; repeatable' }),
    wrapped: section('targets', targets, { level: 'must', doc: 'servers', repeatable: true }),
    address: children('address', target, { level: 'must', doc: 'the only server, in short' }),
    loadBalancing: setting(
      'load-balancing',
      oneOf(['round_robin', 'least_connections', 'weighted', 'ip_hash', 'random', 'consistent_hash'], {
        aliases: { weighted_round_robin: 'weighted' },
        unsupported: otherBalancing,
      }),
      { default: 'round_robin', doc: 'how a target is chosen; each thread chooses by what it knows itself' },
    ),
    healthCheck: child('health-check', healthCheck, { level: 'must', doc: 'probes that tell whether targets live' }),
    timeouts: section('timeouts', timeouts, { doc: 'how long targets may take' }),
    connectionPool: section('connection-pool', connectionPool, { doc: 'connections to targets' }),
    maxResponseHeadBytes: setting('max-response-head-bytes', bytes({ min: 1 }), {
      default: 65536,
      level: 'may',
      doc: 'status line and headers of a response, with those of interim responses before it; beyond it 502',
    }),
    circuitBreaker: child('circuit-breaker', circuitBreaker, { doc: 'stops asking an upstream that only fails' }),
    tls: child('tls', clientTls, { doc: 'targets are spoken to over TLS' }),
  },
  {
    unsupported: {
      'http-version': 'versions of HTTP spoken to targets',
      discovery: 'targets from DNS, Consul or Kubernetes; a host name as target is resolved again and again anyway',
      sticky: 'sessions that stay with a target',
      'sticky-session': 'sessions that stay with a target',
    },
  },
  ({ direct, wrapped, address, ...rest }, node, reader) => {
    const all = [...direct, ...wrapped, ...address];
    if (all.length === 0) {
      return reader.error('missing', 'there is no target', node.position, 'add: target "127.0.0.1:3000"');
    }
    return { targets: all, ...rest };
  },
);
