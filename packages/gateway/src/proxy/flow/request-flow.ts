// Hot path: the life of every request, from its head to its last byte. Guarded by bench/gateway.
//
// Without agents, delays and retries everything up to sending happens in one turn of the event loop, without promises.
// The steps: admit → limits → filters → agents → destination; each either goes on to the next or answers.
import type { AgentExchange, BodyStep, ChainVerdict, HeaderOperation } from '../../agents/index.ts';
import { applyHeaderOperations } from '../../agents/index.ts';
import type { ListenerConfig } from '../../config/model/listener.ts';
import type { RoutableRequest } from '../../routing/request.ts';
import type { Downstream, DownstreamListener } from '../downstream/downstream.ts';
import { checkHead } from '../downstream/head-check.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import { Exchange } from '../exchange.ts';
import type { BlockReason } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { inboundCorrelationId, newCorrelationId } from '../headers/correlation-id.ts';
import { discardAnswer, errorAnswer } from '../local/answer.ts';
import type { LocalAnswer } from '../local/answer.ts';
import { builtinAnswer, healthAnswer } from '../local/builtin.ts';
import { sendAnswer } from '../local/send-answer.ts';
import { endRunningCalls, failureOfAgent } from './agent-phase.ts';
import { looksAtResponses, showAnswer } from './answer-agents.ts';
import type { AnswerOwner } from './answer-agents.ts';
import { internal, noRoute, overload, tooLarge, upgradeWithBody } from './failures.ts';
import { askLimiters, takeSteps } from './take-steps.ts';
import type { StepOwner } from './take-steps.ts';
import type { GatewayContext, Generation, RunningRequest } from './gateway-context.ts';
import { isIdempotent } from './retry.ts';
import { RequestBody } from './request-body.ts';
import type { RoutePlan } from './route-plan.ts';
import { UpstreamExchange } from './upstream-exchange.ts';
import type { UpstreamExchangeOwner } from './upstream-exchange.ts';
import { GatewayError } from '../../errors.ts';

const noOperations: readonly HeaderOperation[] = [];

