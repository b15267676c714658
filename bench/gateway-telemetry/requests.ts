// Requests as the proxy hands them to the observer, without the sockets: every object and every text is new, as after parsing a head.
import { Attempt, Exchange } from '../../packages/gateway/src/proxy/exchange.ts';
import type { ClientConnection } from '../../packages/gateway/src/proxy/exchange.ts';
import { newCorrelationId } from '../../packages/gateway/src/proxy/headers/correlation-id.ts';
import { traceLines } from '../../packages/gateway/src/proxy/headers/trace-headers.ts';
import type { GatewayObserver, TraceStarter } from '../../packages/gateway/src/proxy/observer.ts';
import type { RouteConfig } from '../../packages/gateway/src/config/model/route.ts';

const fields = [
  ['Host', 'shop.example'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', 'application/json'],
  ['Accept-Language', 'en'],
  ['Referer', 'http://shop.example/'],
  ['Cookie', 'session=0123456789abcdef'],
] as const;
const traceparent = ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'] as const;

const connections: readonly ClientConnection[] = Array.from({ length: 64 }, (_, index) => ({
  listenerId: 'http',
  clientIp: `192.0.2.${index}`,
  clientPort: 40_000 + index,
  localPort: 8080,
  requests: 0,
  closing: false,
}));
const route = { id: 'api' } as RouteConfig;

/** Texts as they are taken out of a head: parts of one text, which was read from a socket. */
class Head {
  readonly #bytes: Buffer;
  readonly #ends: readonly number[];

  constructor(texts: readonly string[]) {
    let end = 0;
    this.#ends = texts.map((text) => (end += text.length));
    this.#bytes = Buffer.from(texts.join(''), 'latin1');
  }

  texts(): string[] {
    const head = this.#bytes.toString('latin1');
    let start = 0;
    return this.#ends.map((end) => {
      const text = head.slice(start, end);
      start = end;
      return text;
    });
  }
}

const withoutParent = new Head(fields.flat());
const withParent = new Head([...fields, traceparent].flat());

/** What requests are made with. */
export interface RequestKind {
  readonly observer: GatewayObserver;
  readonly starter: TraceStarter | undefined;
  /** Whether clients send a `traceparent`. */
  readonly continued: boolean;
}

/** What goes upstream of a head, as far as it depends on tracing. */
const upstreamHead = Buffer.alloc(1024);
const requestLine = Buffer.from('GET /api/users/00000?verbose=1 HTTP/1.1');
let sent = 0;

/** One request from its head to its last byte, with one attempt. Returns the bytes it has more upstream. */
export function request({ observer, starter, continued }: RequestKind): number {
  const startMs = performance.now();
  const index = sent++;
  const connection = connections[index & 63]!;
  connection.requests++;
  const exchange = new Exchange(connection, startMs, Date.now());
  exchange.requestHeaders = (continued ? withParent : withoutParent).texts();
  exchange.method = requestLine.toString('latin1', 0, 3);
  requestLine.write(String(10_000 + (index % 10_000)), 15, 'latin1');
  exchange.target = requestLine.toString('latin1').slice(4, 30);
  const question = exchange.target.indexOf('?');
  exchange.path = exchange.target.slice(0, question);
  exchange.query = exchange.target.slice(question + 1);
  exchange.authority = exchange.requestHeaders[1]!;
  exchange.correlationId = newCorrelationId('tinyflake', exchange.startUnixMs);
  starter?.startRequest(exchange);
  observer.requestStarted(exchange);
  exchange.route = route;
  exchange.routePattern = '/api/';
  exchange.matchedPrefix = '/api/';
  exchange.upstreamId = 'backend';
  const attempt = new Attempt('backend', '127.0.0.1', 3000, false, 0, startMs + 0.05);
  if (starter !== undefined) attempt.spanId = starter.newSpanId();
  exchange.attempts.push(attempt);
  observer.attemptStarted(exchange, attempt);
  const lines = attempt.spanId === '' ? '' : traceLines(exchange.trace, attempt.spanId);
  const written = upstreamHead.write(lines, 0, 'latin1');
  attempt.remoteAddress = '127.0.0.1:3000';
  attempt.connectionReused = true;
  attempt.status = 200;
  attempt.headMs = startMs + 0.8;
  attempt.endMs = startMs + 0.9;
  observer.attemptEnded(exchange, attempt);
  exchange.answeredBy = 'upstream';
  exchange.status = 200;
  exchange.responseBodyBytes = 1012;
  exchange.endMs = startMs + 1;
  observer.requestEnded(exchange);
  return written;
}
