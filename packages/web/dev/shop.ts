import { bool, int, text } from './spans.ts';
import type { FakeSpan, FakeTrace } from './spans.ts';
import type { Random } from './random.ts';

const ms = 1e6;
const stack = `PaymentDeclined: issuer refused the charge (code 51)
    at ChargeClient.charge (/srv/payment/src/charge-client.ts:88:13)
    at async PaymentService.pay (/srv/payment/src/payment-service.ts:41:20)
    at async Handler.handle (/srv/payment/node_modules/fastify/lib/handle-request.js:156:5)
    at async Queue.run (/srv/payment/src/queue.ts:19:7)`;

/** Builds the spans of one trace; every call appends one and gives it back. */
class Builder {
  readonly spans: FakeSpan[] = [];
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  add(
    parent: FakeSpan | undefined,
    service: string,
    name: string,
    kind: number,
    startNano: number,
    durationNano: number,
    attributes: FakeSpan['attributes'] = [],
  ): FakeSpan {
    const span: FakeSpan = {
      spanId: this.random.hex(16),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      service,
      name,
      kind,
      startNano: Math.round(startNano),
      durationNano: Math.round(durationNano),
      status: { code: 0 },
      attributes,
      events: [],
      links: [],
    };
    this.spans.push(span);
    return span;
  }

  /** A client span with its server span inside, a little network on both sides. */
  call(parent: FakeSpan, service: string, route: string, startNano: number, durationNano: number): FakeSpan {
    const [method = 'GET', path = '/'] = route.split(' ');
    const network = Math.min(durationNano * 0.12, 0.9 * ms) * (0.6 + this.random.next());
    const client = this.add(parent, parent.service, method, 3, startNano, durationNano, [
      text('http.request.method', method),
      text('server.address', `${service}.shop.svc`),
      int('server.port', 8080),
      text('url.full', `http://${service}.shop.svc:8080${path.replace(/\{\w+\}/g, String(this.random.int(9e6)))}`),
      int('http.response.status_code', 200),
    ]);
    return this.add(client, service, route, 2, startNano + network, durationNano - 2 * network, [
      text('http.request.method', method),
      text('http.route', path),
      int('http.response.status_code', 200),
      text('network.protocol.version', '1.1'),
    ]);
  }

  query(parent: FakeSpan, statement: string, startNano: number, durationNano: number, rows = 1): FakeSpan {
    const operation = statement.split(' ', 1)[0] ?? 'SELECT';
    return this.add(
      parent,
      parent.service,
      `${operation} ${/(?:FROM|INTO|UPDATE) (\w+)/.exec(statement)?.[1] ?? ''}`,
      3,
      startNano,
      durationNano,
      [
        text('db.system.name', 'postgresql'),
        text('db.namespace', parent.service),
        text('db.operation.name', operation),
        text('db.query.text', statement),
        text('server.address', 'pg-1.shop.svc'),
        int('db.response.returned_rows', rows),
      ],
    );
  }

  fail(span: FakeSpan, message: string, exception = false): void {
    span.status = { code: 2, message };
    if (!exception) return;
    span.events.push({
      timeUnixNano: String(span.startNano + Math.round(span.durationNano * 0.9)),
      name: 'exception',
      attributes: [
        text('exception.type', 'PaymentDeclined'),
        text('exception.message', message),
        text('exception.stacktrace', stack),
      ],
      droppedAttributes: 0,
    });
  }
}

function authAndUser(shop: Builder, root: FakeSpan, slowQuery: boolean, cacheMiss: boolean): number {
  const { random } = shop;
  const auth = shop.call(root, 'auth', 'POST /verify', 1.2 * ms, random.duration(14 * ms));
  shop.add(auth, 'auth', 'verify token', 1, auth.startNano + 0.4 * ms, auth.durationNano * 0.7, [
    text('enduser.id', `u-${random.int(100_000)}`),
    text('jwt.alg', 'RS256'),
  ]);
  const userStart = auth.startNano + auth.durationNano + 2 * ms;
  const dbTime = slowQuery ? 1400 * ms : random.duration(9 * ms);
  const user = shop.call(root, 'user', 'GET /users/{id}', userStart, dbTime + 14 * ms);
  const cache = shop.add(user, 'user', 'GET user cache', 3, user.startNano + 1 * ms, random.duration(1.3 * ms), [
    text('db.system.name', 'redis'),
    text('db.operation.name', 'GET'),
    bool('cache.hit', !cacheMiss && !slowQuery),
  ]);
  if (cacheMiss || slowQuery) {
    shop.query(
      user,
      'SELECT id, email, plan, address FROM users WHERE email = $1 ORDER BY created_at DESC LIMIT 1',
      cache.startNano + cache.durationNano + 0.5 * ms,
      dbTime,
    );
  }
  return user.startNano + user.durationNano + 1.5 * ms;
}

