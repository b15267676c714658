import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
    'is refused while a process of another container refreshes it, and taken over after',
    () => {
      acquireLock(path, directory);
      rewrite({ pidNamespace: 'pid:[1]' });
      expect(() => acquireLock(path, directory)).toThrow(
        expect.objectContaining({ code: 'directory_locked', details: { directory } }),
      );
      const before = new Date(Date.now() - 11_000);
      utimesSync(path, before, before);
      expect(() => acquireLock(path, directory)).not.toThrow();
    },
  );

  it('is refreshed while it is held', async () => {
    vi.useFakeTimers();
    const lock = acquireLock(path, directory);
    utimesSync(path, new Date(0), new Date(0));
    vi.advanceTimersByTime(2_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(statSync(path).mtimeMs).toBeGreaterThan(0), 10_000);
    lock.release();
  });

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

  it('goes to one of several processes that find it stale at the same time', async () => {
    acquireLock(path, directory);
    rewrite({ pid: await deadPid() });
    const module = JSON.stringify(new URL('./lock-file.ts', import.meta.url).href);
    const script = `import { acquireLock } from ${module};
      process.stdin.once('data', () => {
        try { acquireLock(${JSON.stringify(path)}, ''); console.log('won'); } catch (error) { console.log(error.code); }
      });
      process.stdin.resume();
      console.log('ready');`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const nextLine = (child: (typeof children)[number]): Promise<string> =>
      new Promise((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
    await Promise.all(children.map(nextLine));
    const answers = children.map(nextLine);
    for (const child of children) child.stdin.write('go');
    const lines = await Promise.all(answers);
    for (const child of children) child.stdin.end();
    expect(lines.toSorted()).toEqual(['directory_locked', 'directory_locked', 'directory_locked', 'won']);
    expect(readdirSync(directory)).toEqual(['clew.lock']);
  });

  it('is taken over although a process died while it took it over', async () => {
    acquireLock(path, directory);
    rewrite({ pid: await deadPid() });
    writeFileSync(`${path}.takeover`, readFileSync(path));
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
