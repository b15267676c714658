/**
 * The two span profiles codecs are measured with, as OTLP request bytes made by protobufjs from a fixed seed: *light* (6 attributes, about
 * 230 wire bytes a span) and *rich* (15 attributes, an event in ten spans, about 600 bytes).
 */

/** A profile's name. */
export type ProfileName = 'light' | 'rich';

/** Plain objects in the shape protobufjs encodes. */
export type Message = Record<string, unknown>;

/** Numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const text = (key: string, value: string): Message => ({ key, value: { stringValue: value } });
const integer = (key: string, value: number): Message => ({ key, value: { intValue: value } });
const double = (key: string, value: number): Message => ({ key, value: { doubleValue: value } });
const bool = (key: string, value: boolean): Message => ({ key, value: { boolValue: value } });

type Pick = <T>(values: readonly T[]) => T;

const ROUTES = ['users', 'orders', 'carts', 'payments', 'stock', 'search'];
const TABLES = ['users', 'orders', 'order_items', 'sessions', 'ledger'];

/** A request of `spans` spans of one service. */
export function profileRequest(profile: ProfileName, spans: number, seed: number): Message {
  const random = seededRandom(seed);
  const pick: Pick = (values) => values[Math.floor(random() * values.length)]!;
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const service = `service-${Math.floor(random() * random() * 40)}`;
  const list: Message[] = [];
  let traceId = bytes(16);
  let parent: Uint8Array | undefined;
  let startNano = 1_795_219_546_000_000_000n;
  for (let i = 0; i < spans; i++) {
    if (i % 10 === 0) {
      traceId = bytes(16);
      parent = undefined;
    }
    const spanId = bytes(8);
    startNano += BigInt(Math.floor(random() * 1e6));
    const route = `/api/${pick(ROUTES)}/{id}`;
    const status = random() < 0.02 ? 500 : 200;
    const attributes = i % 3 === 2 ? databaseAttributes(random, pick) : httpAttributes(random, pick, route, status);
    if (profile === 'rich') attributes.push(...furtherAttributes(random));
    list.push({
      traceId,
      spanId,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name: i % 3 === 2 ? `SELECT ${pick(TABLES)}` : `${pick(['GET', 'POST'])} ${route}`,
      kind: i % 3 === 2 ? 3 : 2,
      startTimeUnixNano: startNano.toString(),
      endTimeUnixNano: (startNano + BigInt(Math.floor(Math.exp(random() * 12) * 1000))).toString(),
      attributes,
      events: profile === 'rich' && i % 10 === 0 ? [exceptionEvent(startNano)] : [],
      status: status === 500 ? { code: 2, message: 'internal error' } : {},
      flags: 0x101,
    });
    parent ??= spanId;
  }
  return {
    resourceSpans: [
      { resource: resource(service), scopeSpans: [{ scope: { name: 'http', version: '1.4.0' }, spans: list }] },
    ],
  };
}

function resource(service: string): Message {
  return {
    attributes: [
      text('service.name', service),
      text('service.version', '2.3.1'),
      text('deployment.environment.name', 'production'),
      text('k8s.pod.name', `${service}-7d4b9c6f5-x2x9q`),
      text('k8s.namespace.name', 'shop'),
      text('telemetry.sdk.language', 'nodejs'),
      text('telemetry.sdk.name', 'opentelemetry'),
      integer('process.pid', 4711),
    ],
  };
}

function httpAttributes(random: () => number, pick: Pick, route: string, status: number): Message[] {
  return [
    text('http.method', pick(['GET', 'POST', 'PUT'])),
    text('http.route', route),
    integer('http.status_code', status),
    text('user.id', String(Math.floor(random() * 1e6))),
    text('net.peer.name', 'shop.internal'),
    integer('net.peer.port', 8443),
  ];
}

function databaseAttributes(random: () => number, pick: Pick): Message[] {
  const table = pick(TABLES);
  return [
    text('db.system', 'postgresql'),
    text('db.name', 'shop'),
    text('db.statement', `SELECT * FROM ${table} WHERE id = $1`),
    text('db.sql.table', table),
    text('net.peer.name', 'db-0.internal'),
    integer('db.rows', Math.floor(random() * 100)),
  ];
}

function furtherAttributes(random: () => number): Message[] {
  return [
    text('enduser.id', `user-${Math.floor(random() * 1e7)}`),
    text('order.id', `ord-${Math.floor(random() * 2 ** 32).toString(36)}-${Math.floor(random() * 1e6)}`),
    text('client.address', `10.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}.7`),
    text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36'),
    text('network.protocol.version', '1.1'),
    double('queue.wait_seconds', random()),
    bool('cache.hit', random() < 0.7),
    text('feature.flag', random() < 0.5 ? 'checkout-v2' : 'checkout-v1'),
    integer('thread.id', 12 + Math.floor(random() * 8)),
  ];
}

function exceptionEvent(startNano: bigint): Message {
  return {
    timeUnixNano: (startNano + 1000n).toString(),
    name: 'exception',
    attributes: [
      text('exception.type', 'TimeoutError'),
      text('exception.message', 'the upstream did not answer within 1,500 ms'),
      text(
        'exception.stacktrace',
        'TimeoutError: the upstream did not answer\n    at request (client.js:211:13)\n    at run (app.js:90:7)',
      ),
    ],
  };
}
