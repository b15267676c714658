// Hot path of routes with rates, filters or agents. Guarded by bench/gateway.
import { CorsPolicy } from '../filters/cors.ts';
import type { RateLimiter } from '../filters/rate-limit.ts';
import { redirectLocation } from '../filters/rewrite.ts';
import type { GatewayFailure } from '../failure.ts';
import type { LocalAnswer } from '../local/answer.ts';
import { askRates } from './ask-rates.ts';
import { internal } from './failures.ts';
import type { FilterStep } from './filter-steps.ts';
import { askRequestAgents } from './request-agents.ts';
import type { RequestAgentsOwner } from './request-agents.ts';
import type { RoutePlan } from './route-plan.ts';

/** The request that goes through the steps of its route. */
export interface StepOwner extends RequestAgentsOwner {
  /** What every response says of rates. */
  rateHeaders: readonly string[] | undefined;
  /** What every response says to browsers. */
  corsHeaders: readonly string[] | undefined;
  /** Goes on with a request that has to wait; cleared when the request is over. */
  delay: NodeJS.Timeout | undefined;
  /** Whether the client has its answer, or is gone. */
  readonly answered: boolean;
  answer(answer: LocalAnswer): void;
  /** Answers with a text of the configuration's instead of an error body. */
  answerText(failure: GatewayFailure, body: string): void;
  fail(failure: GatewayFailure): void;
  /** Makes the body ready, when there is one. Returns false when it is too large; the client then has its answer. */
  readyBody(plan: RoutePlan): boolean;
  /** Gives the request to its destination. */
  proceed(plan: RoutePlan): void;
}

/** Takes the steps of the route from one on, until one of them answers or has to wait; then the destination has its turn. */
export function takeSteps(owner: StepOwner, plan: RoutePlan, from: number): void {
  if (owner.answered) return;
  const { steps } = plan;
  for (let at = from; at < steps.length; at++) {
    if (!takeStep(owner, plan, steps[at]!, () => takeSteps(owner, plan, at + 1))) return;
  }
  if (owner.readyBody(plan)) owner.proceed(plan);
}

/** Returns whether the request may go on at once; else `next` goes on with it, or nobody does. */
function takeStep(owner: StepOwner, plan: RoutePlan, step: FilterStep, next: () => void): boolean {
  const { exchange } = owner;
  switch (step.kind) {
    case 'rates':
      return askLimiters(owner, step.limiters, 0, next);
    case 'preflight': {
      const { requestHeaders } = exchange;
      if (!CorsPolicy.isPreflight(exchange.method, requestHeaders)) return true;
      exchange.answeredBy = 'filter';
      owner.corsHeaders = undefined;
      owner.answer({ status: 204, headers: step.cors.preflightHeaders(requestHeaders), body: '' });
      return false;
    }
    case 'redirect': {
      exchange.answeredBy = 'filter';
      const headers = ['Location', redirectLocation(step.redirect, exchange)];
      owner.answer({ status: step.redirect.statusCode, headers, body: '' });
      return false;
    }
    case 'agents':
      if (plan.chain === undefined || plan.chain.empty) return true;
      if (owner.readyBody(plan)) {
        askRequestAgents(owner, plan, next).catch((caught: unknown) => owner.fail(internal(caught)));
      }
      return false;
  }
}

/** Asks rates; returns whether the request may go on at once. When it has to wait, `next` goes on with it later. */
export function askLimiters(
  owner: StepOwner,
  limiters: readonly RateLimiter[],
  from: number,
  next: () => void,
): boolean {
  const { exchange } = owner;
  const ruling = askRates(limiters, from, exchange, owner.context.observer);
  if (ruling.told !== undefined) owner.rateHeaders = ruling.told;
  switch (ruling.kind) {
    case 'pass':
      return true;
    case 'wait':
      owner.delay = setTimeout(() => {
        if (!owner.over && askLimiters(owner, limiters, ruling.next, next)) next();
      }, ruling.waitMs);
      return false;
    case 'refuse':
      exchange.rateLimitHit = true;
      exchange.blocked = 'rate_limited';
      if (ruling.body === undefined) owner.fail(ruling.failure);
      else owner.answerText(ruling.failure, ruling.body);
      return false;
  }
}
