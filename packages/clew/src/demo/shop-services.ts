import type { Call, DemoValue } from './call.ts';
import type { Random } from './random.ts';

// What each service of the demo shop does. Attributes follow the OpenTelemetry semantic conventions.

type ServerDetails = Pick<Call, 'ownMs' | 'children' | 'error' | 'afterMs'> & {
  readonly attributes?: Readonly<Record<string, DemoValue>>;
};

/** The server side of an HTTP request. */
export function serverSpan(
  service: string,
  method: string,
  route: string,
  status: number,
  details: ServerDetails,
): Call {
  return {
    service,
    name: `${method} ${route}`,
    kind: 'server',
    ...details,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'url.scheme': 'http',
      ...details.attributes,
    },
  };
}

/** An HTTP call from one service to another, with the server side inside. */
function httpCall(from: string, server: Call, path: string, random: Random, extra: Partial<Call> = {}): Call {
  const method = server.attributes?.['http.request.method'] ?? 'GET';
  return {
    service: from,
    name: String(method),
    kind: 'client',
    ownMs: random.around(1.5, 0.5),
    children: [server],
    ...extra,
    attributes: {
      'http.request.method': method,
      'url.full': `http://${server.service}:8080${path}`,
      'server.address': server.service,
      'server.port': 8080,
      'http.response.status_code': server.attributes?.['http.response.status_code'] ?? 200,
      ...extra.attributes,
    },
  };
}

function query(service: string, operation: string, table: string, text: string, ms: number): Call {
  return {
    service,
    name: `${operation} ${table}`,
    kind: 'client',
    ownMs: ms,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.collection.name': table,
      'db.operation.name': operation,
      'db.query.text': text,
      'server.address': 'postgres',
      'server.port': 5432,
    },
  };
}

function cacheLookup(userId: number, hit: boolean, random: Random): Call {
  return {
    service: 'user-service',
    name: 'GET',
    kind: 'client',
    ownMs: random.around(5, 0.4),
    attributes: {
      'db.system.name': 'redis',
      'db.operation.name': 'GET',
      'db.query.text': `GET user:${userId}`,
      'server.address': 'redis',
      'server.port': 6379,
      'cache.hit': hit,
    },
    events: [{ name: hit ? 'cache.hit' : 'cache.miss', atShare: 0.9, attributes: { 'cache.key': `user:${userId}` } }],
  };
}

/** The gateway asks the auth service who is calling. */
export function authorize(random: Random): Call {
  const server = serverSpan('auth-service', 'POST', '/verify', 200, {
    ownMs: random.around(9, 0.5),
    children: [
      {
        service: 'auth-service',
        name: 'verify_token',
        kind: 'internal',
        ownMs: random.around(6, 0.5),
        attributes: { 'auth.method': 'jwt' },
      },
    ],
  });
  return httpCall('api-gateway', server, '/verify', random);
}

/** A catalogue read that touches one service and one query. */
export function browseCatalog(random: Random): Call {
  const server = serverSpan('catalog-service', 'GET', '/products', 200, {
    ownMs: random.around(8, 0.5),
    children: [
      query(
        'catalog-service',
        'SELECT',
        'products',
        'SELECT id, name, price FROM products WHERE category = $1 LIMIT 50',
        random.around(14, 0.6),
      ),
    ],
  });
  return httpCall('api-gateway', server, '/products', random);
}

function userRequest(random: Random, userId: number, children: Call[]): Call {
  const serialize: Call = {
    service: 'user-service',
    name: 'serialize',
    kind: 'internal',
    ownMs: random.around(8, 0.3),
  };
  const server = serverSpan('user-service', 'GET', '/users/{id}', 200, {
    ownMs: random.around(6, 0.4),
    attributes: { 'user.id': String(userId), 'url.path': `/users/${userId}` },
    children: [...children, serialize],
  });
  return httpCall('api-gateway', server, `/users/${userId}`, random);
}

const userByEmail = 'SELECT * FROM users WHERE email = $1';

/** The user is in the cache. */
export function loadUserFromCache(random: Random): Call {
  const userId = random.integer(1, 200_000);
  return userRequest(random, userId, [cacheLookup(userId, true, random)]);
}

/** The user is not in the cache; the database answers at its usual speed. */
export function loadUserFromDatabase(random: Random): Call {
  const userId = random.integer(1, 200_000);
  return userRequest(random, userId, [
    cacheLookup(userId, false, random),
    query('user-service', 'SELECT', 'users', userByEmail, random.around(80, 0.2)),
  ]);
}

