import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { RateLimitFilter } from '../../config/model/filter.ts';
import type { RateConfig } from '../../config/model/system.ts';
import type { Exchange } from '../exchange.ts';
import { fieldValue } from '../headers/fields.ts';
import { TokenBuckets } from './token-buckets.ts';
import type { RateBuckets, RateVerdict } from './token-buckets.ts';

/** Keys counted where no setting says how many. */
const defaultMaxKeys = 100_000;

/** One rate a request has to pass, with what happens when it does not. */
export interface RateLimiter {
  /** For logs: a filter's id, or where the rate is written. */
  readonly id: string;
  readonly settings: Omit<RateLimitFilter, 'type'>;
  readonly buckets: RateBuckets;
}

/** A rate written without a filter: it refuses. */
export function plainRate(rate: RateConfig): Omit<RateLimitFilter, 'type'> {
  return { rate, onLimit: 'reject', statusCode: 429, maxDelayMs: 0, maxKeys: defaultMaxKeys };
}

/** Makes what counts for a limiter. */
export type MakeBuckets = (id: string, settings: Omit<RateLimitFilter, 'type'>) => RateBuckets;

/** Keeps what was counted when a new configuration has the same limiter. */
export class RateLimiters {
  readonly #makeBuckets: MakeBuckets;
  #limiters = new Map<string, RateLimiter>();
  #next: Map<string, RateLimiter> | undefined;

  /** Without `makeBuckets` this thread counts for itself. */
  constructor(makeBuckets: MakeBuckets = (_id, { rate, maxKeys }) => new TokenBuckets(rate, maxKeys)) {
    this.#makeBuckets = makeBuckets;
  }

  /** Between these two, `limiter` makes the limiters of a new configuration. */
  begin(): void {
    this.#next = new Map();
  }

  commit(): void {
    if (this.#next !== undefined) this.#limiters = this.#next;
    this.#next = undefined;
  }

  limiter(id: string, settings: Omit<RateLimitFilter, 'type'>): RateLimiter {
    const present = this.#next?.get(id) ?? this.#limiters.get(id);
    const limiter: RateLimiter =
      present !== undefined && isDeepStrictEqual(present.settings, settings)
        ? present
        : { id, settings, buckets: this.#makeBuckets(id, settings) };
    this.#next?.set(id, limiter);
    return limiter;
  }
}

/** Longer keys are counted by their digest: a hundred thousand of them must not be hundreds of megabytes. */
const maxKeyLength = 256;

/** What a request counts as. */
export function rateKey(rate: RateConfig, exchange: Exchange): string {
  const key = plainKey(rate, exchange);
  return key.length <= maxKeyLength ? key : hash('sha256', key, 'base64');
}

function plainKey({ key }: RateConfig, exchange: Exchange): string {
  const { clientIp } = exchange.connection;
  switch (key.kind) {
    case 'client-ip':
      return clientIp;
    case 'path':
      return exchange.path;
    case 'route':
      return exchange.route?.id ?? '';
    case 'client-ip-and-path':
      return `${clientIp} ${exchange.path}`;
    case 'header':
      return fieldValue(exchange.requestHeaders, key.header) ?? '';
  }
}

/** The fields that tell a client how it stands; seconds of the day for the reset. */
export function rateHeaders({ buckets }: RateLimiter, verdict: RateVerdict, nowUnixMs: number): string[] {
  return [
    'X-RateLimit-Limit',
    String(buckets.capacity),
    'X-RateLimit-Remaining',
    String(verdict.remaining),
    'X-RateLimit-Reset',
    String(Math.ceil((nowUnixMs + verdict.fullMs) / 1000)),
  ];
}
