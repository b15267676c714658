// Hot path of requests with agents: which ids are in use, over all threads. Guarded by bench/gateway.
import { hashText } from '../upstream/target.ts';

/**
 * Layout: for each thread a block of buckets, each with places for a few hashes; 0 = free. A thread writes only into its own block, and
 * looks into those of the others.
 */
const BUCKETS = 4096;
const PLACES = 4;
const BLOCK_WORDS = BUCKETS * PLACES;
const HASH_SEED = 0x3c6ef372;

/** Memory for so many threads: 64 KiB each. */
export function sharedIdMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * BLOCK_WORDS * 4);
}

/** A thread that is gone uses no ids any more. */
export function forgetIds(memory: SharedArrayBuffer, index: number): void {
  new Int32Array(memory, index * BLOCK_WORDS * 4, BLOCK_WORDS).fill(0);
}

/** Ids in use by the threads of a gateway, as one of them sees it. Two threads never have the same at once. */
export class SharedIds {
  readonly #words: Int32Array;
  readonly #own: number;

  /** `index` is this thread's place in the memory. */
  constructor(memory: SharedArrayBuffer, index: number) {
    this.#words = new Int32Array(memory);
    this.#own = index * BLOCK_WORDS;
  }

  /**
   * Takes an id that this thread does not have. Returns false when another may have it, or there is no room to say that it is taken. What
   * was taken must be released.
   */
  take(id: string): boolean {
    const hash = hashOf(id);
    const bucket = bucketOf(id);
    const place = this.#placeOf(0, bucket);
    if (place < 0) return false;
    // First said, then looked: of two threads that want the same at once, one at least sees the other.
    Atomics.store(this.#words, place, hash);
    for (let block = 0; block < this.#words.length; block += BLOCK_WORDS) {
      if (block === this.#own || !this.#has(block + bucket, hash)) continue;
      Atomics.store(this.#words, place, 0);
      return false;
    }
    return true;
  }

  /** Others may have it from now on. */
  release(id: string): void {
    const place = this.#placeOf(hashOf(id), bucketOf(id));
    if (place >= 0) Atomics.store(this.#words, place, 0);
  }

  /** Where this thread's block has the hash in a bucket; -1 = nowhere. */
  #placeOf(hash: number, bucket: number): number {
    const start = this.#own + bucket;
    for (let place = start; place < start + PLACES; place++)
      if (Atomics.load(this.#words, place) === hash) return place;
    return -1;
  }

  #has(start: number, hash: number): boolean {
    for (let place = start; place < start + PLACES; place++) if (Atomics.load(this.#words, place) === hash) return true;
    return false;
  }
}

function hashOf(id: string): number {
  return hashText(id, HASH_SEED) | 0 || 1;
}

function bucketOf(id: string): number {
  return (hashText(id) % BUCKETS) * PLACES;
}
