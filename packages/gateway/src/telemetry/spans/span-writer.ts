import { SpanKind, StatusCode } from '@clew/model';
import type { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import { headerOf } from '../header.ts';
import { exceptionMessage, int, text } from './keys.ts';
import { ReadyBytes, bytesOf } from './ready-bytes.ts';
import type { SpanBytes } from './span-bytes.ts';
import { TargetBytes } from './target-bytes.ts';
import type { WallClock } from './wall-clock.ts';

/**
 * What has ended as spans. Hot path, guarded by `bench/gateway-telemetry`: attributes that recur are bytes that are ready, the others are
 * written from the texts the request has.
 */

/** Fields of OTLP's `Span`, as tags. */
const TRACE_ID = 0x0a;
const SPAN_ID = 0x12;
const TRACE_STATE = 0x1a;
const PARENT_SPAN_ID = 0x22;
const NAME = 0x2a;
const EVENT = 0x5a;
const STATUS = 0x7a;

/** OTLP span flags: it is known whether the parent is remote, and it is. */
const PARENT_KNOWN = 0x100;
const PARENT_REMOTE = 0x200;

/** Methods by their own name in `http.request.method`; others are `_OTHER` there. */
const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

const statusCodes = new ReadyBytes<number>((out, status) => out.int(int['http.status_code'], status));
const responseStatusCodes = new ReadyBytes<number>((out, status) => out.int(int['http.response.status_code'], status));
const attemptCounts = new ReadyBytes<number>((out, count) => out.int(int['gateway.upstream.attempts'], count));
const routePatterns = new ReadyBytes<string>((out, pattern) => out.text(text['http.route'], pattern));
const routeIds = new ReadyBytes<string>((out, id) => out.text(text['gateway.route.id'], id));
const upstreamIds = new ReadyBytes<string>((out, id) => out.text(text['gateway.upstream.id'], id));
const peers = new ReadyBytes<string>((out, id) => out.text(text['peer.service'], id));
const oldMethods = new ReadyBytes<string>((out, method) => out.text(text['http.method'], method));
const stableMethods = new ReadyBytes<string>((out, method) => out.text(text['http.request.method'], method));
const protocolVersions = new ReadyBytes<string>((out, version) => {
  out.text(text['network.protocol.version'], version === '2.0' ? '2' : version);
});
const http = bytesOf((out) => out.text(text['url.scheme'], 'http'));
const https = bytesOf((out) => out.text(text['url.scheme'], 'https'));
const targets = new TargetBytes();

/** Writes spans. */
export class SpanWriter {
  readonly #clock: WallClock;
  readonly #serviceName: Uint8Array;

  constructor(clock: WallClock, serviceName: string) {
    this.#clock = clock;
    this.#serviceName = bytesOf((out) => out.text(text['service.name'], serviceName));
  }

  /** The SERVER span of a request that has ended. */
  request(out: SpanBytes, exchange: Exchange): void {
    const { trace, method, path, status, connection, upstreamId, route, attempts } = exchange;
    this.#begin(out, exchange, trace.spanId, trace.parentSpanId);
    const named = method === '' ? 'HTTP' : method;
    const pathBytes = path === '' ? out.field(NAME, named) : out.field(NAME, `${named} `, path);
    const pathAt = out.at - pathBytes;
    out.kindAndTimes(SpanKind.SERVER, exchange.startMs, exchange.endMs, this.#clock);
    if (knownMethods.has(method)) oldMethods.add(out, method);
    else out.text(text['http.method'], method);
    out.copy(text['http.target'], pathAt, pathBytes);
    if (status > 0) statusCodes.add(out, status);
    out.ready(this.#serviceName);
    peers.add(out, upstreamId);
    addStableMethod(out, method);
    out.copy(text['url.path'], pathAt, pathBytes);
    out.ready(connection.tls === undefined ? http : https);
    if (status > 0) responseStatusCodes.add(out, status);
    routePatterns.add(out, exchange.routePattern);
    addAuthority(out, exchange.authority, connection.localPort);
    out.text(text['client.address'], connection.clientIp);
    out.text(text['user_agent.original'], headerOf(exchange.requestHeaders, 'user-agent'));
    protocolVersions.add(out, exchange.httpVersion);
    if (route !== undefined) routeIds.add(out, route.id);
    out.text(text['gateway.correlation_id'], exchange.correlationId);
    upstreamIds.add(out, upstreamId);
    if (attempts.length > 0) attemptCounts.add(out, attempts.length);
    if (status >= 500 || exchange.end === 'cut') this.#outcome(out, exchange);
    out.flags((trace.flags & 0xff) | PARENT_KNOWN | (trace.parentSpanId === '' ? 0 : PARENT_REMOTE));
    out.endSpan();
  }

  #outcome(out: SpanBytes, { status, failure, endMs }: Exchange): void {
    if (failure !== undefined) {
      out.text(text['error.type'], failure.type);
      const event = out.open(EVENT);
      out.time(0x09, endMs, this.#clock);
      out.field(0x12, 'exception');
      out.text(exceptionMessage, failure.message);
      out.close(event);
    }
    writeError(out, status >= 500 ? `HTTP ${status}` : 'the response could not be finished');
  }

  /** The CLIENT span of an attempt that has ended. */
  attempt(out: SpanBytes, exchange: Exchange, attempt: Attempt): void {
    const { trace, method, path } = exchange;
    const { status, failure } = attempt;
    this.#begin(out, exchange, attempt.spanId, trace.spanId);
    if (method !== '') out.field(NAME, method);
    out.kindAndTimes(SpanKind.CLIENT, attempt.startMs, attempt.endMs, this.#clock);
    addStableMethod(out, method);
    targets.add(out, attempt, path);
    if (status > 0) responseStatusCodes.add(out, status);
    peers.add(out, attempt.upstreamId);
    if (attempt.index > 0) out.int(int['http.request.resend_count'], attempt.index);
    if (failure !== undefined || status >= 400) {
      out.text(text['error.type'], failure ?? String(status));
      writeError(out, failure === undefined ? `HTTP ${status}` : attempt.failureMessage || failure);
    }
    out.flags((trace.flags & 0xff) | PARENT_KNOWN);
    out.endSpan();
  }

  /** The CLIENT span of an agent's call that has ended. */
  agentCall(out: SpanBytes, exchange: Exchange, call: AgentCall): void {
    const { trace } = exchange;
    const { agentId, event, transport, failureMode } = call.start;
    this.#begin(out, exchange, call.spanId, trace.spanId);
    out.field(NAME, `agent ${agentId}`, ` ${event}`);
    out.kindAndTimes(SpanKind.CLIENT, call.startMs, call.endMs, this.#clock);
    out.text(text['gateway.agent.id'], agentId);
    out.text(text['gateway.agent.event'], event);
    out.text(text['gateway.agent.decision'], call.end?.decision ?? '');
    out.text(text['gateway.agent.transport'], transport);
    out.text(text['gateway.agent.failure_mode'], failureMode);
    const errorType = call.end?.errorType;
    if (errorType !== undefined) {
      out.text(text['error.type'], errorType);
      writeError(out, call.end?.error?.message ?? errorType);
    }
    out.flags((trace.flags & 0xff) | PARENT_KNOWN);
    out.endSpan();
  }

  #begin(out: SpanBytes, { trace }: Exchange, spanId: string, parentId: string): void {
    out.beginSpan();
    out.id(TRACE_ID, trace.traceId);
    out.id(SPAN_ID, spanId);
    if (trace.tracestate !== '') out.field(TRACE_STATE, trace.tracestate);
    if (parentId !== '') out.id(PARENT_SPAN_ID, parentId);
  }
}

function writeError(out: SpanBytes, message: string): void {
  const opened = out.open(STATUS);
  if (message !== '') out.field(0x12, message);
  out.uint(0x18, StatusCode.ERROR);
  out.close(opened);
}

function addStableMethod(out: SpanBytes, method: string): void {
  if (method !== '') stableMethods.add(out, knownMethods.has(method) ? method : '_OTHER');
}

/** `server.address` and `server.port` from an authority as sent; the port of the listener when it names none. */
function addAuthority(out: SpanBytes, authority: string, localPort: number): void {
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > 0 && colon > authority.lastIndexOf(']');
  const port = hasPort ? Number(authority.slice(colon + 1)) : localPort;
  out.text(text['server.address'], hasPort ? authority.slice(0, colon) : authority);
  if (port > 0 && port < 65_536) out.int(int['server.port'], port);
}
