import { SpanKind, plainResource, type PlainResource } from '@clew/model';
import { Random } from './random.ts';

/**
 * The make-believe company whose spans are generated: 40 services with 15 operations each. What is the same for every span of an
 * operation is written down here; what varies (`Varying`) is drawn per span.
 */

/** Values drawn per span. */
export const Varying = Object.freeze({
  STATUS: 0,
  PATH: 1,
  USER: 2,
  ORDER: 3,
  CLIENT: 4,
  BODY_SIZE: 5,
  RATIO: 6,
  CACHE_HIT: 7,
  STATEMENT: 8,
  MESSAGE_ID: 9,
} as const);
export type Varying = (typeof Varying)[keyof typeof Varying];

/** One attribute of an operation: a fixed value, or the kind of value to draw. */
export type OperationAttribute =
  { readonly key: string; readonly value: string | bigint } | { readonly key: string; readonly vary: Varying };

/** What spans of one name look like. */
export interface Operation {
  readonly name: string;
  readonly kind: number;
  /** First part of paths and statements; the drawn part follows. */
  readonly stem: string;
  readonly attributes: readonly OperationAttribute[];
}

/** A service: its resource, the library that made its spans, and what it does. */
export interface Service {
  readonly name: string;
  readonly resource: PlainResource;
  readonly scopeName: string;
  readonly operations: readonly Operation[];
}

/** Span profiles: light has 6 attributes (about 230 wire bytes a span), rich 15 and an event in ten (about 600). */
export type SpanProfile = 'light' | 'rich';

export const SERVICE_COUNT = 40;
const OPERATIONS_PER_SERVICE = 15;

const nouns = ['order', 'cart', 'user', 'payment', 'stock', 'price', 'search', 'mail', 'invoice', 'session'];
const roles = ['service', 'api', 'worker', 'gateway'];
const verbs = ['list', 'get', 'create', 'update', 'cancel'];
const languages = ['go', 'java', 'nodejs', 'python'];

/** The services of a profile, most used first. The same every time. */
export function makeServices(profile: SpanProfile): readonly Service[] {
  const random = new Random(40);
  return Array.from({ length: SERVICE_COUNT }, (_, index) => makeService(profile, index, random));
}

function makeService(profile: SpanProfile, index: number, random: Random): Service {
  const noun = nouns[index % nouns.length]!;
  const name = `${noun}-${roles[Math.floor(index / nouns.length)]!}`;
  const usesOldNames = index % 2 === 1;
  const pod = random.word().toString(36);
  const language = languages[index % languages.length]!;
  return {
    name,
    resource: plainResource({
      'service.name': name,
      'service.version': `${1 + (index % 5)}.${index}.0`,
      'service.instance.id': `${name}-${pod}`,
      'host.name': `node-${index % 12}`,
      'k8s.pod.name': `${name}-6d4cf56db6-${pod}`,
      [usesOldNames ? 'deployment.environment' : 'deployment.environment.name']: 'production',
      'telemetry.sdk.language': language,
      'telemetry.sdk.version': '2.12.0',
    }),
    scopeName: `io.opentelemetry.${language}.http`,
    operations: Array.from({ length: OPERATIONS_PER_SERVICE }, (_, i) =>
      makeOperation({ profile, noun, generation: 1 + Math.floor(index / nouns.length), old: usesOldNames }, i),
    ),
  };
}

/** What the operations of a service have in common. */
interface Traits {
  readonly profile: SpanProfile;
  readonly noun: string;
  /** Tells services of the same noun apart. */
  readonly generation: number;
  /** Whether its instrumentation writes the older attribute names. */
  readonly old: boolean;
}

/** Of 15 operations 7 answer requests, 3 call others, 4 ask a database, 1 publishes. */
function makeOperation(traits: Traits, index: number): Operation {
  if (index < 7) return httpOperation(traits, SpanKind.SERVER, index);
  if (index < 10) return httpOperation(traits, SpanKind.CLIENT, index);
  return index < 14 ? databaseOperation(traits, index) : messageOperation(traits);
}

