import type { Segment } from './segment.ts';

/**
 * Segments that wait to be stored, oldest first. Keeps the records of the newest in memory up to a limit; the others are read back from disk when
 * their turn comes, so that a backlog costs disk and not memory.
 */
export class SealedQueue {
  readonly #maxResidentBytes: number;
  readonly #waiting: Segment[] = [];
  readonly #resident = new Set<Segment>();
  #residentBytes = 0;
  #taker: ((segment: Segment | undefined) => void) | undefined;
  #closed = false;

  constructor(maxResidentBytes: number) {
    this.#maxResidentBytes = maxResidentBytes;
  }

  /** Segments nobody has taken yet. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Memory held by records of segments that are not yet released, in bytes. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  push(segment: Segment): void {
    if (segment.buffer !== undefined) {
      this.#resident.add(segment);
      this.#residentBytes += segment.buffer.capacity;
    }
    if (!this.#give(segment)) this.#waiting.push(segment);
    this.#evict();
  }

  /** Whether waiting has ended for good. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The oldest segment, as soon as there is one; undefined when none came within `maxWaitMs` or the queue was closed. One caller at a time.
   */
  next(maxWaitMs?: number): Promise<Segment | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const segment = this.#waiting.shift();
    if (segment !== undefined) return Promise.resolve(segment);
    const { promise, resolve } = Promise.withResolvers<Segment | undefined>();
    const timer = maxWaitMs === undefined ? undefined : setTimeout(() => this.#give(undefined), maxWaitMs);
    this.#taker = (taken) => {
      clearTimeout(timer);
      resolve(taken);
    };
    return promise;
  }

  /** Forgets the memory of a segment that is stored. */
  release(segment: Segment): void {
    if (this.#resident.delete(segment)) this.#residentBytes -= segment.buffer?.capacity ?? 0;
  }

  /** Frees the memory of a segment that is not stored soon; it is read back from disk. */
  evict(segment: Segment): void {
    this.release(segment);
    segment.evict();
  }

  /** Ends waiting: `next` gives undefined from now on. */
  close(): void {
    this.#closed = true;
    this.#give(undefined);
  }

  #give(segment: Segment | undefined): boolean {
    const taker = this.#taker;
    if (taker === undefined) return false;
    this.#taker = undefined;
    taker(segment);
    return true;
  }

  #evict(): void {
    for (const segment of this.#waiting) {
      if (this.#residentBytes <= this.#maxResidentBytes) return;
      if (segment.buffer !== undefined) this.evict(segment);
    }
  }
}
