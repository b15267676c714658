import type { RouteConfig } from '../../config/model/route.ts';
import { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import type { ClientConnection } from '../../proxy/exchange.ts';
import type { TraceStarter } from '../../proxy/observer.ts';

/** A client connection of nobody in particular. */
export function connection(): ClientConnection {
  return {
    listenerId: 'http',
    clientIp: '192.0.2.7',
    clientPort: 40_000,
    localPort: 8080,
    requests: 1,
    closing: false,
  };
}

/** Headers as a browser sends them. */
export const browserHeaders: readonly string[] = [
  'Host',
  'shop.example:8080',
  'User-Agent',
  'curl/8.5.0',
  'Accept',
  '*/*',
  'Referer',
  'http://shop.example/',
];

/** A request that the route `api` sent to the upstream `api-backend`, which answered with 200; `change` makes it another. */
export function endedExchange(starter?: TraceStarter, change?: (exchange: Exchange) => void): Exchange {
  const startMs = performance.now() - 20;
  const exchange = new Exchange(connection(), startMs, Date.UTC(2026, 0, 2, 15, 4, 5, 678));
  exchange.method = 'GET';
  exchange.target = '/api/users?page=2';
  exchange.path = '/api/users';
  exchange.query = 'page=2';
  exchange.authority = 'shop.example:8080';
  exchange.requestHeaders = browserHeaders;
  exchange.correlationId = '2Vf8QkJ1xYz';
  exchange.route = { id: 'api' } as RouteConfig;
  exchange.routePattern = '/api/';
  exchange.upstreamId = 'api-backend';
  exchange.answeredBy = 'upstream';
  exchange.status = 200;
  exchange.responseBodyBytes = 1234;
  exchange.endMs = startMs + 12;
  starter?.startRequest(exchange);
  exchange.attempts.push(endedAttempt(exchange, starter));
  change?.(exchange);
  return exchange;
}

function endedAttempt(exchange: Exchange, starter: TraceStarter | undefined): Attempt {
  const attempt = new Attempt('api-backend', '127.0.0.1', 3000, false, exchange.attempts.length, exchange.startMs + 1);
  attempt.spanId = starter?.newSpanId() ?? '';
  attempt.remoteAddress = '127.0.0.1:3000';
  attempt.status = 200;
  attempt.headMs = exchange.startMs + 9;
  attempt.endMs = exchange.startMs + 11;
  return attempt;
}

/** A call of the agent `auth` that allowed the request. */
export function endedAgentCall(exchange: Exchange, starter?: TraceStarter): AgentCall {
  const call = new AgentCall(
    { agentId: 'auth', event: 'request_headers', transport: 'unix', failureMode: 'closed' },
    exchange.startMs + 0.2,
  );
  call.spanId = starter?.newSpanId() ?? '';
  call.endMs = exchange.startMs + 0.9;
  call.end = { durationMs: 0.7, decision: 'allow' };
  exchange.agentCalls.push(call);
  return call;
}
