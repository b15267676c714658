import { availableParallelism } from 'node:os';
import type { StatementClass, StatementOptions } from './client.ts';
import type { SessionCounts } from './protocol.ts';

/** Limits of one class of statements. */
export interface ClassLimits {
  /** Statements of the class at once; equal to its sessions on the embedded engine. */
  readonly maxRunning: number;
  /** Statements that may wait for their turn. */
  readonly maxWaiting: number;
  /** Time a statement may wait for its turn, in milliseconds. */
  readonly maxWaitMs: number;
  /** Time a statement may take unless it says otherwise, in milliseconds. */
  readonly timeoutMs: number;
}

/** Every limit between a caller and the engine. */
export interface QueryLimits {
  readonly classes: Readonly<Record<StatementClass, ClassLimits>>;
  /** Memory one statement may use in the engine, in bytes; 0 leaves it to the engine. */
  readonly maxMemoryBytes: number;
  /** Rows one result may have. */
  readonly maxResultRows: number;
  /** Bytes a result may have that is held in memory as a whole (`rows`); streams are not bounded by it. */
  readonly maxResultBytes: number;
  /** Time to wait for the engine while it starts or restarts, in milliseconds. */
  readonly maxUnavailableMs: number;
}

/** Names under which users find the limits in their configuration; error messages quote them. */
export const limitSettings = Object.freeze({
  sessions: 'clew_storage.engine.sessions',
  engineMemory: 'clew_storage.engine.max_memory_bytes',
  maxWaiting: 'clew_storage.queries.max_waiting',
  maxWait: 'clew_storage.queries.max_wait',
  timeout: 'clew_storage.queries.max_time',
  memory: 'clew_storage.queries.max_memory_bytes',
  resultRows: 'clew_storage.queries.max_result_rows',
  resultBytes: 'clew_storage.queries.max_result_bytes',
  unavailable: 'clew_storage.engine.max_unavailable',
});

/** What users may set; everything left out takes its default. */
export interface LimitOptions {
  /** Scans at once, and sessions for them: by default the number of cores, at least 2. */
  readonly maxScans?: number;
  /** Point reads at once: by default 2. */
  readonly maxPointReads?: number;
  /** Reads of one class that may wait: by default 64. */
  readonly maxWaiting?: number;
  /** Time a read may wait for its turn: by default 5,000 ms. */
  readonly maxWaitMs?: number;
  /** Time a scan may take: by default 30,000 ms. A point read may take a third of it. */
  readonly timeoutMs?: number;
  /** Memory of one statement: by default a third of the engine's. */
  readonly maxMemoryBytes?: number;
  /** Rows of one result: by default 1,000,000. */
  readonly maxResultRows?: number;
  /** Bytes of one result held in memory: by default 256 MiB. */
  readonly maxResultBytes?: number;
  /** Time to wait for a restarting engine: by default 5,000 ms. */
  readonly maxUnavailableMs?: number;
}

/** Memory of the embedded engine unless configured, in bytes. */
export const defaultEngineMemoryBytes = 1_000_000_000;

const writeTimeoutMs = 300_000;
const controlTimeoutMs = 1_800_000;

/** Completes what users set. `engineMemoryBytes` is 0 for a server, whose own limits then apply. */
export function resolveLimits(options: LimitOptions, engineMemoryBytes: number): QueryLimits {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const read = { maxWaiting: options.maxWaiting ?? 64, maxWaitMs: options.maxWaitMs ?? 5_000 };
  // Writers and maintenance are the store's own and bounded by it: they wait as long as they may run.
  return {
    classes: {
      insert: { maxRunning: 1, maxWaiting: 1_000, maxWaitMs: writeTimeoutMs, timeoutMs: writeTimeoutMs },
      control: { maxRunning: 1, maxWaiting: 1_000, maxWaitMs: controlTimeoutMs, timeoutMs: controlTimeoutMs },
      point: { maxRunning: options.maxPointReads ?? 2, ...read, timeoutMs: Math.ceil(timeoutMs / 3) },
      scan: { maxRunning: options.maxScans ?? Math.max(2, availableParallelism()), ...read, timeoutMs },
    },
    maxMemoryBytes: options.maxMemoryBytes ?? Math.floor(engineMemoryBytes / 3),
    maxResultRows: options.maxResultRows ?? 1_000_000,
    maxResultBytes: options.maxResultBytes ?? 256 * 1024 * 1024,
    maxUnavailableMs: options.maxUnavailableMs ?? 5_000,
  };
}

/** One session per statement that may run. */
export function sessionCounts(limits: QueryLimits): SessionCounts {
  const { insert, control, point, scan } = limits.classes;
  return { insert: insert.maxRunning, control: control.maxRunning, point: point.maxRunning, scan: scan.maxRunning };
}

/** The limits of one statement: its own, else the defaults of its class. */
export interface StatementLimits {
  readonly timeoutMs: number;
  readonly maxMemoryBytes: number;
  readonly maxResultRows: number;
}

/** Limits that hold for one statement. Writes and maintenance have no limit on rows, and memory only when they ask. */
export function statementLimits(limits: QueryLimits, options: StatementOptions): StatementLimits {
  const reads = options.class === 'point' || options.class === 'scan';
  return {
    timeoutMs: options.timeoutMs ?? limits.classes[options.class].timeoutMs,
    maxMemoryBytes: options.maxMemoryBytes ?? (reads ? limits.maxMemoryBytes : 0),
    maxResultRows: options.maxResultRows ?? (reads ? limits.maxResultRows : 0),
  };
}
