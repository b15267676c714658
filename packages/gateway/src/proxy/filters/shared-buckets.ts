// Hot path: counts requests of all threads against rates. Guarded by bench/gateway.
import { randomFillSync } from 'node:crypto';
import type { RateConfig } from '../../config/model/system.ts';
import { hashText } from '../upstream/target.ts';
import { takeToken } from './token-buckets.ts';
import type { Bucket, RateBuckets, RateVerdict } from './token-buckets.ts';

/**
 * Layout: two words of random seed; then a lock for each set; then 16 bytes of numbers and 8 of hash for each bucket. A bucket is
 * found by a 64-bit hash with a seed nobody outside knows, in the set that the hash names; when the set is full, the bucket not used for
 * longest is taken.
 */
const SETS = 16_384;
const WAYS = 8;
const SEED_WORDS = 2;
const LOCKS_AT = SEED_WORDS;
const NUMBERS_AT = (SEED_WORDS + SETS) * 4;
const HASHES_AT = NUMBERS_AT + SETS * WAYS * 16;
const TOTAL_BYTES = HASHES_AT + SETS * WAYS * 8;

/** Memory for the buckets of all rates: 131,072 keys in 3.2 MB. Handed to every thread. */
export function sharedBucketMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(TOTAL_BYTES);
  const seed = new Uint32Array(SEED_WORDS);
  randomFillSync(seed);
  new Uint32Array(memory, 0, SEED_WORDS).set(seed);
  return memory;
}

/**
 * A thread is gone, and may have had a lock. Another that has one at this moment then shares its set with whoever comes next: they miscount
 * a request at worst, where a lock nobody gives back would stop a thread for good.
 */
export function releaseBuckets(memory: SharedArrayBuffer): void {
  const words = new Int32Array(memory, 0, SEED_WORDS + SETS);
  for (let set = 0; set < SETS; set++) Atomics.store(words, LOCKS_AT + set, 0);
}

/** A rate that threads count against together. Threads with the same memory and `id` share what was counted. */
export class SharedBuckets implements RateBuckets {
  readonly rate: RateConfig;
  readonly capacity: number;
  readonly #prefix: string;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #hashes: Uint32Array;
  readonly #seeds: readonly [number, number];
  readonly #scratch: Bucket = { tokens: 0, filledMs: 0 };

  /** `id` names the rate; a rate that changes needs another. */
  constructor(id: string, rate: RateConfig, memory: SharedArrayBuffer) {
    this.rate = rate;
    this.capacity = Math.max(rate.burst, 1);
    this.#prefix = `${id}\n`;
    this.#words = new Int32Array(memory, 0, SEED_WORDS + SETS);
    this.#numbers = new Float64Array(memory, NUMBERS_AT, SETS * WAYS * 2);
    this.#hashes = new Uint32Array(memory, HASHES_AT, SETS * WAYS * 2);
    this.#seeds = [this.#words[0]!, this.#words[1]!];
  }

  take(key: string, nowMs: number, maxDelayMs = 0): RateVerdict {
    const name = this.#prefix + key;
    const high = hashText(name, this.#seeds[0]);
    // Zero is a bucket that nobody has.
    const low = hashText(name, this.#seeds[1]) || 1;
    const set = high % SETS;
    // Each thread's clock begins when the thread does.
    const sharedNowMs = performance.timeOrigin + nowMs;
    this.#lock(set);
    try {
      return this.#takeFrom(this.#find(set, high, low, sharedNowMs), sharedNowMs, maxDelayMs);
    } finally {
      Atomics.store(this.#words, LOCKS_AT + set, 0);
    }
  }

  /** Whoever has the lock is done within microseconds: waiting for it costs less than sleeping. */
  #lock(set: number): void {
    while (Atomics.compareExchange(this.#words, LOCKS_AT + set, 0, 1) !== 0);
  }

  #takeFrom(at: number, nowMs: number, maxDelayMs: number): RateVerdict {
    const bucket = this.#scratch;
    bucket.tokens = this.#numbers[at]!;
    bucket.filledMs = this.#numbers[at + 1]!;
    const verdict = takeToken(bucket, this.rate.requestsPerSecond, this.capacity, nowMs, maxDelayMs);
    this.#numbers[at] = bucket.tokens;
    this.#numbers[at + 1] = bucket.filledMs;
    return verdict;
  }

  /** Where the bucket's numbers are; a new one is full. */
  #find(set: number, high: number, low: number, nowMs: number): number {
    const first = set * WAYS * 2;
    let oldest = first;
    for (let at = first; at < first + WAYS * 2; at += 2) {
      if (this.#hashes[at] === high && this.#hashes[at + 1] === low) return at;
      if (this.#numbers[at + 1]! < this.#numbers[oldest + 1]!) oldest = at;
    }
    this.#hashes[oldest] = high;
    this.#hashes[oldest + 1] = low;
    this.#numbers[oldest] = this.capacity;
    this.#numbers[oldest + 1] = nowMs;
    return oldest;
  }
}
