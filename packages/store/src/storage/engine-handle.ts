import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '@clew/base';
import type { SqlClient } from '../engine/client.ts';
import { lockEmbeddedEngine } from '../engine/embedded.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { LimitOptions } from '../engine/limits.ts';
import { acquireLock } from '../engine/lock-file.ts';
import { openServerEngine } from '../engine/server.ts';
import type { ServerEngine } from '../engine/server.ts';
import { StoreError } from '../errors.ts';
import type { ClewStorageConfig } from './config.ts';
import { LateClient } from './late-client.ts';

/** An engine, embedded or remote, whose directory is locked and which may still have to be started. */
export interface EngineHandle {
  /** Usable at once: statements wait for the engine for a moment. */
  readonly client: SqlClient;
  /** Settles when the engine answers; fails when it never will. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Locks the data directory. Throws `directory_locked` or `directory_unreadable`. */
export function lockEngine(config: ClewStorageConfig, onEvent: (event: EngineEvent) => void): EngineHandle {
  return config.url === undefined ? embedded(config, onEvent) : server(config, config.url, onEvent);
}

function embedded(config: ClewStorageConfig, onEvent: (event: EngineEvent) => void): EngineHandle {
  return lockEmbeddedEngine({
    dataDirectory: config.directory,
    maxMemoryBytes: config.engine.max_memory_bytes,
    limits: limitsOf(config),
    onEvent,
  });
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;

/** A server may be down when Clew starts: it is tried until it answers, and requests go to the journal meanwhile. */
function server(config: ClewStorageConfig, url: string, onEvent: (event: EngineEvent) => void): EngineHandle {
  const directory = resolve(config.directory);
  makeDirectory(directory);
  const lock = acquireLock(join(directory, 'clew.lock'), directory);
  const client = new LateClient(
    config.cluster === undefined ? 'server' : 'cluster',
    config.cluster,
    config.engine.max_unavailable,
  );
  const stopping = new AbortController();
  let opened: ServerEngine | undefined;
  const open = (): Promise<ServerEngine> =>
    openServerEngine({
      url,
      limits: limitsOf(config),
      onEvent,
      ...(config.username === undefined ? {} : { user: config.username }),
      ...(config.password === undefined ? {} : { password: config.password }),
      ...(config.database === undefined ? {} : { database: config.database }),
      ...(config.cluster === undefined ? {} : { cluster: config.cluster }),
    });
  const stopped = once(stopping.signal, 'abort').then((): never => {
    throw new StoreError('cancelled', 'connecting to the ClickHouse server was stopped');
  });
  stopped.catch(() => undefined);
  const connect = async (): Promise<ServerEngine> => {
    const opening = open();
    // When stopping wins, what is opened later is closed again.
    void opening.then(
      (engine) => (stopping.signal.aborted ? engine.stop() : undefined),
      () => undefined,
    );
    return Promise.race([opening, stopped]);
  };
  return {
    client,
    async start() {
      for (let delayMs = FIRST_RETRY_MS; opened === undefined; delayMs = Math.min(delayMs * 2, MAX_RETRY_MS)) {
        try {
          opened = await connect();
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'engine_unavailable') throw error;
          client.explain(error.message);
          onEvent({
            kind: 'warning',
            message: `The ClickHouse server is tried again in ${delayMs} ms: ${error.message}`,
          });
          await Promise.race([sleep(delayMs), stopped]);
        }
      }
      client.connect(opened.client);
    },
    async stop() {
      stopping.abort();
      await opened?.stop();
      lock.release();
    },
  };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (caught) {
    throw new StoreError(
      'directory_unreadable',
      `the data directory ${directory} cannot be made (${errorMessage(caught)}); choose another with clew_storage.directory`,
      { cause: caught },
    );
  }
}

function limitsOf({ engine, queries }: ClewStorageConfig): LimitOptions {
  return {
    maxWaiting: queries.max_waiting,
    maxWaitMs: queries.max_wait,
    timeoutMs: queries.max_time,
    maxResultRows: queries.max_result_rows,
    maxResultBytes: queries.max_result_bytes,
    maxUnavailableMs: engine.max_unavailable,
    ...(engine.sessions === undefined ? {} : { maxScans: engine.sessions }),
    ...(queries.max_memory_bytes === undefined ? {} : { maxMemoryBytes: queries.max_memory_bytes }),
  };
}
