import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SqlClient } from './client.ts';
import { spawnEngine, unreadableError } from './engine-process.ts';
import type { EngineEvent } from './events.ts';
import { HttpSqlClient } from './http-client.ts';
import type { LimitOptions } from './limits.ts';
import { defaultEngineMemoryBytes, resolveLimits, sessionCounts } from './limits.ts';
import { acquireLock } from './lock-file.ts';
import type { EngineEndpoint, OpenMessage } from './protocol.ts';
import { embeddedSettings, engineConfigXml } from './settings.ts';
import { EngineSupervisor } from './supervisor.ts';
import type { Backoff } from './supervisor.ts';

/** How to run the embedded engine. */
export interface EmbeddedEngineOptions {
  /** Clew's data directory; the engine's tables live in `engine/` below it, its socket in `run/`. */
  readonly dataDirectory: string;
  /** Database statements run in; it must exist when it is not `default`. */
  readonly database?: string;
  /** Memory the engine may allocate, in bytes: by default 1 GB. */
  readonly maxMemoryBytes?: number;
  readonly limits?: LimitOptions;
  /** Time the engine may take to open its tables, in milliseconds: by default 120,000. */
  readonly startTimeoutMs?: number;
  readonly backoff?: Partial<Backoff>;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** A running embedded engine. */
export interface EmbeddedEngine {
  readonly client: SqlClient;
  /** Where clients in other threads reach it now; changes with every restart. Contains the secret. */
  endpoint(): EngineEndpoint | undefined;
  /** Ends the engine and frees the directory; statements get `drainMs` (default 5,000) to finish. Idempotent. */
  stop(drainMs?: number): Promise<void>;
}

/** An embedded engine that holds its directory and is not started yet: statements fail until `start` was called, and wait while it runs. */
export interface LockedEngine extends EmbeddedEngine {
  /**
   * Settles when the engine answers. When it fails nothing is left running, the directory stays locked until `stop`, and it may be called
   * again.
   */
  start(): Promise<void>;
}

/** Below this many open files merges of a busy store may fail. */
const wantedOpenFiles = 20_000;
/** Socket paths are limited to 104 bytes on macOS and 108 on Linux. */
const maxSocketPathBytes = 100;
const user = 'clew';

/**
 * Opens a data directory and starts the engine on it in a process of its own. Fails with `directory_locked`,
 * `directory_unreadable` or `engine_unavailable`; nothing is left running or locked then.
 */
export async function openEmbeddedEngine(options: EmbeddedEngineOptions): Promise<EmbeddedEngine> {
  const engine = lockEmbeddedEngine(options);
  try {
    await engine.start();
  } catch (caught) {
    await engine.stop();
    throw caught;
  }
  return engine;
}

/**
 * Takes the data directory without starting the engine, for who has work to do meanwhile. Throws `directory_locked` or
 * `directory_unreadable`.
 */
export function lockEmbeddedEngine(options: EmbeddedEngineOptions): LockedEngine {
  const dataDirectory = resolve(options.dataDirectory);
  const runDirectory = join(dataDirectory, 'run');
  prepareDirectories(dataDirectory, runDirectory);
  const onEvent = options.onEvent ?? (() => undefined);
  const maxMemoryBytes = options.maxMemoryBytes ?? defaultEngineMemoryBytes;
  const limits = resolveLimits(options.limits ?? {}, maxMemoryBytes);
  const lock = acquireLock(join(dataDirectory, 'clew.lock'), dataDirectory);
  const socketPath = usableSocketPath(join(runDirectory, 'engine.sock'));
  const supervisor = new EngineSupervisor({
    onEvent,
    maxUnavailableMs: limits.maxUnavailableMs,
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
    async spawn() {
      const open: OpenMessage = {
        kind: 'open',
        engineDirectory: join(dataDirectory, 'engine'),
        runDirectory,
        ...(socketPath === undefined ? {} : { socketPath }),
        user,
        secret: randomBytes(32).toString('base64url'),
        sessions: sessionCounts(limits),
        configXml: engineConfigXml({ maxMemoryBytes }),
        baseSettings: embeddedSettings,
        maxWaitingPerClass: limits.classes.scan.maxWaiting,
      };
      const process = await spawnEngine({
        open,
        dataDirectory,
        startTimeoutMs: options.startTimeoutMs ?? 120_000,
        onLine: (line) => onEvent({ kind: 'output', line }),
      });
      warnAbout(process.ready.maxOpenFiles, process.ready.results, onEvent);
      return { process, endpoint: { address: process.ready.address, user, secret: open.secret } };
    },
  });
  const client = new HttpSqlClient({
    connector: {
      target: 'embedded',
      database: options.database ?? 'default',
      settings: {},
      inserts: 'file',
      route: (deadlineMs, signal) => supervisor.route(deadlineMs, signal),
      // The closed connection tells the engine already.
      abandoned: () => undefined,
      broken: () => supervisor.connectionBroken(),
      state: () => supervisor.state,
      restarts: () => supervisor.restarts,
    },
    limits,
    onStatement: (statement) => onEvent({ kind: 'statement', statement }),
  });
  return {
    client,
    endpoint: () => supervisor.endpoint,
    start: () => supervisor.start(),
    async stop(drainMs = 5_000) {
      await supervisor.stop(drainMs);
      lock.release();
    },
  };
}

function prepareDirectories(dataDirectory: string, runDirectory: string): void {
  try {
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
    // It may have been made by somebody else; it holds the socket and compiled code.
    chmodSync(runDirectory, 0o700);
    if (!statSync(dataDirectory).isDirectory()) throw new Error('it is not a directory');
    accessSync(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK);
    accessSync(runDirectory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (caught) {
    throw unreadableError(dataDirectory, caught instanceof Error ? caught.message : String(caught), caught);
  }
}

function usableSocketPath(path: string): string | undefined {
  return process.platform === 'win32' || Buffer.byteLength(path) > maxSocketPathBytes ? undefined : path;
}

function warnAbout(
  maxOpenFiles: number | undefined,
  results: 'pipe' | 'buffered',
  onEvent: (event: EngineEvent) => void,
): void {
  if (maxOpenFiles !== undefined && maxOpenFiles < wantedOpenFiles) {
    onEvent({
      kind: 'warning',
      message: `The engine may open ${maxOpenFiles} files at once; raise the limit (ulimit -n) to ${wantedOpenFiles} or more, else merges of a busy store fail`,
    });
  }
  if (results === 'buffered') {
    onEvent({
      kind: 'warning',
      message:
        'There is no mkfifo command here, so results are held in memory instead of being streamed; install coreutils',
    });
  }
}
