// Hot path: counts requests against rates. Guarded by bench/gateway.
import type { RateConfig } from '../../config/model/system.ts';

/** What a rate says about one request. */
export interface RateVerdict {
  readonly allowed: boolean;
  /** Requests that may follow at once. */
  readonly remaining: number;
  /** Until a token is there, when there is none. */
  readonly waitMs: number;
  /** Until the bucket is full again. */
  readonly fullMs: number;
}

/** What is left of a rate for one key, and when that was counted. */
export interface Bucket {
  tokens: number;
  filledMs: number;
}

/** A rate and what was counted against it. */
export interface RateBuckets {
  readonly rate: RateConfig;
  /** What `X-RateLimit-Limit` says. */
  readonly capacity: number;
  /**
   * Takes a token. Where requests may be delayed, tokens can be borrowed up to `maxDelayMs` ahead: the request is allowed,
   * and to wait for `waitMs`. `nowMs` is `performance.now()`.
   */
  take(key: string, nowMs: number, maxDelayMs?: number): RateVerdict;
}

/** Takes a token from a bucket of `capacity` tokens. */
export function takeToken(
  bucket: Bucket,
  requestsPerSecond: number,
  capacity: number,
  nowMs: number,
  maxDelayMs: number,
): RateVerdict {
  const refilled = bucket.tokens + (Math.max(nowMs - bucket.filledMs, 0) / 1000) * requestsPerSecond;
  bucket.tokens = Math.min(refilled, capacity);
  bucket.filledMs = Math.max(nowMs, bucket.filledMs);
  const missing = 1 - bucket.tokens;
  const waitMs = missing <= 0 ? 0 : requestsPerSecond <= 0 ? Infinity : (missing / requestsPerSecond) * 1000;
  const allowed = waitMs <= maxDelayMs;
  if (allowed) bucket.tokens -= 1;
  const remaining = Math.max(0, Math.floor(bucket.tokens));
  const fullMs = requestsPerSecond <= 0 ? 0 : ((capacity - bucket.tokens) / requestsPerSecond) * 1000;
  return { allowed, remaining, waitMs, fullMs };
}

/** A rate and its keys. When there are too many keys, the one not seen for longest is forgotten. */
export class TokenBuckets implements RateBuckets {
  readonly rate: RateConfig;
  readonly #capacity: number;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: RateConfig, maxKeys: number) {
    this.rate = rate;
    this.#capacity = Math.max(rate.burst, 1);
    this.#maxKeys = Math.max(maxKeys, 1);
  }

  get keys(): number {
    return this.#buckets.size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  take(key: string, nowMs: number, maxDelayMs = 0): RateVerdict {
    return takeToken(this.#bucket(key, nowMs), this.rate.requestsPerSecond, this.#capacity, nowMs, maxDelayMs);
  }

  #bucket(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      // Maps keep the order of insertion: the first key is always the one not seen for longest.
      if (this.#buckets.size >= this.#maxKeys) {
        this.#buckets.delete(key);
        this.#buckets.set(key, known);
      }
      return known;
    }
    if (this.#buckets.size >= this.#maxKeys) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    const bucket: Bucket = { tokens: this.#capacity, filledMs: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
