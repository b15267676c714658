import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { errorMessage } from '@clew/base';
import { StoreError } from '../errors.ts';

/** A held lock. */
export interface HeldLock {
  /** Gives the directory free; does nothing when the lock is not ours any more. */
  release(): void;
}

/** Who holds a lock, as written in its file. */
interface Holder {
  readonly id: string;
  readonly pid: number;
  /** When the process started in the kernel's clock ticks, so that a reused pid is not taken for it; Linux only. */
  readonly startTicks?: string;
  /** Identity of the pid namespace: pids of another container mean nothing here; Linux only. */
  readonly pidNamespace?: string;
  readonly lockedUnixMs: number;
}

/**
 * Takes the lock on a data directory, so that a second process fails at once with a message that names the first.
 * Files are the only portable means Node has, so locks of dead processes are recognised and replaced: by pid and start time, or,
 * when the holder lives in another container, by a file time that has not been refreshed for 10 s. The engine holds a kernel
 * lock on its own directory besides.
 *
 * Fails with `directory_locked`, or `directory_unreadable` when the file cannot be written.
 */
export function acquireLock(path: string, directory: string): HeldLock {
  const mine = describeSelf();
  const text = JSON.stringify(mine);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (createExclusively(path, text, directory)) return hold(path, mine);
    const seen = readText(path);
    if (seen === undefined) continue;
    const holder = parseHolder(seen);
    if (holder !== undefined && isAlive(holder, path)) {
      throw lockedError(directory, holder.pidNamespace === mine.pidNamespace ? holder.pid : undefined);
    }
    removeStale(path, seen, text, directory);
  }
  throw lockedError(directory, undefined);
}

const maxAttempts = 20;

/** Two processes must not work on one data directory. `pid` is the other one's, when known. */
export function lockedError(directory: string, pid: number | undefined): StoreError {
  const who =
    pid === undefined
      ? 'another process'
      : pid === process.pid
        ? `this process (pid ${pid})`
        : `the process with pid ${pid}`;
  return new StoreError(
    'directory_locked',
    `Cannot use the data directory ${directory}: ${who} works on it already. Stop that one, or choose another directory.`,
    { details: { directory, ...(pid === undefined ? {} : { pid }) } },
  );
}

/** Appears complete or not at all: a link to a file written before. False when a lock exists. */
function createExclusively(path: string, text: string, directory: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    linkSync(draft, path);
    return true;
  } catch (caught) {
    if (isCode(caught, 'EEXIST')) return false;
    throw new StoreError(
      'directory_unreadable',
      `Cannot lock the data directory ${directory}: ${errorMessage(caught)}. The user Clew runs as must be able to write there.`,
      { cause: caught, details: { directory } },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Deletes a lock whose holder is gone, unless it has been replaced since it was judged. Only who holds the takeover file may
 * delete, so two processes that judged the same lock cannot delete each other's new one.
 */
function removeStale(path: string, judged: string, mine: string, directory: string): void {
  const takeover = `${path}.takeover`;
  if (!createExclusively(takeover, mine, directory)) {
    const holder = parseHolder(readText(takeover) ?? '');
    // Its holder died within the few calls below: the next round tries anew.
    if (holder === undefined || !isAlive(holder, takeover)) rmSync(takeover, { force: true });
    return;
  }
  try {
    if (readText(path) === judged) rmSync(path, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
}

const heartbeatMs = 2_000;
const silentMs = 10_000;

/** Refreshes the file's time while the lock is held: what processes of another container go by. */
function hold(path: string, mine: Holder): HeldLock {
  const beat = setInterval(() => {
    const now = new Date();
    // A file that is gone or not to be written shows elsewhere; the lock cannot do anything about it.
    utimes(path, now, now, () => undefined);
  }, heartbeatMs);
  beat.unref();
  return {
    release() {
      clearInterval(beat);
      release(path, mine);
    },
  };
}

function release(path: string, mine: Holder): void {
  const seen = readText(path);
  if (seen !== undefined && parseHolder(seen)?.id === mine.id) rmSync(path, { force: true });
}

function describeSelf(): Holder {
  const startTicks = readStartTicks(process.pid);
  const pidNamespace = readPidNamespace();
  return {
    id: randomUUID(),
    pid: process.pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    ...(pidNamespace === undefined ? {} : { pidNamespace }),
    lockedUnixMs: Date.now(),
  };
}

function isAlive(holder: Holder, path: string): boolean {
  // Pids of another container cannot be looked up; a lock that is refreshed has a living holder.
  if (holder.pidNamespace !== readPidNamespace()) return lastChangeAgeMs(path) < silentMs;
  if (holder.lockedUnixMs < Date.now() - uptime() * 1000 - bootClockSlackMs) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (caught) {
    // EPERM: it lives, under another user.
    if (!isCode(caught, 'EPERM')) return false;
  }
  const ticks = readStartTicks(holder.pid);
  return holder.startTicks === undefined || ticks === undefined || holder.startTicks === ticks;
}

function lastChangeAgeMs(path: string): number {
  return Math.abs(Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

/** The wall clock may have been set since boot; a lock is called older than the machine's start only well beyond that. */
const bootClockSlackMs = 600_000;

function parseHolder(text: string): Holder | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Holder> | null;
    if (parsed === null || typeof parsed !== 'object') return undefined;
    const { id, pid, lockedUnixMs } = parsed;
    if (typeof id !== 'string' || typeof pid !== 'number' || typeof lockedUnixMs !== 'number') return undefined;
    return { ...parsed, id, pid, lockedUnixMs };
  } catch {
    // Half a file is what a power failure leaves: its writer is gone.
    return undefined;
  }
}

function readStartTicks(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The command name in parentheses may hold anything; fields are counted behind it. Start time is field 22 of proc(5).
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function readPidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux, or no /proc: pids are then taken as they are.
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (caught) {
    if (isCode(caught, 'ENOENT') || isCode(caught, 'ESRCH') || isCode(caught, 'ENOTDIR')) return undefined;
    throw caught;
  }
}

function isCode(caught: unknown, code: string): boolean {
  return caught instanceof Error && 'code' in caught && caught.code === code;
}