function httpOperation({ profile, noun, generation, old }: Traits, kind: number, index: number): Operation {
  const verb = verbs[index % verbs.length]!;
  const path = `/v${generation}/${noun}s${index >= verbs.length ? `/${verbs[(index + 2) % verbs.length]!}-${index}` : ''}`;
  const method = { list: 'GET', get: 'GET', create: 'POST', update: 'PUT', cancel: 'DELETE' }[verb] ?? 'GET';
  const route = verb === 'list' ? path : `${path}/{id}`;
  const light: OperationAttribute[] = [
    { key: old ? 'http.method' : 'http.request.method', value: method },
    { key: old ? 'http.status_code' : 'http.response.status_code', vary: Varying.STATUS },
    { key: old ? 'http.target' : 'url.path', vary: Varying.PATH },
    { key: 'user.id', vary: Varying.USER },
    { key: 'order.id', vary: Varying.ORDER },
    { key: 'cache.hit', vary: Varying.CACHE_HIT },
  ];
  const rich: OperationAttribute[] = [
    ...light,
    { key: 'http.route', value: route },
    { key: old ? 'http.scheme' : 'url.scheme', value: 'https' },
    { key: old ? 'net.host.name' : 'server.address', value: `${noun}s.shop.example.com` },
    { key: old ? 'net.host.port' : 'server.port', value: 8443n },
    { key: old ? 'http.client_ip' : 'client.address', vary: Varying.CLIENT },
    {
      key: old ? 'http.user_agent' : 'user_agent.original',
      value: 'okhttp/4.12.0 (Linux; Android 14; shop 7.31)',
    },
    { key: old ? 'http.flavor' : 'network.protocol.version', value: '1.1' },
    { key: old ? 'http.request_content_length' : 'http.request.body.size', vary: Varying.BODY_SIZE },
    { key: 'app.load.ratio', vary: Varying.RATIO },
  ];
  return {
    name: `${method} ${route}`,
    kind,
    stem: verb === 'list' ? `${path}?page=` : `${path}/`,
    attributes: profile === 'rich' ? rich : light,
  };
}

function databaseOperation({ profile, noun, generation, old }: Traits, index: number): Operation {
  const table = `${noun}s`;
  const verb = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'][index % 4]!;
  const light: OperationAttribute[] = [
    { key: old ? 'db.system' : 'db.system.name', value: 'postgresql' },
    { key: old ? 'db.operation' : 'db.operation.name', value: verb },
    { key: old ? 'db.statement' : 'db.query.text', vary: Varying.STATEMENT },
    { key: 'user.id', vary: Varying.USER },
    { key: 'order.id', vary: Varying.ORDER },
    { key: 'cache.hit', vary: Varying.CACHE_HIT },
  ];
  const rich: OperationAttribute[] = [
    ...light,
    { key: old ? 'db.name' : 'db.namespace', value: 'shop' },
    { key: old ? 'db.sql.table' : 'db.collection.name', value: table },
    { key: old ? 'net.peer.name' : 'server.address', value: 'postgres-primary.db.svc.cluster.local' },
    { key: old ? 'net.peer.port' : 'server.port', value: 5432n },
    { key: 'db.client.connection.pool.name', value: `postgresql://postgres-primary:5432/${table}` },
    { key: 'db.response.returned_rows', vary: Varying.BODY_SIZE },
    { key: 'app.load.ratio', vary: Varying.RATIO },
    { key: 'thread.name', value: 'http-nio-8443-exec-7' },
    { key: 'code.function.name', value: `com.example.shop.${table}.Repository.findById` },
  ];
  return {
    name: `${verb} shop${generation}.${table}_${index}`,
    kind: SpanKind.CLIENT,
    stem: `${verb} ${table} WHERE id = `,
    attributes: profile === 'rich' ? rich : light,
  };
}

function messageOperation({ profile, noun, generation, old }: Traits): Operation {
  const light: OperationAttribute[] = [
    { key: 'messaging.system', value: 'kafka' },
    { key: old ? 'messaging.destination' : 'messaging.destination.name', value: `${noun}-events` },
    { key: old ? 'messaging.operation' : 'messaging.operation.type', value: 'publish' },
    { key: old ? 'messaging.message_id' : 'messaging.message.id', vary: Varying.MESSAGE_ID },
    { key: 'user.id', vary: Varying.USER },
    { key: 'order.id', vary: Varying.ORDER },
  ];
  const rich: OperationAttribute[] = [
    ...light,
    { key: 'messaging.destination.partition.id', value: '7' },
    { key: 'messaging.client.id', value: `producer-${noun}-1` },
    { key: 'messaging.kafka.message.key', vary: Varying.CLIENT },
    { key: 'messaging.message.body.size', vary: Varying.BODY_SIZE },
    { key: 'server.address', value: 'kafka-broker-2.kafka.svc.cluster.local' },
    { key: 'server.port', value: 9092n },
    { key: 'cache.hit', vary: Varying.CACHE_HIT },
    { key: 'app.load.ratio', vary: Varying.RATIO },
    { key: 'thread.name', value: 'kafka-producer-network-thread' },
  ];
  return {
    name: `${noun}-events-${generation} publish`,
    kind: SpanKind.PRODUCER,
    stem: `${noun}-`,
    attributes: profile === 'rich' ? rich : light,
  };
}

/** Attributes of the events that spans carry, apart from the drawn parts. */
export const exceptionTypes: readonly string[] = [
  'java.net.SocketTimeoutException',
  'java.lang.IllegalStateException',
  'org.postgresql.util.PSQLException',
  'io.grpc.StatusRuntimeException',
];

/** The stack trace of an exception type. */
export function stackTraceOf(type: string): string {
  const frames = [
    'shop.Checkout.pay(Checkout.java:118)',
    'shop.Orders.place(Orders.java:64)',
    'shop.Http.handle(Http.java:41)',
  ];
  return [type, ...frames.map((frame) => `\tat com.example.${frame}`)].join('\n');
}
