import type { StoreErrorCode } from '../errors.ts';

/**
 * Which queue and which sessions a statement uses.
 *
 * - `insert`: writes of prepared blocks, one at a time on the embedded engine.
 * - `control`: DDL, settings, counting, deletion; never waits behind reads.
 * - `point`: reads that touch little (a trace by id, a tag list); sessions are reserved for them.
 * - `scan`: everything that may read much; as many at once as there are scan sessions, the rest queue.
 */
export type StatementClass = 'insert' | 'control' | 'point' | 'scan';

/** One value behind a `{name:Type}` placeholder. Bytes are for `String` and `FixedString(N)` values that need not be UTF-8. */
export type ParamScalar = string | number | bigint | boolean | Uint8Array;

/** A parameter: one value, or an array for `Array(T)`. A lone surrogate in a string is sent as U+FFFD. */
export type ParamValue = ParamScalar | readonly ParamScalar[];

/** What accompanies every statement. Limits that are left out take the client's defaults. */
export interface StatementOptions {
  readonly class: StatementClass;
  /** Says who asks, in a few words; becomes the engine's `log_comment` and is shown among running statements. */
  readonly comment: string;
  /** Values of `{name:Type}` placeholders in the SQL: the only way text of users enters a statement. */
  readonly params?: Readonly<Record<string, ParamValue>>;
  /** Engine settings of this statement alone. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Time the statement may take once started, in milliseconds; waiting in the queue is limited separately. */
  readonly timeoutMs?: number;
  /** Memory the statement may use in the engine, in bytes. */
  readonly maxMemoryBytes?: number;
  /** Rows the result may have. */
  readonly maxResultRows?: number;
  /** Aborting kills the statement in the engine and fails the call with `cancelled`. */
  readonly signal?: AbortSignal;
}

/** A statement whose raw result bytes are read as they are produced. */
export interface StreamOptions extends StatementOptions {
  /** Output format as ClickHouse names it, such as `Native`, `RowBinary` or `JSONCompactEachRow`. */
  readonly format: string;
}

/** A file of one Native block to be inserted. */
export interface InsertFile {
  /** Table name, optionally with its database: `spans` or `clew.spans`. */
  readonly table: string;
  /** Columns of the block in the order they are inserted. */
  readonly columns: readonly string[];
  /** Path of a file in ClickHouse's Native format; it must stay unchanged until the call settles. */
  readonly path: string;
  /** Becomes `insert_deduplication_token`. */
  readonly token: string;
  readonly comment: string;
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** For whom DDL has to be written. */
export type EngineTarget = 'embedded' | 'server' | 'cluster';

/**
 * The one way to talk to ClickHouse, embedded or remote. Every method fails with a `StoreError`: `engine_unavailable`,
 * `overloaded`, `timeout`, `cancelled`, `memory_limit`, `result_limit`, `sql_error`, or `invalid_argument`.
 */
export interface SqlClient {
  /** Which kind of engine answers, for generating DDL. */
  readonly target: EngineTarget;
  /** Name of the cluster for `ON CLUSTER`, when `target` is `cluster`. */
  readonly cluster?: string;
  /** Runs a statement without a result. Resolves when the engine has finished it. */
  execute(sql: string, options: StatementOptions): Promise<void>;
  /** Runs a query and returns its rows as objects. 64-bit integers arrive as decimal strings. The SQL carries no FORMAT clause. */
  rows<T>(sql: string, options: StatementOptions): Promise<T[]>;
  /**
   * Runs a query and gives its result as it is produced, in bounded memory: reading slowly slows the engine down.
   * The promise settles when the first bytes are there (so most errors surface here); ending the iteration early, or
   * the signal, kills the statement. A failure midway is thrown from the iteration.
   */
  stream(sql: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>>;
  /** Inserts a file as one block. Resolves only when the insert has returned, which for tables that fsync means durable. */
  insertFile(insert: InsertFile): Promise<void>;
  /** What is going on right now, as plain data. */
  snapshot(): EngineSnapshot;
}

/** State of the engine as the client sees it. */
export type EngineState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting'; readonly sinceUnixMs: number }
  | { readonly kind: 'ready'; readonly sinceUnixMs: number; readonly version: string; readonly pid?: number }
  | { readonly kind: 'restarting'; readonly attempt: number; readonly retryAtUnixMs: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'stopping' };

/** A statement between admission and its last byte. */
export interface RunningStatement {
  readonly queryId: string;
  readonly class: StatementClass;
  readonly comment: string;
  readonly elapsedMs: number;
}

/** Numbers of one admission queue since the start. */
export interface QueueSnapshot {
  readonly running: number;
  readonly waiting: number;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  /** Statements refused as `overloaded`. */
  readonly refused: number;
}

/** Plain data about the engine and its client. */
export interface EngineSnapshot {
  readonly target: EngineTarget;
  readonly state: EngineState;
  /** Process id of the embedded engine while it runs. */
  readonly pid?: number;
  /** ClickHouse version, once known. */
  readonly version?: string;
  /** How often the embedded engine was started again after it ended unasked. */
  readonly restarts: number;
  /** Engine sessions per class; equal to the concurrency limits on a server. */
  readonly sessions: Readonly<Record<StatementClass, number>>;
  readonly queues: Readonly<Record<StatementClass, QueueSnapshot>>;
  readonly running: readonly RunningStatement[];
}
