// Hot path: a request's way through an upstream: attempts, and the response of the one that counts. Guarded by bench/gateway.
import type { Socket } from 'node:net';
import { errorMessage } from '@clew/base';
import type {
  AgentExchange,
  BodyInspection,
  BodyStep,
  ChainVerdict,
  CircuitPass,
  HeaderOperation,
} from '../../agents/index.ts';
import { applyHeaderOperations } from '../../agents/index.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { Attempt } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { forwardInterimFields, forwardResponseHead, forwardResponseLines } from '../headers/forward-response.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import { checkFields } from '../http1/check-head.ts';
import type { ReceivedFields } from '../http1/fields.ts';
import { removeField } from '../headers/fields.ts';
import { forwardTrailers } from '../headers/trailers.ts';
import { isBodiless } from '../local/send-answer.ts';
import { failureOfAttempt } from '../upstream/failure-reason.ts';
import type { Target } from '../upstream/target.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { FrameAgents } from './frame-agents.ts';
import type { GatewayContext, Generation } from './gateway-context.ts';
import type { RequestBody } from './request-body.ts';
import { internal } from './failures.ts';
import { ResponseRelay } from './response-relay.ts';
import type { RelayListener } from './response-relay.ts';
import { backoffMs, isIdempotent, mayRetry } from './retry.ts';
import type { RoutePlan } from './route-plan.ts';
import { UpstreamCall } from './upstream-call.ts';
import type { CallListener } from './upstream-call.ts';
import { joinUpgraded } from './upgrade.ts';
import { upstreamMessage, wireRequest } from './upstream-message.ts';
import type { UpstreamMessage } from './upstream-message.ts';
import { GatewayError } from '../../errors.ts';

/** The request whose exchange it is. */
export interface UpstreamExchangeOwner {
  readonly exchange: Exchange;
  readonly downstream: Downstream;
  readonly generation: Generation;
  readonly context: GatewayContext;
  readonly agents: AgentExchange | undefined;
  readonly body: RequestBody | undefined;
  readonly declared: BodyDeclaration;
  readonly requestOperations: readonly HeaderOperation[];
  readonly responseOperations: readonly HeaderOperation[];
  readonly extraHeaders: readonly string[] | undefined;
  readonly over: boolean;
  readonly closesConnection: boolean;
  fail(failure: GatewayFailure): void;
  cutOff(): void;
  takeVerdict(event: string, verdict: ChainVerdict | BodyStep): boolean;
  /** Until when the attempt under way may take, a `performance.now()` time; it may be longer than the request has. */
  limitAttempt(deadlineMs: number): void;
  onUpgraded(): void;
  onUpgradeOver(): void;
}

/** Attempts follow each other until one is final; its response is passed on. */
export class UpstreamExchange implements CallListener, RelayListener {
  readonly #owner: UpstreamExchangeOwner;
  readonly #plan: RoutePlan;
  readonly #upstream: Upstream;
  readonly #tried: Target[] = [];
  /** What every attempt sends. */
  #message: UpstreamMessage | undefined;
  #call: UpstreamCall | undefined;
  #relay: ResponseRelay | undefined;
  /** Of a route that gives less time to connect than its upstream does. */
  #connectTimer: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #aborted = false;
  /** A connection that was closed while idle has been replaced once. */
  #freshTried = false;

  constructor(owner: UpstreamExchangeOwner, plan: RoutePlan, upstream: Upstream) {
    this.#owner = owner;
    this.#plan = plan;
    this.#upstream = upstream;
  }

  /** Makes the first attempt. */
  start(): void {
    try {
      this.#message = upstreamMessage(this.#owner, this.#plan);
    } catch (caught) {
      this.#owner.fail(internal(caught));
      return;
    }
    this.#attempt();
  }

