import type { ReceivedAnswer } from './connection.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

interface PendingCall {
  resolve(answer: ReceivedAnswer): void;
  reject(error: AgentError): void;
}

/** Calls of one connection that wait for their answers, by whatever tells them apart. */
export class PendingCalls<Key> {
  readonly #calls = new Map<Key, PendingCall>();

  get size(): number {
    return this.#calls.size;
  }

  /** Waits for the answer to `key`, of which only one may be awaited; `send` may throw. */
  add(key: Key, send: () => void): Promise<ReceivedAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#calls.has(key)) {
        reject(new GatewayError('protocol', `two calls about the request ${String(key)} cannot be told apart`));
        return;
      }
      this.#calls.set(key, { resolve, reject });
      try {
        send();
      } catch (error) {
        this.#calls.delete(key);
        reject(error as AgentError);
      }
    });
  }

  /** Answers a call; false when nobody waits for it any more. */
  answer(key: Key, answer: ReceivedAnswer): boolean {
    const call = this.#calls.get(key);
    this.#calls.delete(key);
    call?.resolve(answer);
    return call !== undefined;
  }

  /** Gives up one call; false when nobody waits for it. */
  fail(key: Key, error: AgentError): boolean {
    const call = this.#calls.get(key);
    this.#calls.delete(key);
    call?.reject(error);
    return call !== undefined;
  }

  /** Gives up all calls. */
  failAll(error: AgentError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
  }
}

/** The error of a call that its caller gave up. */
export function abandonedError(): AgentError {
  return new GatewayError('aborted', 'the call was given up by its caller');
}
