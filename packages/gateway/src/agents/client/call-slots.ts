import type { Limit } from '@clew/base';
import { WaitingLine } from './call-scope.ts';
import type { CallScope } from './call-scope.ts';
import { GatewayError } from '../../errors.ts';

/** At most so many calls of an agent at once; the others wait in line, of which the length is limited too. */
export class CallSlots {
  readonly #maxCalls: number;
  readonly #queueLimit: Limit;
  readonly #line = new WaitingLine<void>();
  #taken = 0;

  constructor(maxCalls: number, queueLimit: Limit) {
    this.#maxCalls = maxCalls;
    this.#queueLimit = queueLimit;
  }

  /** Calls that have a slot. */
  get taken(): number {
    return this.#taken;
  }

  /** Calls in line. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Takes a slot, at once when one is free. Fails with `queue_full`, or with the scope's error. */
  acquire(scope: CallScope): Promise<void> | undefined {
    if (this.#taken < this.#maxCalls) {
      this.#taken++;
      return undefined;
    }
    const { length } = this.#line;
    if (!this.#queueLimit.allows(length + 1)) {
      const cause = this.#queueLimit.exceeded(length + 1);
      return Promise.reject(new GatewayError('queue_full', cause.message, { cause }));
    }
    return this.#line.wait(scope);
  }

  /** Gives a slot back, to the next in line if there is one. */
  release(): void {
    if (!this.#line.serve()) this.#taken--;
  }
}