/** One request. */
export class RequestFlow
  implements DownstreamListener, RunningRequest, RoutableRequest, StepOwner, UpstreamExchangeOwner, AnswerOwner
{
  readonly exchange: Exchange;
  readonly downstream: Downstream;
  readonly generation: Generation;
  readonly context: GatewayContext;
  plan: RoutePlan | undefined;
  agents: AgentExchange | undefined;
  body: RequestBody | undefined;
  declared: BodyDeclaration = { hasBody: false, contentLength: -1 };
  requestOperations: readonly HeaderOperation[] = noOperations;
  responseOperations: readonly HeaderOperation[] = noOperations;
  inFlightSlot = -1;
  /** The request's or that of its attempt under way, whichever comes first. */
  deadlineMs = Infinity;
  #requestDeadlineMs = Infinity;
  readonly #listenerConfig: ListenerConfig;
  /** Which request of its connection it is, from 1. */
  readonly #ordinal: number;
  /** What every response says of rates. */
  rateHeaders: readonly string[] | undefined;
  /** What every response says to browsers. */
  corsHeaders: readonly string[] | undefined;
  #upstream: UpstreamExchange | undefined;
  #limitMs = 0;
  /** Goes on with a request that has to wait. */
  delay: NodeJS.Timeout | undefined;
  #answered = false;
  #over = false;

  constructor(downstream: Downstream, listenerConfig: ListenerConfig, context: GatewayContext) {
    this.downstream = downstream;
    this.context = context;
    this.generation = context.generation;
    this.#listenerConfig = this.generation.listeners.get(listenerConfig.id) ?? listenerConfig;
    this.exchange = new Exchange(downstream.connection, performance.now(), Date.now());
    this.#ordinal = ++downstream.connection.requests;
  }

  // What routing reads.
  get method(): string {
    return this.exchange.method;
  }
  get authority(): string {
    return this.exchange.authority;
  }
  get path(): string {
    return this.exchange.path;
  }
  get query(): string {
    return this.exchange.query;
  }
  get headers(): RoutableRequest['headers'] {
    return this.downstream.headers;
  }

  /** Whether the request has come to its end, one way or the other. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether nothing more can be done for the client. */
  get answered(): boolean {
    return this.#over || this.#answered;
  }

  /** Begins; `refusal` when it is clear already that the request cannot be served. */
  start(refusal?: GatewayFailure): void {
    const { exchange, downstream, context, generation } = this;
    context.inFlight.add(this);
    downstream.listen(this);
    const checked = checkHead(downstream, exchange, generation.limits);
    this.#identify();
    context.observer.requestStarted(exchange);
    if (refusal !== undefined) {
      this.refuse(refusal, 'malformed_request');
      return;
    }
    if (!checked.ok) {
      this.refuse(checked.failure, checked.blocked);
      return;
    }
    if (downstream.wantsUpgrade && checked.body.hasBody) {
      // Where the body ends and the other protocol begins, two servers could see differently.
      this.refuse(upgradeWithBody, 'malformed_request');
      return;
    }
    this.declared = checked.body;
    const { inFlightRequests } = generation.limits;
    const inFlight = context.inFlight.everywhere;
    if (!inFlightRequests.allows(inFlight)) {
      const { message } = inFlightRequests.exceeded(inFlight);
      this.refuse(overload('in_flight_requests', message), 'in_flight_limit');
      return;
    }
    this.#route();
  }

  /** The body is no body: the client sent what cannot be read. */
  onBrokenBody(why: string): void {
    this.downstream.onBodyBroken();
    if (this.#answered) return;
    const error = new GatewayError('body_broken', `the request body cannot be read: ${why}`);
    if (this.body?.begun === true) this.body.fail(error);
    else this.#onBodyTrouble(error);
  }

  onDrain(): void {
    this.#upstream?.onClientDrained();
  }

  onClose(finished: boolean): void {
    if (this.#over) return;
    const { exchange } = this;
    if (!finished && exchange.end === 'complete') {
      exchange.end = 'client_gone';
      if (!this.downstream.headSent) exchange.status = 499;
      this.agents?.abort('clientDisconnect');
    }
    this.#finish();
  }

  kill(): void {
    this.agents?.abort('proxyShutdown');
    this.fail({ status: 503, type: 'ServiceUnavailable', reason: 'shutting_down', message: 'the gateway stops' });
    if (!this.#over) this.downstream.cut();
  }

  /** Answers with an error, or, when an answer is on its way already, cuts it off. */
  fail(failure: GatewayFailure): void {
    if (this.#over) return;
    this.exchange.failure ??= failure;
    if (this.downstream.headSent || this.#answered) {
      this.cutOff();
      return;
    }
    this.exchange.answeredBy = 'gateway';
    this.answer(errorAnswer(this.exchange, failure));
  }

  /** The same for requests that are not let through. */
  refuse(failure: GatewayFailure, blocked: BlockReason | undefined): void {
    this.exchange.blocked = blocked;
    this.fail(failure);
  }

  /** The response cannot be finished: the client must see that. */
  cutOff(): void {
    this.exchange.end = 'cut';
    this.#upstream?.abort('the response was cut off');
    this.downstream.cut();
  }

  /** Gives the client a response of the gateway's own. */
  answer(answer: LocalAnswer): void {
    if (this.#over || this.#answered) {
      discardAnswer(answer);
      return;
    }
    this.#answered = true;
    this.#upstream?.abort('the gateway answered itself');
    if (this.body?.begun === true) this.body.abandon();
    const { exchange, plan } = this;
    exchange.status = answer.status;
    let headers = [...answer.headers, 'X-Correlation-Id', exchange.correlationId];
    const { extraHeaders } = this;
    if (extraHeaders !== undefined) headers.push(...extraHeaders);
    const { answeredBy } = exchange;
    if ((answeredBy === 'static' || answeredBy === 'builtin') && plan?.editResponse !== undefined) {
      headers = plan.editResponse(headers);
    }
    if (this.responseOperations.length > 0) headers = applyHeaderOperations(headers, this.responseOperations);
    const close = answer.close === true || this.context.inFlight.draining || this.#mustClose();
    sendAnswer(this.downstream, exchange, { ...answer, headers, close }, (error) => {
      exchange.failure ??= internal(error);
      this.cutOff();
    });
  }

  /** The fields of a response that come from neither upstream nor agents. */
  get extraHeaders(): readonly string[] | undefined {
    const rates = this.rateHeaders;
    const cors = this.corsHeaders;
    if (cors === undefined || cors.length === 0) return rates;
    return rates === undefined ? cors : [...rates, ...cors];
  }

  /** Takes what agents say besides yes and no. Returns false when they refused; the client then has its answer. */
  takeVerdict(event: string, verdict: ChainVerdict | BodyStep): boolean {
    if (this.#over) return false;
    const { exchange, context } = this;
    if (verdict.requestHeaders.length > 0)
      this.requestOperations = [...this.requestOperations, ...verdict.requestHeaders];
    if (verdict.responseHeaders.length > 0) {
      this.responseOperations = [...this.responseOperations, ...verdict.responseHeaders];
    }
    const refusal = verdict.kind === 'refuse' ? verdict.refusal : undefined;
    context.observer.agentsDecided(exchange, {
      event,
      audit: verdict.audit,
      routing: verdict.routingMetadata,
      ...(refusal === undefined ? {} : { refusal }),
    });
    if (refusal === undefined) return true;
    exchange.blockedByAgent = refusal.agentId;
    if (refusal.reason === 'failure') {
      exchange.failure = failureOfAgent(refusal);
      if (refusal.response.status === 413) exchange.blocked = 'body_size_exceeded';
    } else exchange.blocked = 'agent_blocked';
    if (this.downstream.headSent) {
      this.cutOff();
      return false;
    }
    exchange.answeredBy = 'agent';
    const { status, headers, body } = refusal.response;
    this.answer({ status, headers: headers.flat(), body });
    return false;
  }

  /** A response that makes use of the connection for something else is under way. */
  onUpgraded(): void {
    this.deadlineMs = this.#requestDeadlineMs = Infinity;
    this.exchange.upgraded = true;
  }

  /** The upgraded connection is over. */
  onUpgradeOver(): void {
    this.#finish();
  }

  #identify(): void {
    const { exchange, generation } = this;
    exchange.correlationId =
      inboundCorrelationId(exchange.requestHeaders) ??
      newCorrelationId(generation.correlationIdFormat, exchange.startUnixMs);
    generation.traceStarter?.startRequest(exchange);
  }

  #route(): void {
    const { exchange, generation, downstream } = this;
    if (exchange.target === '*') {
      exchange.answeredBy = 'builtin';
      this.answer({ status: 204, headers: ['Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS'], body: '' });
      return;
    }
    const match = generation.matcher.match(this, this.#listenerConfig.defaultRoute);
    if (match === undefined) {
      const { globalLimiter } = generation;
      const unmatched = (): void => this.fail(noRoute);
      if (globalLimiter === undefined || askLimiters(this, [globalLimiter], 0, unmatched)) unmatched();
      return;
    }
    const plan = generation.plans.get(match.route.id)!;
    this.plan = plan;
    exchange.route = plan.route;
    exchange.serviceType = plan.route.serviceType;
    if (match.path !== undefined) {
      exchange.routePattern = match.path.value;
      if (match.path.kind === 'prefix') exchange.matchedPrefix = match.path.value;
    }
    if (plan.destination.kind === 'upstream') exchange.upstreamId = plan.destination.id;
    this.#setDeadline(plan.requestTimeoutMs ?? this.#listenerConfig.requestTimeoutMs);
    if (downstream.wantsUpgrade && !plan.route.websocket) {
      const message = `WebSocket not enabled for route ${plan.route.id}`;
      exchange.blocked = 'websocket_not_enabled';
      this.answerText(
        { status: 403, type: 'Forbidden', reason: 'websocket_not_enabled', message },
        'WebSocket not enabled for this route',
      );
      return;
    }
    this.corsHeaders = plan.cors?.responseHeaders(exchange.requestHeaders);
    if (plan.steps.length > 0) takeSteps(this, plan, 0);
    else if (this.readyBody(plan)) this.proceed(plan);
  }

  #setDeadline(limitMs: number): void {
    if (limitMs <= 0) return;
    this.#limitMs = limitMs;
    this.#requestDeadlineMs = this.exchange.startMs + limitMs;
    this.deadlineMs = this.#requestDeadlineMs;
    this.context.inFlight.watch(this);
  }

  limitAttempt(deadlineMs: number): void {
    this.deadlineMs = Math.min(deadlineMs, this.#requestDeadlineMs);
    this.context.inFlight.watch(this);
  }

  /** Answers with a text of the configuration's instead of an error body. */
  answerText(failure: GatewayFailure, body: string): void {
    this.exchange.failure = failure;
    const { status, retryAfterSeconds } = failure;
    const headers = ['Content-Type', 'text/plain; charset=utf-8'];
    if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds));
    this.answer({ status, headers, body });
  }

  /** Makes the body ready, when there is one. Returns false when it is too large; the client then has its answer. */
  readyBody(plan: RoutePlan): boolean {
    const { declared } = this;
    if (this.body !== undefined || !declared.hasBody) return true;
    if (declared.contentLength >= 0 && !plan.maxBody.allows(declared.contentLength)) {
      this.refuse(tooLarge(plan.maxBody.exceeded(declared.contentLength).message), 'body_size_exceeded');
      return false;
    }
    this.body = this.#requestBody(plan);
    return true;
  }

  #requestBody(plan: RoutePlan): RequestBody {
    const { downstream, exchange, generation } = this;
    const { retryPolicy } = plan.route;
    const repeatable = retryPolicy !== undefined && (retryPolicy.retryNonIdempotent || isIdempotent(exchange.method));
    const { destination } = plan;
    return new RequestBody({
      downstream,
      exchange,
      maxBytes: plan.maxBody,
      keepBytes: repeatable && retryPolicy.maxAttempts > 1 ? generation.limits.bodyBufferBytes.value : 0,
      writeTimeoutMs: destination.kind === 'upstream' ? (destination.upstream?.config.timeouts.writeMs ?? 0) : 0,
      onTrouble: (error) => this.#onBodyTrouble(error),
    });
  }

  #onBodyTrouble(error: GatewayError): void {
    if (error.code === 'body_too_large') this.refuse(tooLarge(error.message), 'body_size_exceeded');
    else {
      const failure = { status: 400, type: 'RequestValidation', reason: 'bad_body', message: error.message } as const;
      this.refuse({ ...failure, closeConnection: true }, 'malformed_request');
    }
  }

  /** Nothing stands in the way any more. */
  proceed(plan: RoutePlan): void {
    if (this.#over || this.#answered) return;
    const { destination, route } = plan;
    switch (destination.kind) {
      case 'builtin':
        this.exchange.answeredBy = 'builtin';
        if (destination.handler === 'health') this.#give(healthAnswer(this.exchange));
        else this.#answerLater(builtinAnswer(destination.handler, this.exchange, this.context.builtin));
        return;
      case 'static':
        this.exchange.answeredBy = 'static';
        this.#answerLater(destination.files.answer(this.exchange));
        return;
      case 'upstream':
        if (
          this.body !== undefined &&
          route.policies.bufferRequests &&
          this.body.wholeBytes === undefined &&
          !this.body.begun
        ) {
          this.body.gather(this.generation.limits.bodyBufferBytes, () => this.#send(plan));
        } else this.#send(plan);
    }
  }

  #send(plan: RoutePlan): void {
    if (this.#over || this.#answered) return;
    const { destination } = plan;
    if (destination.kind !== 'upstream' || destination.upstream === undefined) {
      const message = `upstream ${this.exchange.upstreamId} is not there`;
      this.fail({ status: 500, type: 'Internal', reason: 'internal_error', message });
      return;
    }
    this.#upstream = new UpstreamExchange(this, plan, destination.upstream);
    this.#upstream.start();
  }

  #answerLater(answer: Promise<LocalAnswer | GatewayFailure>): void {
    answer.then(
      (ready) => {
        if ('body' in ready) this.#give(ready);
        else this.fail(ready);
      },
      (caught: unknown) => this.fail(internal(caught)),
    );
  }

  /** Answers with what the route itself has; agents see it like any response. */
  #give(answer: LocalAnswer): void {
    const { agents } = this;
    if (agents === undefined || !looksAtResponses(agents)) this.answer(answer);
    else showAnswer(this, agents, answer).catch((caught: unknown) => this.fail(internal(caught)));
  }

  #mustClose(): boolean {
    const { keepaliveMaxRequests } = this.#listenerConfig;
    return keepaliveMaxRequests !== undefined && this.#ordinal >= keepaliveMaxRequests;
  }

  /** Whether the client's connection ends with the response that is about to begin. */
  get closesConnection(): boolean {
    return this.context.inFlight.draining || this.#mustClose();
  }

  onDeadline(): void {
    if (this.deadlineMs < this.#requestDeadlineMs) {
      this.deadlineMs = this.#requestDeadlineMs;
      this.#upstream?.onAttemptDeadline();
      return;
    }
    this.deadlineMs = this.#requestDeadlineMs = Infinity;
    const message = `the request took longer than ${this.#limitMs} ms`;
    this.agents?.abort('timeout');
    this.fail({ status: 504, type: 'Timeout', reason: 'request_timeout', message });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.delay);
    const { exchange, context, agents } = this;
    this.#upstream?.abort('the request is over');
    this.body?.abandon();
    exchange.endMs = performance.now();
    if (agents !== undefined) {
      if (exchange.answeredBy === 'gateway' && exchange.attempts.at(-1)?.failure !== undefined)
        agents.abort('upstreamError');
      endRunningCalls(exchange, context.observer);
      void agents.complete({
        status: exchange.status,
        durationMs: exchange.durationMs,
        requestBodyBytes: exchange.requestBodyBytes,
        responseBodyBytes: exchange.responseBodyBytes,
        upstreamAttempts: exchange.attempts.length,
        ...(exchange.upstreamId === '' ? {} : { upstreamId: exchange.upstreamId }),
        ...(exchange.failure === undefined ? {} : { error: exchange.failure.reason }),
      });
    }
    context.inFlight.delete(this);
    context.observer.requestEnded(exchange);
  }
}
