import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { engineCodes } from '../protocol.ts';
import { sqlStringLiteral } from '../sql-text.ts';
import type { StatementClass } from '../client.ts';
import { EngineFailure } from './engine-failure.ts';
import type { SessionPool } from './pool.ts';
import type { EngineSession, SessionState } from './session.ts';

/** A statement as it came in, checked. */
export interface StatementRequest {
  readonly queryId: string;
  readonly class: StatementClass;
  readonly sql: string;
  /** Format of the result, or undefined for a statement without one. */
  readonly format: string | undefined;
  readonly state: SessionState;
  /** Time from now until the statement is killed, in milliseconds; 0 means never. */
  readonly timeoutMs: number;
}

/** A statement under way. */
export interface RunningResult {
  /** Result bytes; ends when the statement has ended, well or not. */
  readonly stream: Readable;
  /** Settles when the caller's answer is known: with the statement, its deadline or its abort, whichever is first. */
  readonly outcome: Promise<void>;
}

const killRepeatMs = 250;

/** Runs statements on pooled sessions and kills those nobody waits for any more. */
export class StatementRunner {
  readonly #pool: SessionPool;
  readonly #killer: EngineSession;
  readonly #killerState: SessionState;
  readonly #active = new Set<Promise<unknown>>();
  readonly #aborts = new Set<AbortController>();
  #killTail: Promise<unknown> = Promise.resolve();

  /** `killer` is a session of its own: behind a long control statement a kill would come too late. */
  constructor(pool: SessionPool, killer: EngineSession, killerState: SessionState) {
    this.#pool = pool;
    this.#killer = killer;
    this.#killerState = killerState;
  }

  /** Starts a statement. Aborting the signal kills it. Rejects when no session could be had. */
  async start(request: StatementRequest, signal: AbortSignal): Promise<RunningResult> {
    const abort = new AbortController();
    const giveUp = (): void => abort.abort(cancelledFailure());
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const timer =
      request.timeoutMs > 0
        ? setTimeout(() => abort.abort(timeoutFailure(request.timeoutMs)), request.timeoutMs)
        : undefined;
    this.#aborts.add(abort);
    const finished = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      this.#aborts.delete(abort);
    };
    try {
      const session = await this.#pool.acquire(request.class, abort.signal);
      return this.#run(session, request, abort.signal, finished);
    } catch (caught) {
      finished();
      throw caught;
    }
  }

  /** Waits for all statements to settle; after `drainMs` those still running are killed. */
  async drain(drainMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const abort of this.#aborts) abort.abort(cancelledFailure());
    }, drainMs);
    while (this.#active.size > 0) await Promise.allSettled(this.#active);
    await this.#killTail;
    clearTimeout(timer);
  }

  #run(session: EngineSession, request: StatementRequest, signal: AbortSignal, finished: () => void): RunningResult {
    const channel = openChannel(session, request);
    const engine = channel.run();
    const settled = engine.finally(() => {
      finished();
      this.#pool.release(request.class, session);
    });
    this.#track(settled);
    const aborted = new Promise<never>((_, reject) => {
      const onAbort = (): void => {
        this.#track(this.#killUntilSettled(request.queryId, engine));
        // Draining keeps the engine from blocking on a pipe nobody reads; the bytes are worth nothing any more.
        channel.discard();
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    return { stream: channel.stream, outcome: Promise.race([settled, aborted]) };
  }

  #track(work: Promise<unknown>): void {
    // What went wrong is reported where the statement is answered; here only its end counts.
    const done = Promise.allSettled([work]).finally(() => {
      this.#active.delete(done);
    });
    this.#active.add(done);
  }

  /**
   * Kills by the statement's `log_comment`, which starts with its id, as the library gives no way to choose a query id.
   * Repeated, because a kill sent before the engine has registered the statement finds nothing.
   */
  async #killUntilSettled(queryId: string, engine: Promise<void>): Promise<void> {
    let running = true;
    const over = engine.then(
      () => (running = false),
      () => (running = false),
    );
    // ASYNC: the default, SYNC, would occupy this session for good.
    const sql = `KILL QUERY WHERE startsWith(Settings['log_comment'], ${sqlStringLiteral(queryId)}) ASYNC`;
    while (running) {
      const turn = this.#killTail.then(() => (running ? this.#killer.run(sql, this.#killerState, 'Null') : undefined));
      this.#killTail = turn.catch((caught: unknown) => {
        console.error(`Killing statement ${queryId} failed, trying again: ${String(caught)}`);
      });
      await this.#killTail;
      await Promise.race([over, delay(killRepeatMs)]);
    }
  }
}

interface Channel {
  readonly stream: Readable;
  run(): Promise<void>;
  discard(): void;
}

function openChannel(session: EngineSession, request: StatementRequest): Channel {
  const { sql, state, format } = request;
  if (format === undefined) {
    const stream = new PassThrough();
    return {
      stream,
      run: () =>
        session
          .run(sql, state, 'Null')
          .then(() => undefined)
          .finally(() => stream.end()),
      discard: () => stream.resume(),
    };
  }
  if (session.pipe === undefined) return openBuffered(session, request, format);
  const { stream, finish } = session.pipe.open();
  const piped = sql + session.pipe.outfileClause(format);
  // The session is handed on only after the pipe has been read to its end: the next statement opens the same pipe.
  const drained = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  return {
    stream,
    async run() {
      try {
        // The format is repeated because SHOW statements are rewritten on the way and lose their FORMAT clause.
        await session.run(piped, state, format);
      } finally {
        finish();
        await drained;
      }
    },
    discard: () => {
      stream.removeAllListeners('data');
      stream.resume();
    },
  };
}

function openBuffered(session: EngineSession, request: StatementRequest, format: string): Channel {
  const stream = new PassThrough();
  const drained = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  return {
    stream,
    async run() {
      try {
        stream.write(await session.run(request.sql, request.state, format));
      } finally {
        stream.end();
        await drained;
      }
    },
    discard: () => stream.resume(),
  };
}

function timeoutFailure(timeoutMs: number): EngineFailure {
  const code = engineCodes.timeoutExceeded;
  return new EngineFailure(
    `Code: ${code}. DB::Exception: Timeout exceeded: maximum: ${timeoutMs} ms. (TIMEOUT_EXCEEDED)`,
    code,
  );
}

function cancelledFailure(): EngineFailure {
  const code = engineCodes.queryWasCancelled;
  return new EngineFailure(`Code: ${code}. DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)`, code);
}
