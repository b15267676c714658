import { SpanKind, StatusCode } from '@clew/model';
import type { Attempt, Exchange } from '../../proxy/exchange.ts';
import { headerOf } from '../header.ts';
import type { SpanNaming } from '../spans/route-bytes.ts';

/** A span as tests compare it: what an exchange says, put together without any concern for speed. */
export interface ExpectedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: readonly (readonly [string, string | bigint])[];
  readonly events: readonly (readonly [string, string])[];
}

const methods = 'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY'.split(' ');

type Attributes = readonly (readonly [string, string | number | undefined])[];

/** Attributes that have a value, as they are decoded. */
function present(attributes: Attributes): readonly (readonly [string, string | bigint])[] {
  return attributes.flatMap(([key, value]): (readonly [string, string | bigint])[] => {
    if (value === undefined || value === '') return [];
    return [[key, typeof value === 'number' ? BigInt(value) : value.toWellFormed()]];
  });
}

function stable(method: string): string {
  return method === '' || methods.includes(method) ? method : '_OTHER';
}

/** What `authority` says, as `server.address` and `server.port`. */
function server(authority: string, localPort: number): readonly [string, number | undefined] {
  const [, host = authority, port] = /^(.+):([^:\]]*)$/s.exec(authority) ?? [];
  const number = port === undefined ? localPort : Number(port);
  return [host, number > 0 && number < 65_536 ? number : undefined];
}

/** The span of a request. */
export function expectedRequest(exchange: Exchange, { serviceName, spanName }: SpanNaming): ExpectedSpan {
  const { trace, method, path, status, connection, upstreamId, attempts, failure } = exchange;
  const [address, port] = server(exchange.authority, connection.localPort);
  const subject = spanName === 'path' ? path : exchange.routePattern;
  const bad = status >= 500 || exchange.end === 'cut';
  const told = bad ? failure : undefined;
  const responseStatus = status > 0 ? status : undefined;
  return {
    name: `${method || 'HTTP'}${subject === '' ? '' : ' '}${subject}`.toWellFormed(),
    kind: SpanKind.SERVER,
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    traceState: trace.tracestate,
    flags: trace.flags + (trace.parentSpanId === '' ? 0x100 : 0x300),
    statusCode: bad ? StatusCode.ERROR : StatusCode.UNSET,
    statusMessage: status >= 500 ? `HTTP ${status}` : bad ? 'the response could not be finished' : '',
    attributes: present([
      ['http.method', method],
      ['http.target', path],
      ['http.status_code', responseStatus],
      ['service.name', serviceName],
      ['peer.service', upstreamId],
      ['http.request.method', stable(method)],
      ['url.path', path],
      ['url.scheme', connection.tls === undefined ? 'http' : 'https'],
      ['http.response.status_code', responseStatus],
      ['http.route', exchange.routePattern],
      ['server.address', address],
      ['server.port', port],
      ['client.address', connection.clientIp],
      ['user_agent.original', headerOf(exchange.requestHeaders, 'user-agent')],
      ['network.protocol.version', exchange.httpVersion === '2.0' ? '2' : exchange.httpVersion],
      ['gateway.route.id', exchange.route?.id],
      ['gateway.correlation_id', exchange.correlationId],
      ['gateway.upstream.id', upstreamId],
      ['gateway.upstream.attempts', attempts.length === 0 ? undefined : attempts.length],
      ['error.type', told?.type],
    ]),
    events: failure === undefined ? [] : [['exception', failure.message.toWellFormed()]],
  };
}

/** The span of an attempt. */
export function expectedAttempt(exchange: Exchange, attempt: Attempt): ExpectedSpan {
  const { trace, method } = exchange;
  const { status, failure, host, port, tls, index } = attempt;
  const path = attempt.path === '' ? exchange.path : attempt.path;
  const bad = failure !== undefined || status >= 400;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    name: method.toWellFormed(),
    kind: SpanKind.CLIENT,
    traceId: trace.traceId,
    spanId: attempt.spanId,
    parentSpanId: trace.spanId,
    traceState: trace.tracestate,
    flags: trace.flags + 0x100,
    statusCode: bad ? StatusCode.ERROR : StatusCode.UNSET,
    statusMessage:
      failure === undefined ? (bad ? `HTTP ${status}` : '') : attempt.failureMessage.toWellFormed() || failure,
    attributes: present([
      ['http.request.method', stable(method)],
      ['url.full', `${tls ? 'https' : 'http'}://${authority}${path}`],
      ['server.address', host],
      ['server.port', port],
      ['http.response.status_code', status > 0 ? status : undefined],
      ['peer.service', attempt.upstreamId],
      ['http.request.resend_count', index > 0 ? index : undefined],
      ['error.type', bad ? (failure ?? String(status)) : undefined],
    ]),
    events: [],
  };
}
