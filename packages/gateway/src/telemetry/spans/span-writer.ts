import { SPAN_ID_BYTES, SpanKind, StatusCode, TRACE_ID_BYTES } from '@clew/model';
import type { TraceContext } from '@clew/wire/propagation';
import type { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import { ConnectionBytes } from '../connection-bytes.ts';
import { headerOf } from '../header.ts';
import { addClient } from './client-attributes.ts';
import { writeId } from './id-bytes.ts';
import { exceptionMessage, int, text } from './keys.ts';
import { RouteBytesCache } from './route-bytes.ts';
import type { SpanNaming } from './route-bytes.ts';
import type { SpanBytes } from './span-bytes.ts';
import { TargetBytesCache } from './target-bytes.ts';
import { bytesOf } from './ready-bytes.ts';
import { NAME } from './text-start.ts';
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
const EVENT = 0x5a;
const STATUS = 0x7a;

/** OTLP span flags: it is known whether the parent is remote, and it is. */
const PARENT_KNOWN = 0x100;
const PARENT_REMOTE = 0x200;

/** Writes spans. */
export class SpanWriter {
  readonly #clock: WallClock;
  readonly #includeQuery: boolean;
  /** Whose ids are in the two fields below. The spans of a request often end one right after another. */
  #trace: TraceContext | undefined;
  readonly #traceId = new Uint8Array(TRACE_ID_BYTES);
  readonly #requestSpanId = new Uint8Array(SPAN_ID_BYTES);
  readonly #routes: RouteBytesCache;
  readonly #clients = new ConnectionBytes((exchange, userAgent) =>
    bytesOf((out) => addClient(out, exchange, userAgent)),
  );
  readonly #targets = new TargetBytesCache();

  /** With `includeQuery` spans tell queries, which may hold what nobody should read. */
  constructor(clock: WallClock, naming: SpanNaming & { readonly includeQuery?: boolean }) {
    this.#clock = clock;
    this.#includeQuery = naming.includeQuery === true;
    this.#routes = new RouteBytesCache(naming);
  }

  /** The SERVER span of a request that has ended. */
  request(out: SpanBytes, exchange: Exchange): void {
    const { trace, path, status, attempts } = exchange;
    const route = this.#routes.find(exchange);
    const ofStatus = route.ofStatus(status);
    this.#beginRequest(out, trace);
    if (route.wholeName === undefined) {
      let pathBytes = 0;
      if (path === '') out.field(NAME, exchange.method === '' ? 'HTTP' : exchange.method);
      else pathBytes = out.fieldFrom(route.name, path);
      const pathAt = out.at - pathBytes;
      out.kindAndTimes(SpanKind.SERVER, exchange.startMs, exchange.endMs, this.#clock);
      out.copy(route.target, pathAt, pathBytes);
      out.copy(ofStatus.path, pathAt, pathBytes);
    } else {
      out.ready(route.wholeName);
      out.kindAndTimes(SpanKind.SERVER, exchange.startMs, exchange.endMs, this.#clock);
      out.text(route.target, path);
      out.text(ofStatus.path, path);
    }
    out.ready(ofStatus.result);
    if (this.#includeQuery && exchange.query !== '') out.text(text['url.query'], exchange.query);
    this.#client(out, exchange);
    out.text(route.correlationId, exchange.correlationId);
    out.ready(attempts.length === 1 ? route.upstreamOnce : route.upstream);
    if (attempts.length > 1) out.int(int['gateway.upstream.attempts'], attempts.length);
    if (status >= 500 || exchange.end === 'cut' || exchange.failure !== undefined) this.#outcome(out, exchange);
    out.flags((trace.flags & 0xff) | PARENT_KNOWN | (trace.parentSpanId === '' ? 0 : PARENT_REMOTE));
    out.endSpan();
  }

  #client(out: SpanBytes, exchange: Exchange): void {
    const userAgent = headerOf(exchange.requestHeaders, 'user-agent');
    const known = this.#clients.find(exchange, userAgent, '');
    if (known === undefined) addClient(out, exchange, userAgent);
    else out.ready(known);
  }

  /** Why the gateway itself answered, whatever with; and whether that is an error, which a client's mistake is not. */
  #outcome(out: SpanBytes, { status, failure, end, endMs }: Exchange): void {
    const isError = status >= 500 || end === 'cut';
    if (failure !== undefined) {
      if (isError) out.text(text['error.type'], failure.type);
      const event = out.open(EVENT);
      out.time(0x09, endMs, this.#clock);
      out.field(0x12, 'exception');
      out.text(exceptionMessage, failure.message);
      out.close(event);
    }
    if (isError) writeError(out, status >= 500 ? `HTTP ${status}` : 'the response could not be finished');
  }

  /** The CLIENT span of an attempt that has ended. */
  attempt(out: SpanBytes, exchange: Exchange, attempt: Attempt): void {
    const { trace, method, path } = exchange;
    const { status, failure } = attempt;
    const target = this.#targets.find(attempt, method);
    this.#beginChild(out, trace, attempt.spanId);
    out.ready(target.name);
    out.kindAndTimes(SpanKind.CLIENT, attempt.startMs, attempt.endMs, this.#clock);
    out.text(target.url, attempt.path === '' ? path : attempt.path);
    out.ready(target.ofStatus(status));
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
    this.#beginChild(out, trace, call.spanId);
    out.field(NAME, `agent ${agentId} ${event}`);
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

  /** What every span of this trace begins with. */
  #begin(out: SpanBytes, trace: TraceContext): void {
    if (trace !== this.#trace) {
      this.#trace = trace;
      writeId(trace.traceId, this.#traceId, 0);
      writeId(trace.spanId, this.#requestSpanId, 0);
    }
    out.beginSpan();
    out.bytes(TRACE_ID, this.#traceId);
  }

  /** A span below that of the request. */
  #beginChild(out: SpanBytes, trace: TraceContext, spanId: string): void {
    this.#begin(out, trace);
    out.id(SPAN_ID, spanId);
    if (trace.tracestate !== '') out.field(TRACE_STATE, trace.tracestate);
    out.bytes(PARENT_SPAN_ID, this.#requestSpanId);
  }

  #beginRequest(out: SpanBytes, trace: TraceContext): void {
    this.#begin(out, trace);
    // It is the last of its spans, and nothing of it may be kept.
    this.#trace = undefined;
    out.bytes(SPAN_ID, this.#requestSpanId);
    if (trace.tracestate !== '') out.field(TRACE_STATE, trace.tracestate);
    if (trace.parentSpanId !== '') out.id(PARENT_SPAN_ID, trace.parentSpanId);
  }
}

function writeError(out: SpanBytes, message: string): void {
  const opened = out.open(STATUS);
  if (message !== '') out.field(0x12, message);
  out.uint(0x18, StatusCode.ERROR);
  out.close(opened);
}
