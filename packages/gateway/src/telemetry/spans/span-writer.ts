import { SpanKind, StatusCode, appendEvent, nanosOfWords, writeSpanId, writeTraceId } from '@clew/model';
import type { SpanBatch, SpanId } from '@clew/model';
import type { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import { headerOf } from '../header.ts';
import { addInt, addText, internPair } from './batch-text.ts';
import { key } from './keys.ts';
import type { WallClock } from './wall-clock.ts';

/**
 * What has ended as spans of a batch. Hot path, guarded by `bench/gateway`: columns are written directly, and nothing is allocated for
 * a span but the texts that no batch has seen.
 */

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

/** Where spans are written. */
export interface OpenBatch {
  readonly batch: SpanBatch;
  readonly scope: number;
}

/** The SERVER span of a request that has ended. */
export function writeRequestSpan(open: OpenBatch, exchange: Exchange, clock: WallClock, serviceName: string): void {
  const { batch } = open;
  const { trace, method, path, status, connection } = exchange;
  const remote = trace.parentSpanId !== '';
  const row = beginSpan(
    open,
    exchange,
    trace.spanId as SpanId,
    trace.parentSpanId,
    exchange.startMs,
    exchange.endMs,
    clock,
  );
  batch.flags[row] = (trace.flags & 0xff) | PARENT_KNOWN | (remote ? PARENT_REMOTE : 0);
  batch.kinds[row] = SpanKind.SERVER;
  batch.names[row] = internPair(batch, method === '' ? 'HTTP' : method, path);
  addText(batch, key['http.method'], method);
  addText(batch, key['http.target'], path);
  if (status > 0) addInt(batch, key['http.status_code'], status);
  addText(batch, key['service.name'], serviceName);
  addText(batch, key['peer.service'], exchange.upstreamId);
  addText(batch, key['http.request.method'], knownMethod(method));
  addText(batch, key['url.path'], path);
  addText(batch, key['url.scheme'], connection.tls === undefined ? 'http' : 'https');
  if (status > 0) addInt(batch, key['http.response.status_code'], status);
  addText(batch, key['http.route'], exchange.routePattern);
  addAuthority(batch, exchange.authority, connection.localPort);
  addText(batch, key['client.address'], connection.clientIp);
  addText(batch, key['user_agent.original'], headerOf(exchange.requestHeaders, 'user-agent'));
  addText(batch, key['network.protocol.version'], exchange.httpVersion === '2.0' ? '2' : exchange.httpVersion);
  if (exchange.route !== undefined) addText(batch, key['gateway.route.id'], exchange.route.id);
  addText(batch, key['gateway.correlation_id'], exchange.correlationId);
  addText(batch, key['gateway.upstream.id'], exchange.upstreamId);
  if (exchange.attempts.length > 0) addInt(batch, key['gateway.upstream.attempts'], exchange.attempts.length);
  writeOutcome(batch, row, exchange, clock);
  batch.endSpan(row);
}

function writeOutcome(batch: SpanBatch, row: number, exchange: Exchange, clock: WallClock): void {
  const { status, failure, end } = exchange;
  if (status < 500 && end !== 'cut') return;
  batch.statusCodes[row] = StatusCode.ERROR;
  batch.statusMessages[row] = batch.strings.internText(
    status >= 500 ? `HTTP ${status}` : 'the response could not be finished',
  );
  if (failure === undefined) return;
  addText(batch, key['error.type'], failure.type);
  const words = new Uint32Array(2);
  clock.write(exchange.endMs, words, 0);
  appendEvent(batch, {
    timeUnixNano: nanosOfWords(words[0]!, words[1]!),
    name: 'exception',
    attributes: [{ key: 'exception.message', value: failure.message }],
    droppedAttributes: 0,
  });
}

/** The CLIENT span of an attempt that has ended. */
export function writeAttemptSpan(open: OpenBatch, exchange: Exchange, attempt: Attempt, clock: WallClock): void {
  const { batch } = open;
  const { trace, method, path } = exchange;
  const { status, failure } = attempt;
  const row = beginSpan(open, exchange, attempt.spanId as SpanId, trace.spanId, attempt.startMs, attempt.endMs, clock);
  batch.flags[row] = (trace.flags & 0xff) | PARENT_KNOWN;
  batch.kinds[row] = SpanKind.CLIENT;
  batch.names[row] = batch.strings.internText(method);
  addText(batch, key['http.request.method'], knownMethod(method));
  addText(
    batch,
    key['url.full'],
    `${attempt.tls ? 'https' : 'http'}://${hostText(attempt.host)}:${attempt.port}${path}`,
  );
  addText(batch, key['server.address'], attempt.host);
  addInt(batch, key['server.port'], attempt.port);
  if (status > 0) addInt(batch, key['http.response.status_code'], status);
  addText(batch, key['peer.service'], attempt.upstreamId);
  if (attempt.index > 0) addInt(batch, key['http.request.resend_count'], attempt.index);
  if (failure !== undefined || status >= 400) {
    addText(batch, key['error.type'], failure ?? String(status));
    batch.statusCodes[row] = StatusCode.ERROR;
    batch.statusMessages[row] = batch.strings.internText(
      failure === undefined ? `HTTP ${status}` : attempt.failureMessage || failure,
    );
  }
  batch.endSpan(row);
}

/** The CLIENT span of an agent's call that has ended. */
export function writeAgentSpan(open: OpenBatch, exchange: Exchange, call: AgentCall, clock: WallClock): void {
  const { batch } = open;
  const { trace } = exchange;
  const { agentId, event, transport, failureMode } = call.start;
  const row = beginSpan(open, exchange, call.spanId as SpanId, trace.spanId, call.startMs, call.endMs, clock);
  batch.flags[row] = (trace.flags & 0xff) | PARENT_KNOWN;
  batch.kinds[row] = SpanKind.CLIENT;
  batch.names[row] = internPair(batch, `agent ${agentId}`, event);
  addText(batch, key['gateway.agent.id'], agentId);
  addText(batch, key['gateway.agent.event'], event);
  addText(batch, key['gateway.agent.decision'], call.end?.decision ?? '');
  addText(batch, key['gateway.agent.transport'], transport);
  addText(batch, key['gateway.agent.failure_mode'], failureMode);
  const errorType = call.end?.errorType;
  if (errorType !== undefined) {
    addText(batch, key['error.type'], errorType);
    batch.statusCodes[row] = StatusCode.ERROR;
    batch.statusMessages[row] = batch.strings.internText(call.end?.error?.message ?? errorType);
  }
  batch.endSpan(row);
}

function beginSpan(
  { batch, scope }: OpenBatch,
  { trace }: Exchange,
  spanId: SpanId,
  parentId: SpanId | '',
  startMs: number,
  endMs: number,
  clock: WallClock,
): number {
  const row = batch.addSpan(scope);
  writeTraceId(trace.traceId, batch.traceIds, row * 16);
  writeSpanId(spanId, batch.spanIds, row * 8);
  if (parentId !== '') writeSpanId(parentId, batch.parentIds, row * 8);
  clock.write(startMs, batch.times, row * 4);
  clock.write(Math.max(startMs, endMs), batch.times, row * 4 + 2);
  if (trace.tracestate !== '') batch.traceStates[row] = batch.strings.internText(trace.tracestate);
  return row;
}

function knownMethod(method: string): string {
  return method === '' || knownMethods.has(method) ? method : '_OTHER';
}

/** `server.address` and `server.port` from an authority as sent; the port of the listener when it names none. */
function addAuthority(batch: SpanBatch, authority: string, localPort: number): void {
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > 0 && colon > authority.lastIndexOf(']');
  const port = hasPort ? Number(authority.slice(colon + 1)) : localPort;
  addText(batch, key['server.address'], hasPort ? authority.slice(0, colon) : authority);
  if (port > 0 && port < 65_536) addInt(batch, key['server.port'], port);
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
