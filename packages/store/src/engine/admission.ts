import { StoreError } from '../errors.ts';
import type { QueueSnapshot, StatementClass } from './client.ts';
import type { ClassLimits } from './limits.ts';
import { limitSettings } from './limits.ts';

interface Waiter {
  readonly grant: () => void;
}

/**
 * Lets a bounded number of statements of one class run and a bounded number wait, first come first served. Refusing early
 * is what keeps an overloaded store answering: callers are told to try later while the admitted ones finish in time.
 */
export class AdmissionQueue {
  readonly #class: StatementClass;
  readonly #limits: ClassLimits;
  readonly #waiting: Waiter[] = [];
  #running = 0;
  #refused = 0;

  constructor(statementClass: StatementClass, limits: ClassLimits) {
    this.#class = statementClass;
    this.#limits = limits;
  }

  /**
   * Waits for a turn and gives the function that ends it, to be called exactly once. Fails with `overloaded` when the queue
   * is full or the wait too long, with `cancelled` when the signal aborts.
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) throw cancelledWhileWaiting(this.#class);
    if (this.#running < this.#limits.maxRunning) this.#running++;
    else await this.#wait(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  snapshot(): QueueSnapshot {
    const { maxRunning, maxWaiting, maxWaitMs } = this.#limits;
    return {
      running: this.#running,
      waiting: this.#waiting.length,
      maxRunning,
      maxWaiting,
      maxWaitMs,
      refused: this.#refused,
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    const { maxWaiting, maxWaitMs, maxRunning } = this.#limits;
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(
        this.#refuse(
          `${maxRunning} ${this.#class} statements run and ${maxWaiting} wait, which is all that may (${limitSettings.maxWaiting})`,
        ),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const forget = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const waiter: Waiter = {
      grant: () => {
        forget();
        resolve();
      },
    };
    const giveUp = (error: StoreError): void => {
      forget();
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      reject(error);
    };
    const onAbort = (): void => giveUp(cancelledWhileWaiting(this.#class));
    const timer = setTimeout(
      () =>
        giveUp(this.#refuse(`it waited ${maxWaitMs} ms for its turn, the longest allowed (${limitSettings.maxWait})`)),
      maxWaitMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The turn passes on without being given back, so nobody can slip in between.
    if (next === undefined) this.#running--;
    else next.grant();
  }

  #refuse(reason: string): StoreError {
    this.#refused++;
    return new StoreError(
      'overloaded',
      `The store refused a ${this.#class} statement because ${reason}: try again later`,
      {
        details: { class: this.#class },
      },
    );
  }
}

function cancelledWhileWaiting(statementClass: StatementClass): StoreError {
  return new StoreError('cancelled', `A ${statementClass} statement was cancelled while it waited for its turn`);
}
