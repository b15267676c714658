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

interface Bucket {
  tokens: number;
  filledMs: number;
}

/** A rate and its keys. When there are too many keys, the one not seen for longest is forgotten. */
export class TokenBuckets {
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

  /** What `X-RateLimit-Limit` says. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Takes a token. Where requests may be delayed, tokens can be borrowed up to `maxDelayMs` ahead: the request is allowed,
   * and to wait for `waitMs`.
   */
  take(key: string, nowMs: number, maxDelayMs = 0): RateVerdict {
    const { requestsPerSecond } = this.rate;
    const bucket = this.#bucket(key, nowMs);
    const refilled = bucket.tokens + ((nowMs - bucket.filledMs) / 1000) * requestsPerSecond;
    bucket.tokens = Math.min(refilled, this.#capacity);
    bucket.filledMs = nowMs;
    const missing = 1 - bucket.tokens;
    const waitMs = missing <= 0 ? 0 : requestsPerSecond <= 0 ? Infinity : (missing / requestsPerSecond) * 1000;
    const allowed = waitMs <= maxDelayMs;
    if (allowed) bucket.tokens -= 1;
    const remaining = Math.max(0, Math.floor(bucket.tokens));
    const fullMs = requestsPerSecond <= 0 ? 0 : ((this.#capacity - bucket.tokens) / requestsPerSecond) * 1000;
    return { allowed, remaining, waitMs, fullMs };
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
