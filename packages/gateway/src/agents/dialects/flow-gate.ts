import { asAgentError } from '../errors.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

interface HeldCall {
  readonly send: () => void;
  readonly fail: (error: AgentError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Signals remembered at once: an agent cannot make the gateway remember more. */
const maxSignals = 1000;

/** Holds calls back while an agent asks for silence, about everything or about one request. */
export class FlowGate {
  readonly #limitMs: number;
  readonly #shut = new Set<string | undefined>();
  readonly #held = new Map<string, HeldCall>();

  /** `limitMs` bounds how long a call is held. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Sends at once or when the agent allows it; `fail` is told `paused` when that takes too long. `send` may throw only at once. */
  whenOpen(key: string, send: () => void, fail: (error: AgentError) => void): void {
    if (this.#shut.size === 0 || !(this.#shut.has(undefined) || this.#shut.has(key))) return send();
    const timer = setTimeout(() => {
      this.#held.delete(key);
      fail(new GatewayError('paused', `the agent asked to be sent nothing and did not end it in ${this.#limitMs} ms`));
    }, this.#limitMs);
    this.#held.set(key, { send, fail, timer });
  }

  /** Holds back calls about `key`; undefined = all. */
  shut(key: string | undefined): void {
    if (this.#shut.size < maxSignals) this.#shut.add(key);
  }

  /** Lets them through again; undefined = all. */
  open(key: string | undefined): void {
    if (key === undefined) this.#shut.clear();
    else this.#shut.delete(key);
    for (const [heldKey, { send, fail, timer }] of this.#held) {
      if (this.#shut.has(undefined) || this.#shut.has(heldKey)) continue;
      clearTimeout(timer);
      this.#held.delete(heldKey);
      try {
        send();
      } catch (caught) {
        fail(asAgentError(caught, 'protocol', 'cannot send to the agent'));
      }
    }
  }

  /** The call about `key` will not be made, or its request is over. */
  forget(key: string): void {
    this.#shut.delete(key);
    clearTimeout(this.#held.get(key)?.timer);
    this.#held.delete(key);
  }

  /** No call will be made any more. */
  clear(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
