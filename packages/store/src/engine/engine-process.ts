import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../errors.ts';
import { lockedError } from './lock-file.ts';
import type { OpenMessage, ReadyMessage, ReportMessage, StopMessage } from './protocol.ts';

/** How the engine's process is started. */
export interface SpawnOptions {
  readonly open: OpenMessage;
  /** Directory users know, for messages. */
  readonly dataDirectory: string;
  /** Time the engine may take to open its tables, in milliseconds. */
  readonly startTimeoutMs: number;
  readonly onLine: (line: string) => void;
}

/** A running engine process that has reported ready. */
export interface EngineProcess {
  readonly pid: number;
  readonly ready: ReadyMessage;
  /** Resolves with how it ended, whenever it ends. */
  readonly ended: Promise<string>;
  /** Asks it to end and makes sure that it does. */
  stop(drainMs: number): Promise<void>;
}

const killAfterMs = 5_000;
const keptLines = 40;

/**
 * Starts the engine and waits until it is ready. Fails with `directory_locked`, `directory_unreadable` or
 * `engine_unavailable`; the process is gone then.
 */
export async function spawnEngine(options: SpawnOptions): Promise<EngineProcess> {
  const lines: string[] = [];
  const child = startChild(options, (line) => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
    options.onLine(line);
  });
  const ended = childEnd(child);
  try {
    const ready = await firstReport(child, ended, options);
    const { pid } = child;
    if (pid === undefined)
      throw new StoreError('engine_unavailable', 'The engine reported ready but has no process id');
    return {
      pid,
      ready,
      ended: ended.then((how) => describeEnd(how, lines)),
      stop: (drainMs) => stopChild(child, ended, drainMs),
    };
  } catch (caught) {
    child.kill('SIGKILL');
    // Only after the process is gone has all it printed been read, and its lock been freed.
    const how = await ended;
    throw explainFailure(caught, how, lines, options);
  }
}

function startChild({ open }: SpawnOptions, onLine: (line: string) => void): ChildProcess {
  // From source the entry is TypeScript, in the published package JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = fileURLToPath(new URL(`./host/main.${extension}`, import.meta.url));
  const { insert, control, point, scan } = open.sessions;
  // One thread per session that runs a statement, one for the killer, the rest for files.
  const threads = insert + control + point + scan + 1 + 4;
  const child = spawn(process.execPath, ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning', entry], {
    // The environment is spelled out: variables of Node and of the engine must not change what runs here.
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['TMPDIR'] === undefined ? {} : { TMPDIR: process.env['TMPDIR'] }),
      UV_THREADPOOL_SIZE: String(threads),
      // From source, modules compiled at an earlier start need no TypeScript compiler in memory: some 15 MB less.
      NODE_COMPILE_CACHE: join(open.runDirectory, 'compile-cache'),
      TZ: 'UTC',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', onLine);
  return child;
}

/** Exit status in words, once the process has ended and its output has been read. */
function childEnd(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(`could not be started: ${error.message}`));
  child.once('close', (code, signal) =>
    resolve(signal === null ? `ended with exit code ${String(code)}` : `was ended by ${signal}`),
  );
  return promise;
}

async function firstReport(child: ChildProcess, ended: Promise<string>, options: SpawnOptions): Promise<ReadyMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadyMessage>();
  const timer = setTimeout(() => {
    reject(new StoreError('engine_unavailable', `The engine was not ready within ${options.startTimeoutMs} ms`));
  }, options.startTimeoutMs);
  child.once('message', (message: ReportMessage) => {
    if (message.kind === 'ready') resolve(message);
    else reject(new StoreError('engine_unavailable', `The engine could not be opened: ${message.message}`));
  });
  void ended.then((how) => reject(new StoreError('engine_unavailable', `The engine ${how} before it was ready`)));
  child.send(options.open, (error) => {
    if (error !== null) reject(error);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function describeEnd(how: string, lines: readonly string[]): string {
  const last = lines.at(-1);
  return last === undefined ? `it ${how}` : `it ${how}; its last words were: ${last}`;
}

function explainFailure(caught: unknown, how: string, lines: readonly string[], options: SpawnOptions): StoreError {
  const said = lines.join('\n');
  const directory = options.dataDirectory;
  // The library prints the reason and reports only that there is no connection.
  if (/Cannot lock file|CANNOT_OPEN_FILE.*already running/.test(said)) {
    return lockedError(directory, engineHolder(options.open.engineDirectory));
  }
  const message = caught instanceof Error ? caught.message : String(caught);
  if (/EACCES|EEXIST|EROFS|ENOTDIR|EPERM|Permission denied|Read-only file system/.test(`${message}\n${said}`)) {
    return unreadableError(directory, lines.at(-1) ?? message, caught);
  }
  return new StoreError('engine_unavailable', `${message}. The engine ${describeEnd(how, lines)}.`, { cause: caught });
}

/** The data directory cannot be used. */
export function unreadableError(directory: string, reason: string, cause: unknown): StoreError {
  return new StoreError(
    'directory_unreadable',
    `Cannot use the data directory ${directory}: ${reason}. It must be a directory the user Clew runs as can read and write.`,
    { cause, details: { directory } },
  );
}

/** The process id an engine notes in its directory. */
function engineHolder(engineDirectory: string): number | undefined {
  try {
    const pid = /^PID: (\d+)/m.exec(readFileSync(join(engineDirectory, 'status'), 'utf8'))?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    // The note is a courtesy of the engine; without it the message names no process.
    return undefined;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<string>, drainMs: number): Promise<void> {
  const message: StopMessage = { kind: 'stop', drainMs };
  if (child.connected) child.send(message, () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), drainMs + killAfterMs);
  await ended;
  clearTimeout(timer);
}
