// Hot path: what limits count, over all threads. Guarded by bench/gateway.
import { hashText } from '../upstream/target.ts';

/**
 * Layout: for each thread a block of words: connections, requests in progress, then two rows of counters by client. A client is counted in
 * one counter of each row, which the seeds decide; others may share one of them with it, hardly ever both, so the lower one counts.
 */
const CONNECTIONS = 0;
const IN_FLIGHT = 1;
const ROWS_AT = 2;
const ROW_WORDS = 8192;
const SEEDS = [0x9e3779b9, 0x7f4a7c15] as const;
const BLOCK_WORDS = ROWS_AT + SEEDS.length * ROW_WORDS;

/** Memory for so many threads: 64 KiB each. */
export function sharedTallyMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * BLOCK_WORDS * 4);
}

/** A thread that is gone has nothing any more. */
export function forgetThread(memory: SharedArrayBuffer, index: number): void {
  new Int32Array(memory, index * BLOCK_WORDS * 4, BLOCK_WORDS).fill(0);
}

/** What the threads of a gateway have together, as one of them sees it. Limits are exact but for what begins within the same microsecond. */
export class SharedTally {
  readonly #words: Int32Array;
  readonly #own: number;

  /** `index` is this thread's place in the memory. */
  constructor(memory: SharedArrayBuffer, index: number) {
    this.#words = new Int32Array(memory);
    this.#own = index * BLOCK_WORDS;
  }

  setConnections(count: number): void {
    Atomics.store(this.#words, this.#own + CONNECTIONS, count);
  }

  setInFlight(count: number): void {
    Atomics.store(this.#words, this.#own + IN_FLIGHT, count);
  }

  /** A client has one connection more or less here. */
  addClient(clientIp: string, change: 1 | -1): void {
    SEEDS.forEach((_, row) => Atomics.add(this.#words, this.#own + slotOf(clientIp, row), change));
  }

  /** Connections of other threads. */
  othersConnections(): number {
    return this.#others(CONNECTIONS);
  }

  /** Requests in progress in other threads. */
  othersInFlight(): number {
    return this.#others(IN_FLIGHT);
  }

  /** Connections of a client to other threads. */
  othersOfClient(clientIp: string): number {
    return Math.min(...SEEDS.map((_, row) => this.#others(slotOf(clientIp, row))));
  }

  #others(offset: number): number {
    let sum = 0;
    for (let block = 0; block < this.#words.length; block += BLOCK_WORDS) {
      if (block !== this.#own) sum += Atomics.load(this.#words, block + offset);
    }
    return sum;
  }
}

function slotOf(clientIp: string, row: number): number {
  return ROWS_AT + row * ROW_WORDS + (hashText(clientIp, SEEDS[row]) % ROW_WORDS);
}
