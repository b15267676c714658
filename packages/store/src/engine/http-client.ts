import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '@clew/base';
import { StoreError } from '../errors.ts';
import { AdmissionQueue } from './admission.ts';
import type {
  EngineSnapshot,
  EngineState,
  EngineTarget,
  InsertFile,
  QueueSnapshot,
  SqlClient,
  StatementClass,
  StatementOptions,
  StreamOptions,
} from './client.ts';
import type { StatementEvent } from './events.ts';
import { Exchange, neverSent } from './exchange.ts';
import type { Outgoing, Route } from './exchange.ts';
import { parseRows } from './json-rows.ts';
import type { QueryLimits } from './limits.ts';
import { sessionCounts, statementLimits } from './limits.ts';
import { classHeader } from './protocol.ts';
import { requestTarget } from './request-target.ts';
import { insertSettings } from './settings.ts';
import { sqlIdentifier, sqlTable } from './sql-text.ts';

/** Knows where the engine is and how it is doing. */
export interface Connector {
  readonly target: EngineTarget;
  readonly cluster?: string;
  readonly database: string;
  /** Settings sent with every statement. */
  readonly settings: Readonly<Record<string, string>>;
  /** How a block file reaches the engine: it reads the file itself, or receives it as the request's body. */
  readonly inserts: 'file' | 'body';
  /** Gives the way to the engine, waiting until a time of `performance.now()` for one that is starting. Fails with a StoreError. */
  route(deadlineMs: number, signal: AbortSignal | undefined): Promise<Route>;
  /** Called when a statement was given up, to kill it where a closed connection alone does not. */
  abandoned(queryId: string): void;
  /** Called when a connection broke: idle ones to the same process are worth nothing either. */
  broken(): void;
  state(): EngineState;
  restarts(): number;
}

/** What a client is made of. */
export interface HttpClientOptions {
  readonly connector: Connector;
  readonly limits: QueryLimits;
  readonly onStatement?: (event: StatementEvent) => void;
}

/** One statement ready to be sent. */
interface Statement {
  readonly sql: string;
  readonly options: StatementOptions;
  readonly format?: string;
  /** Sent as the body, behind the SQL, which then travels in the URL. */
  readonly upload?: { readonly stream: Readable; readonly bytes: number };
}

interface Tracked {
  readonly class: StatementClass;
  readonly comment: string;
  readonly startedMs: number;
}

/** Pause between attempts to reach an engine that does not listen. */
const reconnectMs = 50;

/** SqlClient over ClickHouse's HTTP interface, for the embedded engine and for servers. */
export class HttpSqlClient implements SqlClient {
  readonly target: EngineTarget;
  readonly cluster?: string;
  readonly #connector: Connector;
  readonly #limits: QueryLimits;
  readonly #onStatement: (event: StatementEvent) => void;
  readonly #queues: Readonly<Record<StatementClass, AdmissionQueue>>;
  readonly #running = new Map<string, Tracked>();

  constructor({ connector, limits, onStatement }: HttpClientOptions) {
    this.target = connector.target;
    if (connector.cluster !== undefined) this.cluster = connector.cluster;
    this.#connector = connector;
    this.#limits = limits;
    this.#onStatement = onStatement ?? (() => undefined);
    const queue = (kind: StatementClass): AdmissionQueue => new AdmissionQueue(kind, limits.classes[kind]);
    this.#queues = { insert: queue('insert'), control: queue('control'), point: queue('point'), scan: queue('scan') };
  }

  async execute(sql: string, options: StatementOptions): Promise<void> {
    const body = await this.#send({ sql, options });
    for await (const _ of body) {
      // Statements without a result have an empty body; reading to its end is what waits for them.
    }
  }