/** The cache misses and the query scans the whole table: 1,400 ms. */
export function loadUserSlowly(random: Random): Call {
  const userId = random.integer(1, 200_000);
  const scan = query('user-service', 'SELECT', 'users', userByEmail, random.around(1400, 0.02));
  return userRequest(random, userId, [
    cacheLookup(userId, false, random),
    { ...scan, attributes: { ...scan.attributes, 'db.response.returned_rows': 1 } },
  ]);
}

/** The order service validates, stores and has the order paid; a notification follows over the queue. */
export function placeOrder(random: Random, charge: Call[], failed: boolean): Call {
  const orderId = `ord_${random.integer(100_000, 3_000_000)}`;
  const validate: Call = {
    service: 'order-service',
    name: 'validate_order',
    kind: 'internal',
    ownMs: random.around(7, 0.4),
    attributes: { 'order.id': orderId },
  };
  const insert = query(
    'order-service',
    'INSERT',
    'orders',
    'INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)',
    random.around(11, 0.5),
  );
  const server = serverSpan('order-service', 'POST', '/orders', failed ? 402 : 201, {
    ownMs: random.around(5, 0.4),
    attributes: { 'order.id': orderId, 'tenant.plan': random.pick(['free', 'silver', 'gold']) },
    children: [
      {
        service: 'order-service',
        name: 'process_order',
        kind: 'internal',
        ownMs: random.around(6, 0.4),
        attributes: { 'order.id': orderId, 'order.items': random.integer(1, 9) },
        children: [validate, insert, ...charge],
        ...(failed ? { error: 'payment declined' } : {}),
      },
      ...(failed ? [] : [publishOrder(random, orderId)]),
    ],
  });
  return httpCall('api-gateway', server, '/orders', random);
}

function publishOrder(random: Random, orderId: string): Call {
  const messaging = {
    'messaging.system': 'kafka',
    'messaging.destination.name': 'order-events',
    'messaging.message.id': `m-${orderId}`,
  };
  const notify: Call = {
    service: 'notification-service',
    name: 'process order-events',
    kind: 'consumer',
    detached: true,
    afterMs: random.around(25, 0.8),
    ownMs: random.around(6, 0.4),
    attributes: {
      ...messaging,
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': 'notifications',
    },
    children: [
      {
        service: 'notification-service',
        name: 'send_email',
        kind: 'client',
        ownMs: random.around(24, 0.5),
        attributes: { 'server.address': 'smtp', 'server.port': 587, 'email.template': 'order_confirmed' },
      },
    ],
  };
  return {
    service: 'order-service',
    name: 'publish order-events',
    kind: 'producer',
    ownMs: random.around(3, 0.5),
    attributes: { ...messaging, 'messaging.operation.type': 'send' },
    children: [notify],
  };
}

function chargeServer(random: Random, status: number, ms: number, details: Partial<ServerDetails> = {}): Call {
  return serverSpan('payment-service', 'POST', '/api/v1/charge', status, {
    ownMs: ms,
    attributes: {
      'payment.method': random.pick(['card', 'paypal', 'invoice']),
      'payment.amount': Math.round(random.around(99, 0.8) * 100) / 100,
    },
    ...details,
  });
}

/** The payment goes through. */
export function chargeCard(random: Random): Call {
  return httpCall('order-service', chargeServer(random, 200, random.around(45, 0.4)), '/api/v1/charge', random);
}

/** The bank says no: an error status without an exception, because it was to be expected. */
export function chargeDeclined(random: Random): Call {
  const server = chargeServer(random, 402, random.around(60, 0.3), { error: 'card declined: insufficient funds' });
  return httpCall('order-service', server, '/api/v1/charge', random, { error: 'payment service answered 402' });
}

/** Two attempts end in a timeout after 1.5 s each, the third succeeds as slowly. */
export function chargeWithRetries(random: Random): Call[] {
  return [0, 1, 2].map((attempt) => {
    const last = attempt === 2;
    const server = chargeServer(
      random,
      last ? 200 : 504,
      random.around(1490, 0.005),
      last ? {} : { error: 'payment provider did not answer' },
    );
    return httpCall('order-service', server, '/api/v1/charge', random, {
      ...(attempt > 0 ? { afterMs: 10 } : {}),
      attributes: attempt > 0 ? { 'http.request.resend_count': attempt } : {},
      ...(last
        ? {}
        : {
            error: 'upstream timed out after 1500 ms',
            events: [
              {
                name: 'exception',
                atShare: 0.99,
                attributes: {
                  'exception.type': 'TimeoutError',
                  'exception.message': 'upstream timed out after 1500 ms',
                  'exception.stacktrace':
                    'TimeoutError: upstream timed out after 1500 ms\n    at PaymentClient.charge (payment-client.js:88:11)\n    at async processOrder (orders.js:41:18)',
                },
              },
            ],
          }),
    });
  });
}
