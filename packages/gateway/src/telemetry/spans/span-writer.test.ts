import { describe, expect, it } from 'vitest';
import { SpanBatch, SpanKind, StatusCode, toPlain } from '@clew/model';
import type { AttributeValue, PlainSpan } from '@clew/model';
import { decodeTraces } from '@clew/wire/otlp';
import fc from 'fast-check';
import type { Exchange } from '../../proxy/exchange.ts';
import { endedAgentCall, endedExchange } from '../test/exchanges.ts';
import { gatewayOrigin } from './resource.ts';
import { SpanBytes } from './span-bytes.ts';
import { SpanWriter } from './span-writer.ts';
import { RatioTraceStarter } from './trace-starter.ts';
import { WallClock } from './wall-clock.ts';
import { GatewayError } from '../../errors.ts';

const identity = { version: '1.2.3', instanceId: 'instance', hostName: 'host', pid: 42 };
const serviceName = 'shop-gateway';
const writer = new SpanWriter(new WallClock(), { serviceName, spanName: 'path' });
const byRoute = new SpanWriter(new WallClock(), { serviceName, spanName: 'route' });
const origin = gatewayOrigin(serviceName, identity);
const starter = new RatioTraceStarter(1);

/** The one span that `write` writes, as a collector reads it. */
function spanOf(write: (out: SpanBytes) => void): PlainSpan {
  const out = new SpanBytes(origin);
  write(out);
  const batch = new SpanBatch();
  decodeTraces(out.finish(), batch);
  return toPlain(batch)[0]!;
}

/** The span of a request, after `change`. */
function requestSpan(change?: (exchange: Exchange) => void): PlainSpan {
  return spanOf((out) => writer.request(out, endedExchange(starter, change)));
}

function attributesOf(span: PlainSpan): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(span.attributes.map(({ key, value }) => [key, value]));
}

describe('the span of a request', () => {
  it('has the old names, the stable names and those of the gateway', () => {
    const span = requestSpan();
    expect(span).toMatchObject({ name: 'GET /api/users', kind: SpanKind.SERVER, statusCode: StatusCode.UNSET });
    expect(attributesOf(span)).toEqual({
      'http.method': 'GET',
      'http.target': '/api/users',
      'http.status_code': 200n,
      'service.name': 'shop-gateway',
      'peer.service': 'api-backend',
      'http.request.method': 'GET',
      'url.path': '/api/users',
      'url.scheme': 'http',
      'http.response.status_code': 200n,
      'http.route': '/api/',
      'server.address': 'shop.example',
      'server.port': 8080n,
      'client.address': '192.0.2.7',
      'user_agent.original': 'curl/8.5.0',
      'network.protocol.version': '1.1',
      'gateway.route.id': 'api',
      'gateway.correlation_id': '2Vf8QkJ1xYz',
      'gateway.upstream.id': 'api-backend',
      'gateway.upstream.attempts': 1n,
    });
  });

  it('tells who made it', () => {
    const { resource, scope } = requestSpan();
    expect(Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value]))).toMatchObject({
      'service.name': 'shop-gateway',
      'service.version': '1.2.3',
      'service.instance.id': 'instance',
      'host.name': 'host',
      'process.pid': 42n,
    });
    expect(scope).toMatchObject({ name: 'clew-gateway', version: '1.2.3' });
  });

  it('tells the query when it is asked to', () => {
    const telling = new SpanWriter(new WallClock(), { serviceName, spanName: 'path', includeQuery: true });
    const exchange = endedExchange(starter, (one) => (one.query = 'page=2'));
    const attributes = attributesOf(spanOf((out) => telling.request(out, exchange)));
    expect([attributes['url.query'], attributes['url.path']]).toEqual(['page=2', '/api/users']);
    exchange.query = '';
    expect(attributesOf(spanOf((out) => telling.request(out, exchange)))).not.toHaveProperty('url.query');
  });

  it('never tells the query otherwise', () => {
    const span = requestSpan((exchange) => (exchange.query = 'token=secret'));
    expect(
      JSON.stringify(span, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('secret');
  });

  it('is no error for a status below 500', () => {
    expect(requestSpan((exchange) => (exchange.status = 404)).statusCode).toBe(StatusCode.UNSET);
  });

  it('is an error from 500 on, with the failure of the gateway as an event', () => {
    const span = requestSpan((exchange) => {
      exchange.status = 504;
      exchange.failure = { status: 504, type: 'Timeout', reason: 'upstream_timeout', message: 'no answer in 5 s' };
    });
    expect(span).toMatchObject({ statusCode: StatusCode.ERROR, statusMessage: 'HTTP 504' });
    expect(attributesOf(span)['error.type']).toBe('Timeout');
    expect(span.events).toMatchObject([
      { name: 'exception', attributes: [{ key: 'exception.message', value: 'no answer in 5 s' }] },
    ]);
  });

  it('says why the gateway itself refused, which is no error of a server', () => {
    const span = requestSpan((exchange) => {
      exchange.status = 429;
      exchange.failure = { status: 429, type: 'RateLimit', reason: 'rate_limited', message: 'too many requests' };
    });
    expect(span).toMatchObject({
      statusCode: StatusCode.UNSET,
      events: [{ name: 'exception', attributes: [{ key: 'exception.message', value: 'too many requests' }] }],
    });
    expect(attributesOf(span)).not.toHaveProperty('error.type');
  });

  it('is an error when the response was cut', () => {
    const span = requestSpan((exchange) => (exchange.end = 'cut'));
    expect(span).toMatchObject({ statusCode: StatusCode.ERROR, statusMessage: 'the response could not be finished' });
  });

  it.each([
    ['[2001:db8::1]:9', '[2001:db8::1]', 9n],
    ['[2001:db8::1]', '[2001:db8::1]', 8080n],
    ['shop.example', 'shop.example', 8080n],
    ['', undefined, 8080n],
    ['shop.example:port', 'shop.example', undefined],
  ])('reads the authority %j', (authority, address, port) => {
    const attributes = attributesOf(requestSpan((exchange) => (exchange.authority = authority)));
    expect([attributes['server.address'], attributes['server.port']]).toEqual([address, port]);
  });

  it('gives methods nobody knows one name, and keeps theirs', () => {
    const attributes = attributesOf(requestSpan((exchange) => (exchange.method = 'BREW')));
    expect([attributes['http.request.method'], attributes['http.method']]).toEqual(['_OTHER', 'BREW']);
  });

  it('exists for a request that could not be read', () => {
    const span = requestSpan((exchange) => {
      Object.assign(exchange, { method: '', path: '', authority: '', routePattern: '', upstreamId: '', status: 400 });
      exchange.route = undefined;
      exchange.attempts.length = 0;
    });
    expect(span.name).toBe('HTTP');
  });

  it('holds any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 2000 }), (path) => {
        const span = requestSpan((exchange) => (exchange.path = path));
        expect(attributesOf(span)['url.path']).toBe(path.toWellFormed());
        expect(span.name).toBe(`GET ${path.toWellFormed()}`);
      }),
    );
  });

  it.each([
    ['GET', '/api/', 'GET /api/'],
    ['GET', '^/users/\\d+$', 'GET ^/users/\\d+$'],
    ['BREW', '/api/', 'BREW /api/'],
    ['GET', '', 'GET'],
    ['', '', 'HTTP'],
  ])('is named by its route where that is asked for: %j and pattern %j', (method, routePattern, name) => {
    const change = (exchange: Exchange): void => void Object.assign(exchange, { method, routePattern });
    const span = spanOf((out) => byRoute.request(out, endedExchange(starter, change)));
    expect(span.name).toBe(name);
    expect(attributesOf(span)).toMatchObject({ 'url.path': '/api/users', 'http.target': '/api/users' });
  });

  it('says whether its parent is elsewhere', () => {
    expect(requestSpan().flags).toBe(0x101);
    const remote = requestSpan((exchange) => {
      exchange.requestHeaders = ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];
      starter.startRequest(exchange);
    });
    expect(remote).toMatchObject({ flags: 0x301, parentSpanId: 'b7ad6b7169203331' });
  });
});