  async rows<T>(sql: string, options: StatementOptions): Promise<T[]> {
    const body = await this.#send({ sql, options, format: 'JSONEachRow' });
    return parseRows<T>(body, this.#limits.maxResultBytes, options.comment);
  }

  stream(sql: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
    return this.#send({ sql, options, format: options.format });
  }

  async insertFile(insert: InsertFile): Promise<void> {
    const columns = insert.columns.map(sqlIdentifier).join(', ');
    const into = `INSERT INTO ${sqlTable(insert.table)} (${columns})`;
    const options: StatementOptions = {
      class: 'insert',
      comment: insert.comment,
      settings: { ...insertSettings, insert_deduplication_token: insert.token, ...insert.settings },
      ...(insert.timeoutMs === undefined ? {} : { timeoutMs: insert.timeoutMs }),
      ...(insert.signal === undefined ? {} : { signal: insert.signal }),
    };
    const path = resolvePath(insert.path);
    if (this.#connector.inserts === 'file') {
      const sql = `${into} SELECT ${columns} FROM file({clew_path:String}, 'Native')`;
      return this.execute(sql, { ...options, params: { clew_path: path } });
    }
    const { size } = await stat(path);
    const upload = { stream: createReadStream(path), bytes: size };
    for await (const _ of await this.#send({ sql: `${into} FORMAT Native`, options, upload })) {
      // An insert has no result; its end is what is waited for.
    }
  }

  snapshot(): EngineSnapshot {
    const state = this.#connector.state();
    const now = performance.now();
    const queues: Record<StatementClass, QueueSnapshot> = {
      insert: this.#queues.insert.snapshot(),
      control: this.#queues.control.snapshot(),
      point: this.#queues.point.snapshot(),
      scan: this.#queues.scan.snapshot(),
    };
    return {
      target: this.target,
      state,
      ...(state.kind === 'ready' && state.pid !== undefined ? { pid: state.pid } : {}),
      ...(state.kind === 'ready' ? { version: state.version } : {}),
      restarts: this.#connector.restarts(),
      sessions: sessionCounts(this.#limits),
      queues,
      running: [...this.#running].map(([queryId, { class: kind, comment, startedMs }]) => ({
        queryId,
        class: kind,
        comment,
        elapsedMs: now - startedMs,
      })),
    };
  }

  /** Admits, sends and gives the body, whose end or failure gives the turn back. */
  async #send(statement: Statement): Promise<AsyncIterable<Uint8Array>> {
    const { options, sql, upload, format } = statement;
    const connector = this.#connector;
    const limits = statementLimits(this.#limits, options);
    const queryId = randomUUID();
    const target = requestTarget({
      queryId,
      database: connector.database,
      settings: connector.settings,
      options,
      limits,
      format,
      query: upload === undefined ? undefined : sql,
    });
    const enteredMs = performance.now();
    const leave = await this.#queues[options.class].enter(options.signal);
    const startedMs = performance.now();
    this.#running.set(queryId, { class: options.class, comment: options.comment, startedMs });
    const exchange = new Exchange({ comment: options.comment, limits }, options.signal, (error, mayStillRun) => {
      if (error?.code === 'engine_unavailable') connector.broken();
      else if (mayStillRun) connector.abandoned(queryId);
      this.#running.delete(queryId);
      leave();
      this.#onStatement({
        class: options.class,
        comment: options.comment,
        waitedMs: startedMs - enteredMs,
        elapsedMs: performance.now() - startedMs,
        outcome: error?.code ?? 'ok',
      });
    });
    try {
      const headers = { [classHeader]: options.class, 'content-type': 'application/octet-stream' };
      return await this.#deliver(exchange, { target, headers, body: upload ?? sql }, options.signal);
    } catch (caught) {
      upload?.stream.destroy();
      exchange.end(caught instanceof StoreError ? caught : unexpectedError(options.comment, caught));
      throw caught;
    }
  }

  /** Sends, again while nobody listens: an engine that just died is noticed by its socket before its exit is reported. */
  async #deliver(
    exchange: Exchange,
    outgoing: Outgoing,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array>> {
    const deadlineMs = performance.now() + this.#limits.maxUnavailableMs;
    for (;;) {
      const route = await this.#connector.route(deadlineMs, signal);
      try {
        return await exchange.start(route, outgoing);
      } catch (caught) {
        const again = caught instanceof StoreError && neverSent(caught) && typeof outgoing.body === 'string';
        if (!again || performance.now() + reconnectMs >= deadlineMs) throw caught;
        await delay(reconnectMs);
      }
    }
  }
}

function unexpectedError(comment: string, cause: unknown): StoreError {
  return new StoreError('engine_unavailable', `The statement "${comment}" could not be sent: ${errorMessage(cause)}`, {
    cause,
  });
}
