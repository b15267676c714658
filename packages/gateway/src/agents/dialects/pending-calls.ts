import type { ReceivedAnswer } from './connection.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

interface PendingCall<Key> {
  readonly key: Key;
  resolve(answer: ReceivedAnswer): void;
  reject(error: AgentError): void;
}

/**
 * Calls of one connection that wait for their answers, by whatever tells them apart. A list in no order, not a map, for they are
 * few (at most `maxCallsPerConnection`): a map's table is made anew every few calls, and the tables before it, once they are
 * old, keep the calls they had from being collected as young objects.
 */
export class PendingCalls<Key> {
  readonly #calls: PendingCall<Key>[] = [];

  get size(): number {
    return this.#calls.length;
  }

  /** Waits for the answer to `key`, of which only one may be awaited; `send` may throw. */
  add(key: Key, send: () => void): Promise<ReceivedAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#at(key) >= 0) {
        reject(new GatewayError('protocol', `two calls about the request ${String(key)} cannot be told apart`));
        return;
      }
      this.#calls.push({ key, resolve, reject });
      try {
        send();
      } catch (error) {
        this.#take(key);
        reject(error as AgentError);
      }
    });
  }

  /** Answers a call; false when nobody waits for it any more. */
  answer(key: Key, answer: ReceivedAnswer): boolean {
    const call = this.#take(key);
    call?.resolve(answer);
    return call !== undefined;
  }

  /** Gives up one call; false when nobody waits for it. */
  fail(key: Key, error: AgentError): boolean {
    const call = this.#take(key);
    call?.reject(error);
    return call !== undefined;
  }

  /** Gives up all calls. */
  failAll(error: AgentError): void {
    for (const call of this.#calls.splice(0)) call.reject(error);
  }

  #at(key: Key): number {
    for (let at = 0; at < this.#calls.length; at++) if (this.#calls[at]!.key === key) return at;
    return -1;
  }

  #take(key: Key): PendingCall<Key> | undefined {
    const at = this.#at(key);
    if (at < 0) return undefined;
    const call = this.#calls[at]!;
    const last = this.#calls.pop()!;
    if (last !== call) this.#calls[at] = last;
    return call;
  }
}

/** The error of a call that its caller gave up. */
export function abandonedError(): AgentError {
  return new GatewayError('aborted', 'the call was given up by its caller');
}