function orderWithItems(shop: Builder, root: FakeSpan, startNano: number): FakeSpan {
  const { random } = shop;
  const items = 3 + random.int(6);
  const order = shop.call(root, 'order', 'POST /orders', startNano, (28 + items * 5) * ms);
  let at = order.startNano + 1 * ms;
  shop.query(order, 'INSERT INTO orders (user_id, total) VALUES ($1, $2) RETURNING id', at, 6 * ms);
  at += 7 * ms;
  for (let i = 0; i < items; i++) {
    const span = shop.query(order, 'SELECT price FROM products WHERE id = $1', at, random.duration(3.4 * ms));
    at += span.durationNano + 0.4 * ms;
  }
  return order;
}

function pay(shop: Builder, root: FakeSpan, startNano: number, failures: number, gaveUp: boolean): number {
  let at = startNano;
  for (let attempt = 0; attempt <= failures; attempt++) {
    const failed = attempt < failures || gaveUp;
    const time = failed ? 1500 * ms : shop.random.duration(90 * ms);
    const server = shop.call(root, 'payment', 'POST /charges', at, time);
    server.attributes.push(int('payment.attempt', attempt + 1), text('payment.provider', 'acme-pay'));
    if (failed) shop.fail(server, 'issuer refused the charge (code 51)', true);
    at += time + (failed ? 20 * ms * 2 ** attempt : 2 * ms);
  }
  return at;
}

function notify(shop: Builder, root: FakeSpan, startNano: number): void {
  const producer = shop.add(root, 'gateway', 'send orders.created', 4, startNano, 1.8 * ms, [
    text('messaging.system', 'kafka'),
    text('messaging.destination.name', 'orders.created'),
    int('messaging.kafka.offset', 9_007_199_254_740_993n),
  ]);
  const consumer = shop.add(producer, 'notification', 'process orders.created', 5, startNano + 26 * ms, 24 * ms, [
    text('messaging.system', 'kafka'),
    text('messaging.destination.name', 'orders.created'),
    text('messaging.consumer.group.name', 'mailer'),
  ]);
  consumer.links.push({
    traceId: shop.random.hex(32),
    spanId: shop.random.hex(16),
    flags: 1,
    attributes: [text('link.reason', 'batch')],
    droppedAttributes: 0,
  });
  shop.add(consumer, 'notification', 'render mail', 1, consumer.startNano + 2 * ms, 6 * ms);
  const mail = shop.add(consumer, 'notification', 'POST', 3, consumer.startNano + 9 * ms, 13 * ms, [
    text('server.address', 'api.mail.example'),
    int('http.response.status_code', 202),
  ]);
  mail.events.push({
    timeUnixNano: String(mail.startNano + 4 * ms),
    name: 'mail.accepted',
    attributes: [text('mail.id', shop.random.hex(12))],
    droppedAttributes: 0,
  });
}

const rootAttributes = (random: Random): FakeSpan['attributes'] => [
  text('http.request.method', 'POST'),
  text('http.route', '/checkout'),
  text('url.scheme', 'https'),
  text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0'),
  text('client.address', `203.0.113.${random.int(255)}`),
  int('http.response.status_code', 200),
];

/** The stories the shop tells, with how often each happens. */
const stories = [
  'normal',
  'normal',
  'normal',
  'normal',
  'browse',
  'browse',
  'browse',
  'cache_miss',
  'slow_query',
  'retry',
  'declined',
] as const;

/** One request to the shop. */
export function shopTrace(random: Random, startUnixNano: bigint, wanted?: string): FakeTrace {
  const story = wanted ?? random.pick(stories);
  const shop = new Builder(random);
  const isBrowse = story === 'browse';
  const root = shop.add(
    undefined,
    'gateway',
    isBrowse ? 'GET /products/{id}' : 'POST /checkout',
    2,
    0,
    0,
    rootAttributes(random),
  );
  let at = authAndUser(shop, root, story === 'slow_query', story === 'cache_miss');
  if (isBrowse) {
    const catalog = shop.call(root, 'catalog', 'GET /products/{id}', at, random.duration(34 * ms));
    shop.query(catalog, 'SELECT * FROM products WHERE id = $1', catalog.startNano + 2 * ms, catalog.durationNano * 0.6);
    at = catalog.startNano + catalog.durationNano + 2 * ms;
  } else {
    const order = orderWithItems(shop, root, at);
    at = pay(
      shop,
      root,
      order.startNano + order.durationNano + 2 * ms,
      story === 'retry' ? 2 : 0,
      story === 'declined',
    );
    if (story !== 'declined') notify(shop, root, at);
    else shop.fail(root, 'payment declined');
    at += 6 * ms;
  }
  root.durationNano = Math.round(at + random.duration(3 * ms));
  return { traceId: random.hex(32), startUnixNano, spans: shop.spans, story };
}
