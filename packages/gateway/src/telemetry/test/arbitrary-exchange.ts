import fc from 'fast-check';
import type { RouteConfig } from '../../config/model/route.ts';
import type { AttemptFailureReason, ClientConnection } from '../../proxy/exchange.ts';
import { Attempt, Exchange } from '../../proxy/exchange.ts';
import type { TraceStarter } from '../../proxy/observer.ts';

/** Connections, routes and targets that many exchanges share, so that what is remembered of one must not show in another. */
const connections: readonly ClientConnection[] = Array.from({ length: 6 }, (_, index) => ({
  listenerId: 'http',
  clientIp: index < 3 ? `192.0.2.${index}` : `2001:db8::${index}`,
  clientPort: 40_000 + index,
  localPort: 8080 + index,
  requests: 0,
  closing: false,
  ...(index % 2 === 0
    ? {}
    : { tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: '', handshakeMs: 1 } }),
}));
const routes = [undefined, { id: 'api' } as RouteConfig, { id: 'café' } as RouteConfig];

/** Text as heads are read: one character a byte. */
const bytes = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((list) => Buffer.from(list).toString('latin1'));
const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(bytes(maxLength), fc.string({ maxLength }), fc.string({ unit: 'binary', maxLength }));
/** Lengths around those at which lengths take another byte. */
const longText = fc
  .tuple(
    fc.constantFrom(20, 90, 110, 118, 120, 122, 124, 126, 127, 128, 129, 16_300, 16_384, 20_000),
    fc.nat({ max: 9 }),
  )
  .map(([length, more]) => 'é'.repeat(more) + 'x'.repeat(length));
const path = fc.oneof({ weight: 4, arbitrary: anyText(60).map((text) => `/${text}`) }, longText, fc.constant(''));
const method = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('GET', 'POST', 'QUERY', '') }, fc.constant('BREW'));
const status = fc.oneof(fc.constantFrom(0, 200, 200, 204, 404, 499, 500, 504, 999), fc.nat({ max: 2000 }));
const failureReason = fc.constantFrom<AttemptFailureReason | undefined>(
  undefined,
  'connection_refused',
  'read_timeout',
);

const attemptFields = fc.record({
  host: fc.constantFrom('127.0.0.1', '::1', 'backend.example'),
  port: fc.constantFrom(80, 3000),
  tls: fc.boolean(),
  upstreamId: fc.constantFrom('api-backend', 'other'),
  status,
  failure: failureReason,
  failureMessage: fc.oneof(fc.constant(''), anyText(300)),
  connectionReused: fc.boolean(),
  remoteAddress: fc.constantFrom('', '127.0.0.1:3000', '[::1]:80'),
});

const exchangeFields = fc.record({
  method,
  path,
  query: fc.oneof(fc.constant(''), anyText(40)),
  status,
  authority: fc.oneof(fc.constantFrom('', 'shop.example', 'shop.example:8080', '[2001:db8::1]:9', 'x:y'), anyText(30)),
  httpVersion: fc.constantFrom('1.0' as const, '1.1' as const, '2.0' as const),
  correlationId: fc.oneof(fc.constant('2Vf8QkJ1xYz'), anyText(200)),
  routePattern: fc.constantFrom('', '/api/', '^/(a|b)$'),
  upstreamId: fc.constantFrom('', 'api-backend', 'other'),
  end: fc.constantFrom('complete' as const, 'cut' as const, 'client_gone' as const),
  failure: fc.option(
    anyText(2000).map((message) => ({ status: 504, type: 'Timeout' as const, reason: 'upstream_timeout', message })),
    { nil: undefined },
  ),
  responseBodyBytes: fc.oneof(fc.nat({ max: 2000 }), fc.maxSafeNat()),
  rateLimitHit: fc.boolean(),
});

/** The context a request comes with. */
const inbound = fc.constantFrom<readonly string[]>(
  [],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'tracestate', 'vendor=1'],
  ['b3', '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1'],
);

/** Exchanges that have ended, of every kind; `starter` gives them ids. */
export function arbitraryExchange(starter: TraceStarter): fc.Arbitrary<Exchange> {
  const connectionIndex = fc.nat({ max: connections.length - 1 });
  const header = fc.record({ userAgent: fc.oneof(fc.constant('curl/8.5.0'), anyText(150)), referer: anyText(40) });
  return fc
    .tuple(
      exchangeFields,
      fc.array(attemptFields, { maxLength: 3 }),
      connectionIndex,
      fc.nat({ max: 2 }),
      header,
      inbound,
    )
    .map(([fields, attempts, connection, route, { userAgent, referer }, context]) => {
      const startMs = performance.now() - 20;
      connections[connection]!.requests++;
      const exchange = new Exchange(connections[connection]!, startMs, Date.UTC(2026, 0, 2, 15, 4, 5, 67 + route));
      Object.assign(exchange, fields);
      exchange.route = routes[route];
      exchange.endMs = startMs + 12;
      exchange.requestHeaders = ['Accept', '*/*', 'User-Agent', userAgent, 'REFERER', referer, ...context];
      starter.startRequest(exchange);
      for (const { host, port, tls, upstreamId, ...rest } of attempts) {
        const attempt = new Attempt(upstreamId, host, port, tls, exchange.attempts.length, startMs + 1);
        Object.assign(attempt, rest, { spanId: starter.newSpanId(), endMs: startMs + 5 });
        exchange.attempts.push(attempt);
      }
      return exchange;
    });
}
