import type { CancelReason } from '../message.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** The time a call has, over everything it waits for. It ends by timeout or because the caller gives up. */
export class CallScope {
  /** What the call is waiting for, for the error. */
  waitingFor = 'a turn';
  /** What the agent is told when the call is given up. */
  cancelReason: CancelReason = 'timeout';
  readonly #listeners = new Set<(error: AgentError) => void>();
  readonly #timer: NodeJS.Timeout;
  #error: AgentError | undefined;

  constructor(what: string, timeoutMs: number) {
    this.#timer = setTimeout(() => {
      const text = `${what} took longer than the ${timeoutMs} ms of timeout-ms; it was waiting for ${this.waitingFor}`;
      this.end(new GatewayError('timeout', text, { details: { timeoutMs } }));
    }, timeoutMs);
  }

  /** Why the call is over; undefined while it is not. */
  get error(): AgentError | undefined {
    return this.#error;
  }

  /** Ends the call: whoever waits for it hears so. Only the first end counts. */
  end(error: AgentError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    clearTimeout(this.#timer);
    for (const listener of this.#listeners) listener(error);
    this.#listeners.clear();
  }

  /** Calls `listener` when the scope ends; the returned function takes it back. */
  onEnd(listener: (error: AgentError) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The call has its result: nothing can end it any more. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}

/** Calls that wait, first come first served; a call whose scope ends leaves the queue. */
export class WaitingLine<T> {
  readonly #waiters = new Set<{ resolve(value: T): void; reject(error: AgentError): void }>();

  get length(): number {
    return this.#waiters.size;
  }

  /** Waits to be served. Rejects with the scope's error when that ends first. */
  wait(scope: CallScope): Promise<T> {
    if (scope.error !== undefined) return Promise.reject(scope.error);
    return new Promise((resolve, reject) => {
      const leave = scope.onEnd((error) => {
        this.#waiters.delete(waiter);
        reject(error);
      });
      const waiter = {
        resolve: (value: T) => {
          leave();
          resolve(value);
        },
        reject: (error: AgentError) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Serves the first in line; false when nobody waits. */
  serve(value: T): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(value);
      return true;
    }
    return false;
  }

  /** Sends everybody away. */
  dismiss(error: AgentError): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
  }
}
