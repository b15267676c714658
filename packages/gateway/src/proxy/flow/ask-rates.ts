// Hot path of limited routes: asks every rate a request falls under. Guarded by bench/gateway.
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { rateHeaders, rateKey } from '../filters/rate-limit.ts';
import type { RateLimiter } from '../filters/rate-limit.ts';
import type { GatewayObserver } from '../observer.ts';

/** What the rates say; `told` are the fields the client gets, of the last rate that was asked. */
export type RateRuling = { readonly told: string[] | undefined } & (
  | { readonly kind: 'pass' }
  /** To be asked again, from `next` on, after a while. */
  | { readonly kind: 'wait'; readonly waitMs: number; readonly next: number }
  /** `body` absent = the gateway's own. */
  | { readonly kind: 'refuse'; readonly failure: GatewayFailure; readonly body: string | undefined }
);

/** A refused client with no rate at all is told to come back after this long. */
const fallbackRetrySeconds = 60;

/** Asks the rates one after the other, beginning with the one at `from`; the first that refuses decides. */
export function askRates(
  limiters: readonly RateLimiter[],
  from: number,
  exchange: Exchange,
  observer: GatewayObserver,
): RateRuling {
  let told: string[] | undefined;
  for (let index = from; index < limiters.length; index++) {
    const limiter = limiters[index]!;
    const { onLimit, maxDelayMs, rate } = limiter.settings;
    const lentMs = onLimit === 'delay' ? maxDelayMs : 0;
    const verdict = limiter.buckets.take(rateKey(rate, exchange), performance.now(), lentMs);
    told = rateHeaders(limiter, verdict, Date.now());
    if (verdict.allowed && verdict.waitMs <= 0) continue;
    const action = verdict.allowed ? 'delay' : onLimit === 'log-only' ? 'log-only' : 'reject';
    observer.rateLimited(exchange, limiter.id, action);
    if (action === 'log-only') continue;
    if (action === 'delay') return { kind: 'wait', waitMs: Math.ceil(verdict.waitMs), next: index + 1, told };
    return { kind: 'refuse', told, ...refusalOf(limiter, verdict.waitMs) };
  }
  return { kind: 'pass', told };
}

function refusalOf(
  { id, settings }: RateLimiter,
  waitMs: number,
): { failure: GatewayFailure; body: string | undefined } {
  const retryAfterSeconds = Number.isFinite(waitMs) ? Math.max(1, Math.ceil(waitMs / 1000)) : fallbackRetrySeconds;
  const failure: GatewayFailure = {
    status: settings.statusCode,
    type: 'RateLimit',
    reason: 'rate_limited',
    message: `${id}: too many requests`,
    retryAfterSeconds,
  };
  return { failure, body: settings.message };
}