  /** Gives everything up. */
  abort(reason: string): void {
    if (this.#aborted) return;
    this.#aborted = true;
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#pause);
    this.#relay?.stop();
    const call = this.#call;
    // Nearly always it has ended by itself: an error would be made for nothing, and that is not cheap.
    if (call !== undefined && !call.settled) call.abort(new GatewayError('aborted', reason));
  }

  onClientDrained(): void {
    this.#relay?.drained();
  }

  onCallReadBegin(): void {
    this.#owner.downstream.cork();
  }

  onCallReadEnd(): void {
    this.#owner.downstream.uncork();
  }

  onCallInterim(call: UpstreamCall, status: number, received: ReceivedFields): void {
    if (this.#aborted || call !== this.#call || status !== earlyHints) return;
    this.#owner.downstream.sendInterim(status, forwardInterimFields(received.all));
  }

  onCallHead(call: UpstreamCall, status: number, received: ReceivedFields): void {
    if (this.#aborted || call !== this.#call) return;
    const { retryPolicy } = this.#plan.route;
    if (retryPolicy?.retryableStatusCodes.includes(status) === true && this.#mayTryAgain(true)) {
      this.#call = undefined;
      this.#owner.limitAttempt(Infinity);
      call.discard();
      this.#tryAgain(backoffMs(retryPolicy, this.#owner.exchange.attempts.length));
      return;
    }
    const { exchange, agents } = this.#owner;
    const head =
      (this.#editsResponse() ? undefined : forwardResponseLines(status, received, exchange.correlationId)) ??
      forwardResponseHead(status, received.all, exchange.correlationId);
    const bodiless = isBodiless(exchange.method, status);
    const asksAgents =
      agents !== undefined && (agents.takes('response_headers') || (!bodiless && agents.takes('response_body')));
    if (asksAgents) {
      call.pause();
      this.#askAgents(call, agents, head, bodiless).catch((caught: unknown) =>
        this.onRelayBroken(errorMessage(caught)),
      );
    } else this.#relayResponse(call, head, undefined);
  }

  onCallData(call: UpstreamCall, chunk: Buffer): void {
    if (call === this.#call && !this.#aborted) this.#received(chunk);
  }

  onCallText(call: UpstreamCall, body: string): void {
    if (call !== this.#call || this.#aborted) return;
    if (this.#relay === undefined) this.#early.push(Buffer.from(body, 'latin1'));
    else this.#relay.text(body);
  }

  onCallEnded(call: UpstreamCall, trailers: readonly string[]): void {
    if (call !== this.#call || this.#aborted) return;
    this.#owner.limitAttempt(Infinity);
    this.#ended(forwardTrailers(trailers));
  }

  onCallUpgraded(call: UpstreamCall, received: ReceivedFields, socket: Socket): void {
    if (this.#aborted || call !== this.#call) {
      socket.destroy();
      return;
    }
    const owner = this.#owner;
    owner.limitAttempt(Infinity);
    const { exchange, downstream } = owner;
    const head = this.#edited(forwardResponseHead(101, received.all, exchange.correlationId));
    try {
      if (!head.checked) checkFields(head.headers);
    } catch (caught) {
      socket.destroy();
      this.onRelayBroken(`the response head cannot be written: ${errorMessage(caught)}`);
      return;
    }
    exchange.status = 101;
    exchange.answeredBy = 'upstream';
    owner.onUpgraded();
    joinUpgraded(downstream, exchange, head.headers, socket, () => owner.onUpgradeOver(), this.#frameJudge());
  }

  /** Who looks at the frames of a WebSocket; undefined when nobody does. */
  #frameJudge(): FrameAgents | undefined {
    const { agents, exchange, context, generation } = this.#owner;
    if (!this.#plan.route.websocketInspection || agents?.takes('websocket_frame') !== true) return undefined;
    return new FrameAgents(agents, exchange, context, generation.limits.bodyBufferBytes);
  }

  onCallFailed(call: UpstreamCall, error: GatewayError): void {
    if (call !== this.#call || this.#aborted) return;
    this.#owner.limitAttempt(Infinity);
    const { exchange, downstream } = this.#owner;
    const failure = failureOfAttempt(call.attempt.failure ?? 'connection_closed', error.message);
    if (this.#relay !== undefined || call.attempt.headMs > 0) {
      exchange.failure ??= failure;
      this.#relay?.stop();
      if (downstream.headSent) this.#owner.cutOff();
      else this.#owner.fail(failure);
      return;
    }
    if (this.#isStale(call)) {
      this.#freshTried = true;
      this.#tryAgain(0);
    } else if (this.#mayTryAgain(call.sent)) {
      this.#tryAgain(backoffMs(this.#plan.route.retryPolicy!, exchange.attempts.length));
    } else this.#owner.fail(failure);
  }

  onCallSettled(call: UpstreamCall): void {
    this.#owner.context.observer.attemptEnded(this.#owner.exchange, call.attempt);
  }

  onResponseStep(step: BodyStep): boolean {
    return this.#owner.takeVerdict('response_body', step);
  }

  onSendHead(head: ResponseHead): boolean {
    const owner = this.#owner;
    const { exchange, downstream } = owner;
    const edited = this.#edited(head);
    exchange.status = edited.status;
    exchange.answeredBy = 'upstream';
    try {
      const bodiless = isBodiless(exchange.method, edited.status);
      downstream.sendHead(edited, { close: owner.closesConnection, bodiless });
    } catch (caught) {
      this.onRelayBroken(`the response head cannot be written: ${errorMessage(caught)}`);
      return false;
    }
    return true;
  }

  onRelayBroken(message: string): void {
    if (this.#owner.over) return;
    this.#owner.fail({ status: 502, type: 'Upstream', reason: 'upstream_invalid_response', message });
  }

  /** Whether the fields of a response have to be looked at one by one. */
  #editsResponse(): boolean {
    const { agents, extraHeaders, responseOperations, exchange } = this.#owner;
    return (
      agents !== undefined ||
      extraHeaders !== undefined ||
      this.#plan.editResponse !== undefined ||
      responseOperations.length > 0 ||
      exchange.httpVersion === '2.0'
    );
  }

  #edited(head: ResponseHead): ResponseHead {
    const { editResponse } = this.#plan;
    const { responseOperations, extraHeaders } = this.#owner;
    if (extraHeaders !== undefined) {
      // What the gateway says about rates and origins stands instead of what the upstream says.
      for (let at = 0; at < extraHeaders.length; at += 2) {
        const name = extraHeaders[at]!.toLowerCase();
        if (name !== 'vary') removeField(head.headers, name);
      }
      head.headers.push(...extraHeaders);
    }
    if (extraHeaders !== undefined || editResponse !== undefined || responseOperations.length > 0) head.checked = false;
    if (editResponse !== undefined) head.headers = editResponse(head.headers);
    if (responseOperations.length > 0) head.headers = applyHeaderOperations(head.headers, responseOperations);
    return head;
  }

  #attempt(): void {
    const owner = this.#owner;
    const { exchange, context, generation } = owner;
    const upstream = this.#upstream;
    const pass = this.#enterCircuit();
    if (pass === null) return;
    const target = upstream.choose({ clientIp: exchange.connection.clientIp, path: exchange.path }, this.#tried);
    if (target === undefined) {
      pass?.end('neither');
      const message = `upstream ${upstream.config.id} has no healthy target`;
      owner.fail({
        status: 503,
        type: 'NoHealthyUpstream',
        reason: 'no_healthy_upstream',
        message,
        retryAfterSeconds: 1,
      });
      return;
    }
    this.#tried.push(target);
    const { host, port } = target.config;
    const tls = upstream.config.tls !== undefined;
    const attempt = new Attempt(upstream.config.id, host, port, tls, exchange.attempts.length, performance.now());
    const { traceStarter } = generation;
    if (traceStarter !== undefined) attempt.spanId = traceStarter.newSpanId();
    attempt.path = this.#message!.rewrittenPath;
    exchange.attempts.push(attempt);
    context.observer.attemptStarted(exchange, attempt);
    const request = wireRequest(owner, this.#message!, attempt);
    const call = new UpstreamCall({ attempt, upstream, target, pass, request }, this);
    this.#call = call;
    this.#watchAttempt(call);
    call.start();
  }

  /** The right to make an attempt, undefined where nobody counts; null when the request has been answered. */
  #enterCircuit(): CircuitPass | undefined | null {
    if (!this.#upstream.hasBreaker) return undefined;
    const pass = this.#upstream.enter();
    if (pass !== undefined) return pass;
    const { id } = this.#upstream.config;
    const message = `upstream ${id} failed too often in a row and is left alone`;
    this.#owner.fail({
      status: 503,
      type: 'CircuitBreakerOpen',
      reason: 'circuit_open',
      message,
      retryAfterSeconds: 1,
    });
    return null;
  }

  #watchAttempt(call: UpstreamCall): void {
    clearTimeout(this.#connectTimer);
    const { connectTimeoutMs } = this.#plan;
    if (connectTimeoutMs !== undefined) {
      this.#connectTimer = setTimeout(onConnectTimeout, connectTimeoutMs, call, connectTimeoutMs);
    }
    const limitMs = this.#attemptLimitMs;
    if (limitMs > 0 && limitMs < Infinity) this.#owner.limitAttempt(call.attempt.startMs + limitMs);
  }

  /** How long one attempt may take; 0 or Infinity = as long as the request. */
  get #attemptLimitMs(): number {
    const { route, upstreamTimeoutMs } = this.#plan;
    return Math.min(
      route.retryPolicy?.perAttemptTimeoutMs ?? Infinity,
      upstreamTimeoutMs ?? this.#upstream.config.timeouts.requestMs,
    );
  }

  /** The attempt under way has taken as long as it may. */
  onAttemptDeadline(): void {
    const limitMs = this.#attemptLimitMs;
    const call = this.#call;
    call?.abort(new GatewayError('attempt_timeout', `${call.target.name} took longer than ${limitMs} ms`));
  }

  /** The upstream closed an idle connection at the very moment it was used: that is no failure, if nothing is done twice. */
  #isStale(call: UpstreamCall): boolean {
    const { exchange, body } = this.#owner;
    return (
      !this.#freshTried &&
      call.attempt.failure === 'connection_closed' &&
      call.attempt.connectionReused &&
      isIdempotent(exchange.method) &&
      (body === undefined || body.replayable)
    );
  }

  #mayTryAgain(sent: boolean): boolean {
    const { exchange, body } = this.#owner;
    return mayRetry({
      policy: this.#plan.route.retryPolicy,
      method: exchange.method,
      attempts: exchange.attempts.length,
      sent,
      bodyAvailable: body === undefined || body.replayable || !body.begun,
    });
  }

  #tryAgain(pauseMs: number): void {
    this.#call = undefined;
    if (pauseMs <= 0) this.#attempt();
    else
      this.#pause = setTimeout(() => {
        if (!this.#aborted && !this.#owner.over) this.#attempt();
      }, pauseMs);
  }

  async #askAgents(call: UpstreamCall, agents: AgentExchange, head: ResponseHead, bodiless: boolean): Promise<void> {
    const { headers, status } = head;
    if (agents.takes('response_headers')) {
      const verdict = await agents.run({ kind: 'response_headers', status, headers, hasBody: !bodiless });
      if (this.#aborted || !this.#owner.takeVerdict('response_headers', verdict)) return;
    }
    const length = head.contentLength < 0 ? undefined : head.contentLength;
    const plan = bodiless ? undefined : agents.openBody('response', length);
    if (plan?.kind === 'refuse') {
      this.#owner.takeVerdict('response_body', plan.verdict);
      return;
    }
    if (plan?.kind === 'inspect') {
      removeField(head.headers, 'content-length');
      head.contentLength = -1;
    }
    this.#relayResponse(call, head, plan?.kind === 'inspect' ? plan.inspection : undefined);
    call.resume();
  }

  #relayResponse(call: UpstreamCall, head: ResponseHead, inspection: BodyInspection | undefined): void {
    const { downstream, exchange, generation } = this.#owner;
    // That a response without a body is whole says nothing about its length.
    const gathers = this.#plan.route.policies.bufferResponses && !isBodiless(exchange.method, head.status);
    const relay = new ResponseRelay({
      downstream,
      exchange,
      head,
      source: call,
      listener: this,
      gatherBytes: gathers ? generation.limits.bodyBufferBytes.value : 0,
      ...(inspection === undefined ? {} : { inspection }),
    });
    this.#relay = relay;
    relay.begin();
    for (const chunk of this.#early.splice(0)) relay.data(chunk);
    if (this.#earlyEnd !== undefined) relay.end(this.#earlyEnd.trailers);
  }

  /** What came while agents looked at the head: stopping the source is a request, not an order. */
  readonly #early: Buffer[] = [];
  #earlyEnd: { readonly trailers: readonly string[] } | undefined;

  #received(chunk: Buffer): void {
    if (this.#relay === undefined) this.#early.push(chunk);
    else this.#relay.data(chunk);
  }

  #ended(trailers: readonly string[]): void {
    if (this.#relay === undefined) this.#earlyEnd = { trailers };
    else this.#relay.end(trailers);
  }
}

function onConnectTimeout(call: UpstreamCall, limitMs: number): void {
  if (call.sent || call.settled) return;
  call.abort(new GatewayError('connection_timeout', `no connection to ${call.target.name} within ${limitMs} ms`));
}

/** The status of an interim response that clients make use of (RFC 8297). */
const earlyHints = 103;