describe('the span of an attempt', () => {
  const attemptSpan = (change?: (exchange: Exchange) => void): { span: PlainSpan; exchange: Exchange } => {
    const exchange = endedExchange(starter, change);
    return { span: spanOf((out) => writer.attempt(out, exchange, exchange.attempts[0]!)), exchange };
  };

  it('is a child of the request under the id that was sent', () => {
    const { span, exchange } = attemptSpan();
    expect(span).toMatchObject({
      name: 'GET',
      kind: SpanKind.CLIENT,
      traceId: exchange.trace.traceId,
      parentSpanId: exchange.trace.spanId,
      spanId: exchange.attempts[0]!.spanId,
      statusCode: StatusCode.UNSET,
    });
    expect(attributesOf(span)).toEqual({
      'http.request.method': 'GET',
      'url.full': 'http://127.0.0.1:3000/api/users',
      'server.address': '127.0.0.1',
      'server.port': 3000n,
      'http.response.status_code': 200n,
      'peer.service': 'api-backend',
    });
  });

  it('names the path that was asked for, after a rewrite', () => {
    const { span } = attemptSpan(({ attempts }) => (attempts[0]!.path = '/v2/users'));
    expect(attributesOf(span)['url.full']).toBe('http://127.0.0.1:3000/v2/users');
  });

  it('is an error from 400 on', () => {
    const { span } = attemptSpan(({ attempts }) => (attempts[0]!.status = 404));
    expect(span).toMatchObject({ statusCode: StatusCode.ERROR, statusMessage: 'HTTP 404' });
    expect(attributesOf(span)['error.type']).toBe('404');
  });

  it('names what kept the response away', () => {
    const { span } = attemptSpan(({ attempts }) => {
      Object.assign(attempts[0]!, { status: 0, failure: 'connection_refused', failureMessage: 'connect ECONNREFUSED' });
    });
    expect(span).toMatchObject({ statusCode: StatusCode.ERROR, statusMessage: 'connect ECONNREFUSED' });
    expect(attributesOf(span)['error.type']).toBe('connection_refused');
  });
});

describe('the span of an agent call', () => {
  it('tells agent, event, decision and how it was reached', () => {
    const exchange = endedExchange(starter);
    const span = spanOf((out) => writer.agentCall(out, exchange, endedAgentCall(exchange, starter)));
    expect(span).toMatchObject({
      name: 'agent auth request_headers',
      kind: SpanKind.CLIENT,
      parentSpanId: exchange.trace.spanId,
      statusCode: StatusCode.UNSET,
    });
    expect(attributesOf(span)).toEqual({
      'gateway.agent.id': 'auth',
      'gateway.agent.event': 'request_headers',
      'gateway.agent.decision': 'allow',
      'gateway.agent.transport': 'unix',
      'gateway.agent.failure_mode': 'closed',
    });
  });

  it('is an error when the agent did not answer', () => {
    const exchange = endedExchange(starter);
    const call = endedAgentCall(exchange, starter);
    call.end = { durationMs: 50, errorType: 'timeout', error: new GatewayError('timeout', 'no answer within 50 ms') };
    const span = spanOf((out) => writer.agentCall(out, exchange, call));
    expect(span).toMatchObject({ statusCode: StatusCode.ERROR, statusMessage: 'no answer within 50 ms' });
    expect(attributesOf(span)['error.type']).toBe('timeout');
  });
});
