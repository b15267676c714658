import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EngineSnapshot,
  EngineTarget,
  InsertFile,
  QueueSnapshot,
  SqlClient,
  StatementOptions,
  StreamOptions,
} from '../engine/client.ts';
import { StoreError } from '../errors.ts';

const NO_QUEUE: QueueSnapshot = { running: 0, waiting: 0, maxRunning: 0, maxWaiting: 0, maxWaitMs: 0, refused: 0 };

/**
 * A client of an engine that is not connected yet: statements wait for the connection up to a limit and then fail with `engine_unavailable`,
 * naming the last reason. Once connected it passes everything on.
 */
export class LateClient implements SqlClient {
  readonly target: EngineTarget;
  readonly cluster?: string;
  readonly #maxWaitMs: number;
  readonly #connected = Promise.withResolvers<SqlClient>();
  #client: SqlClient | undefined;
  #reason = 'it was not reached yet';
  readonly #sinceUnixMs = Date.now();

  constructor(target: EngineTarget, cluster: string | undefined, maxWaitMs: number) {
    this.target = target;
    if (cluster !== undefined) this.cluster = cluster;
    this.#maxWaitMs = maxWaitMs;
  }

  /** From now on statements go to `client`. */
  connect(client: SqlClient): void {
    this.#client = client;
    this.#connected.resolve(client);
  }

  /** Says why there is no connection yet, for messages. */
  explain(reason: string): void {
    this.#reason = reason;
  }

  async execute(sql: string, options: StatementOptions): Promise<void> {
    return (await this.#wait(options.signal)).execute(sql, options);
  }

  async rows<T>(sql: string, options: StatementOptions): Promise<T[]> {
    return (await this.#wait(options.signal)).rows<T>(sql, options);
  }

  async stream(sql: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#wait(options.signal)).stream(sql, options);
  }

  async insertFile(insert: InsertFile): Promise<void> {
    return (await this.#wait(insert.signal)).insertFile(insert);
  }

  snapshot(): EngineSnapshot {
    if (this.#client !== undefined) return this.#client.snapshot();
    return {
      target: this.target,
      state: { kind: 'starting', sinceUnixMs: this.#sinceUnixMs },
      restarts: 0,
      sessions: { insert: 0, control: 0, point: 0, scan: 0 },
      queues: { insert: NO_QUEUE, control: NO_QUEUE, point: NO_QUEUE, scan: NO_QUEUE },
      running: [],
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<SqlClient> {
    if (this.#client !== undefined) return this.#client;
    const timeout = new AbortController();
    const stop = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]);
    const waited = sleep(this.#maxWaitMs, undefined, { signal: stop }).then(
      () => undefined,
      () => undefined,
    );
    const client = await Promise.race([this.#connected.promise, waited]);
    timeout.abort();
    if (client !== undefined) return client;
    if (signal?.aborted === true) {
      throw new StoreError('cancelled', 'the statement was cancelled while the engine was not connected');
    }
    throw new StoreError(
      'engine_unavailable',
      `the engine could not be asked within ${this.#maxWaitMs} ms (clew_storage.engine.max_unavailable): ${this.#reason}`,
    );
  }
}
