import { engineCodes } from '../protocol.ts';
import type { StatementClass } from '../client.ts';
import { EngineFailure } from './engine-failure.ts';
import type { EngineSession } from './session.ts';

interface Waiter {
  readonly grant: (session: EngineSession) => void;
  readonly refuse: (failure: Error) => void;
}

/**
 * The sessions by class, each lent to one statement at a time. Clients admit only as many statements as there are sessions,
 * but several clients may share an engine: the surplus waits here in order, up to a bound.
 */
export class SessionPool {
  readonly #idle: Record<StatementClass, EngineSession[]>;
  readonly #waiting: Record<StatementClass, Waiter[]> = { insert: [], control: [], point: [], scan: [] };
  readonly #maxWaiting: number;

  constructor(sessions: Readonly<Record<StatementClass, readonly EngineSession[]>>, maxWaiting: number) {
    this.#idle = {
      insert: [...sessions.insert],
      control: [...sessions.control],
      point: [...sessions.point],
      scan: [...sessions.scan],
    };
    this.#maxWaiting = maxWaiting;
  }

  /** Lends a session of the class; rejects when too many wait or the signal aborts first. */
  acquire(wanted: StatementClass, signal: AbortSignal): Promise<EngineSession> {
    const idle = this.#idle[wanted].pop();
    if (idle !== undefined) return Promise.resolve(idle);
    const queue = this.#waiting[wanted];
    if (queue.length >= this.#maxWaiting) {
      const code = engineCodes.tooManySimultaneousQueries;
      const text = `Code: ${code}. DB::Exception: ${queue.length} statements wait for a ${wanted} session already. (TOO_MANY_SIMULTANEOUS_QUERIES)`;
      return Promise.reject(new EngineFailure(text, code));
    }
    const { promise, resolve, reject } = Promise.withResolvers<EngineSession>();
    const onAbort = (): void => {
      queue.splice(queue.indexOf(waiter), 1);
      reject(abortFailure(signal));
    };
    const waiter: Waiter = {
      grant: (session) => {
        signal.removeEventListener('abort', onAbort);
        resolve(session);
      },
      refuse: reject,
    };
    if (signal.aborted) return Promise.reject(abortFailure(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    queue.push(waiter);
    return promise;
  }

  /** Takes a session back once its statement has settled in the engine. */
  release(owner: StatementClass, session: EngineSession): void {
    const next = this.#waiting[owner].shift();
    if (next !== undefined) next.grant(session);
    else this.#idle[owner].push(session);
  }
}

function abortFailure(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new EngineFailure('The statement was given up', undefined);
}
