/** A port that Clew wants, and what for. */
export interface WantedPort {
  readonly port: number;
  readonly transport: 'tcp' | 'udp';
  readonly purpose: string;
  /** True when Clew cannot start without it. */
  readonly required: boolean;
}

/** Parts of the built-in configuration that are left out, with a warning, when their port is taken. */
export type OptionalPart = keyof typeof optionalParts;

/** What listens on an optional port, and what is lost without it. */
interface PartDescription {
  /** Where the built-in configuration has the endpoint. */
  readonly path: readonly string[];
  readonly port: number;
  readonly transport: 'tcp' | 'udp';
  readonly purpose: string;
  /** What somebody who used it can do instead; a sentence's second half. */
  readonly instead: string;
}

const jaeger = ['receivers', 'jaeger', 'protocols'] as const;

/** In the order of the configuration. */
export const optionalParts = {
  jaeger_grpc: {
    path: [...jaeger, 'grpc', 'endpoint'],
    port: 14250,
    transport: 'tcp',
    purpose: 'Jaeger gRPC',
    instead: 'Jaeger agents and collectors cannot send by gRPC',
  },
  jaeger_thrift_http: {
    path: [...jaeger, 'thrift_http', 'endpoint'],
    port: 14268,
    transport: 'tcp',
    purpose: 'Jaeger Thrift over HTTP',
    instead: 'Jaeger clients cannot send over HTTP',
  },
  jaeger_thrift_compact: {
    path: [...jaeger, 'thrift_compact', 'endpoint'],
    port: 6831,
    transport: 'udp',
    purpose: 'Jaeger Thrift datagrams',
    instead: 'Jaeger clients cannot send datagrams to it',
  },
  jaeger_thrift_binary: {
    path: [...jaeger, 'thrift_binary', 'endpoint'],
    port: 6832,
    transport: 'udp',
    purpose: 'Jaeger Thrift datagrams',
    instead: 'Jaeger clients cannot send datagrams to it',
  },
  jaeger_thrift_zipkin_compact: {
    path: [...jaeger, 'thrift_zipkin_compact', 'endpoint'],
    port: 5775,
    transport: 'udp',
    purpose: 'Jaeger Thrift datagrams of old clients',
    instead: 'old Jaeger clients cannot send datagrams to it',
  },
  zipkin: {
    path: ['receivers', 'zipkin', 'endpoint'],
    port: 9411,
    transport: 'tcp',
    purpose: 'Zipkin',
    instead: 'Zipkin clients cannot send',
  },
  remote_sampling_http: {
    path: ['extensions', 'remote_sampling', 'http', 'endpoint'],
    port: 5778,
    transport: 'tcp',
    purpose: 'sampling strategies over HTTP',
    instead: 'clients that ask there are not told how much to sample',
  },
  remote_sampling_grpc: {
    path: ['extensions', 'remote_sampling', 'grpc', 'endpoint'],
    port: 5779,
    transport: 'tcp',
    purpose: 'sampling strategies over gRPC',
    instead: 'clients that ask there are not told how much to sample',
  },
  health_check: {
    path: ['extensions', 'health_check', 'endpoint'],
    port: 13133,
    transport: 'tcp',
    purpose: 'health check',
    instead: 'there is no health check on it; /healthz and /readyz on the query port work',
  },
} as const satisfies Readonly<Record<string, PartDescription>>;

/** Every optional part. */
export const optionalPartNames = Object.keys(optionalParts) as readonly OptionalPart[];

/** The ports of the all-in-one with its built-in configuration. */
export const allInOnePorts: readonly WantedPort[] = [
  { port: 4317, transport: 'tcp', purpose: 'OTLP gRPC', required: true },
  { port: 4318, transport: 'tcp', purpose: 'OTLP HTTP', required: true },
  { port: 16686, transport: 'tcp', purpose: 'page and query API', required: true },
  { port: 8888, transport: 'tcp', purpose: 'own metrics', required: false },
  ...optionalPartNames.map((part) => {
    const { port, transport, purpose } = optionalParts[part];
    return { port, transport, purpose, required: false };
  }),
];
