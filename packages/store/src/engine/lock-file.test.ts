import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from './lock-file.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'clew-lock-'));
  path = join(directory, 'clew.lock');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Changes what a held lock says about its holder. */
function rewrite(changes: Record<string, unknown>): void {
  const held = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...held, ...changes }));
}

/** The pid of a process that has just ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('close', resolve));
  if (child.pid === undefined) throw new Error('The process could not be started');
  return child.pid;
}

describe('the lock on a data directory', () => {
  it('is refused while a living process holds it, with the pid', () => {
    acquireLock(path, directory);
    expect(() => acquireLock(path, directory)).toThrow(
      expect.objectContaining({ code: 'directory_locked', details: { directory, pid: process.pid } }),
    );
  });

  it('is refused as unreadable where it cannot be written', () => {
    expect(() => acquireLock(join(directory, 'absent', 'clew.lock'), directory)).toThrow(
      expect.objectContaining({ code: 'directory_unreadable' }),
    );
  });

  it('is taken over from a process that has ended', async () => {
    acquireLock(path, directory);
    rewrite({ pid: await deadPid() });
    acquireLock(path, directory);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it.runIf(process.platform === 'linux')('is taken over when the pid belongs to another process by now', () => {
    acquireLock(path, directory);
    rewrite({ startTicks: '1' });
    expect(() => acquireLock(path, directory)).not.toThrow();
  });

  it.runIf(process.platform === 'linux')(
    "is left to the engine's own lock when its holder lives in another container",
    () => {
      acquireLock(path, directory);
      rewrite({ pidNamespace: 'pid:[1]' });
      expect(() => acquireLock(path, directory)).not.toThrow();
    },
  );

  it('is taken over when it was made before the machine was started', () => {
    acquireLock(path, directory);
    rewrite({ lockedUnixMs: 1 });
    expect(() => acquireLock(path, directory)).not.toThrow();
  });

  it.each(['', '{', 'null', '[]', '{"pid":"x"}'])('is taken over when a power failure left %j of it', (text) => {
    writeFileSync(path, text);
    expect(() => acquireLock(path, directory)).not.toThrow();
  });

  it('can be taken again after its release, and leaves no other file behind', () => {
    acquireLock(path, directory).release();
    expect(readdirSync(directory)).toEqual([]);
    acquireLock(path, directory);
    expect(readdirSync(directory)).toEqual(['clew.lock']);
  });

  it('is not released by a holder that has lost it', () => {
    const first = acquireLock(path, directory);
    rewrite({ id: 'of another holder' });
    first.release();
    expect(readdirSync(directory)).toEqual(['clew.lock']);
  });
});
