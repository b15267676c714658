import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreError } from '../errors.ts';
import type { SqlClient } from './client.ts';
import { contractLimits, countRunning, endlessSql, eventually } from './contract-tests/sql-client-contract.ts';
import { openEmbeddedEngine } from './embedded.ts';
import type { EmbeddedEngine, EmbeddedEngineOptions } from './embedded.ts';
import type { EngineEvent } from './events.ts';
import { openServerEngine } from './server.ts';

const scan = { class: 'scan', comment: 'test' } as const;
const control = { class: 'control', comment: 'test' } as const;

let directory: string;
let opened: EmbeddedEngine[];
let events: EngineEvent[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-embedded-'));
  opened = [];
  events = [];
});

afterEach(async () => {
  for (const engine of opened) await engine.stop(0);
  await rm(directory, { recursive: true, force: true });
});

async function open(options: Partial<EmbeddedEngineOptions> = {}): Promise<EmbeddedEngine> {
  const engine = await openEmbeddedEngine({
    dataDirectory: directory,
    limits: { ...contractLimits, maxUnavailableMs: 30_000 },
    backoff: { firstMs: 50, lockedMs: 200 },
    onEvent: (event) => events.push(event),
    ...options,
  });
  opened.push(engine);
  return engine;
}

function enginePid(engine: EmbeddedEngine): number {
  const { pid } = engine.client.snapshot();
  if (pid === undefined) throw new Error('The engine does not run');
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function writeBlock(client: SqlClient, path: string, sql: string): Promise<void> {
  const parts: Uint8Array[] = [];
  for await (const part of await client.stream(sql, { ...scan, format: 'Native' })) parts.push(part);
  await writeFile(path, parts);
}

/** Runs a module in a process of its own that opens an engine on a directory. */
function runOwner(body: string): {
  readonly pid: number;
  readonly output: Promise<string>;
  readonly line: Promise<string>;
} {
  const module = JSON.stringify(new URL('./embedded.ts', import.meta.url).href);
  const script = `import { openEmbeddedEngine } from ${module};\n${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const line = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
  });
  const output = new Promise<string>((resolve) => child.once('close', () => resolve(text)));
  if (child.pid === undefined) throw new Error('The owner could not be started');
  return { pid: child.pid, output, line };
}

describe('a data directory that cannot be used', () => {
  it('is refused with one sentence when a file is in its place', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    await expect(open({ dataDirectory: path })).rejects.toMatchObject({
      code: 'directory_unreadable',
      message: expect.stringContaining(`Cannot use the data directory ${path}`),
    });
    await expect(open({ dataDirectory: join(path, 'below') })).rejects.toMatchObject({ code: 'directory_unreadable' });
  });

  it('is refused when the engine cannot make its own directory, and left unlocked', async () => {
    await writeFile(join(directory, 'engine'), 'in the way');
    await expect(open()).rejects.toMatchObject({ code: 'directory_unreadable' });
    expect(existsSync(join(directory, 'clew.lock'))).toBe(false);
  });

  it('is refused to a second process, which is told the pid of the first', async () => {
    await open();
    const owner = runOwner(
      `await openEmbeddedEngine({ dataDirectory: ${JSON.stringify(directory)} }).catch((error) => console.log(error.code + ' ' + error.message));`,
    );
    expect(await owner.output).toMatch(
      new RegExp(
        `^directory_locked Cannot use the data directory ${directory}: the process with pid ${process.pid} works on it already`,
      ),
    );
  });

  it("is refused by the engine's own lock when Clew's lock file is gone", async () => {
    const first = await open();
    await rm(join(directory, 'clew.lock'));
    await expect(open()).rejects.toMatchObject({ code: 'directory_locked', details: { pid: enginePid(first) } });
  });

  it('can be used again once the first has stopped', async () => {
    const first = await open();
    await first.client.execute('CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n', control);
    await first.stop();
    expect(existsSync(join(directory, 'clew.lock'))).toBe(false);
    const second = await open();
    await expect(second.client.rows('SELECT count() AS n FROM t', scan)).resolves.toEqual([{ n: '0' }]);
  });
});

describe('an engine that is killed', () => {
  it('fails the statements it was running and answers the next ones after its restart', async () => {
    const engine = await open();
    const killed = enginePid(engine);
    const running = engine.client.rows(endlessSql, { ...scan, comment: 'victim' });
    const outcome = expect(running).rejects.toMatchObject({ code: 'engine_unavailable' });
    await eventually(async () => (await countRunning(engine.client, 'victim')) === 1);
    process.kill(killed, 'SIGKILL');
    await outcome;
    await expect(engine.client.rows('SELECT 1 AS v', scan)).resolves.toEqual([{ v: 1 }]);
    expect(enginePid(engine)).not.toBe(killed);
    expect(engine.client.snapshot()).toMatchObject({ restarts: 1, state: { kind: 'ready' }, running: [] });
    const states = events.flatMap((event) => (event.kind === 'state' ? [event.state] : []));
    expect(states.map(({ kind }) => kind)).toEqual(['starting', 'ready', 'restarting', 'ready']);
    expect(states[2]).toMatchObject({ reason: expect.stringContaining('SIGKILL') });
  });

  it('lets statements fail after a bounded wait when it does not come back in time', async () => {
    const engine = await open({ limits: { ...contractLimits, maxUnavailableMs: 100 }, backoff: { firstMs: 60_000 } });
    process.kill(enginePid(engine), 'SIGKILL');
    await eventually(() => engine.client.snapshot().state.kind === 'restarting');
    await expect(engine.client.rows('SELECT 1', scan)).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringMatching(/not ready within 100 ms.*clew_storage\.engine\.max_unavailable.*SIGKILL/),
    });
  });

  it('keeps every acknowledged insert, and of the one it was running all rows or none', async () => {
    const engine = await open();
    const { client } = engine;
    const settings = 'fsync_after_insert = 1, fsync_part_directory = 1';
    await client.execute(
      `CREATE TABLE t (seg UInt32, n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS ${settings}`,
      control,
    );
    const acknowledged: number[] = [];
    for (let round = 0; round < 4; round++) {
      const pid = enginePid(engine);
      const paths = await Promise.all(
        [0, 1, 2].map(async (i) => {
          const path = join(directory, `${round}-${i}.native`);
          await writeBlock(client, path, `SELECT toUInt32(${round * 10 + i}) AS seg, number AS n FROM numbers(50000)`);
          return path;
        }),
      );
      for (const [i, path] of paths.entries()) {
        const seg = round * 10 + i;
        const insert = client.insertFile({
          table: 't',
          columns: ['seg', 'n'],
          path,
          token: String(seg),
          comment: 'segment',
        });
        // The last insert of a round is hit at another moment in every round.
        if (i === 2) setTimeout(() => process.kill(pid, 'SIGKILL'), round * 6);
        await insert.then(
          () => acknowledged.push(seg),
          (error: unknown) => {
            expect(i).toBe(2);
            expect(error).toMatchObject({ code: 'engine_unavailable' });
          },
        );
      }
      await eventually(() => engine.client.snapshot().state.kind === 'ready' && enginePid(engine) !== pid);
    }
    const rows = await client.rows<{ seg: number; c: string }>('SELECT seg, count() AS c FROM t GROUP BY seg', control);
    expect([...new Set(rows.map(({ c }) => c))]).toEqual(['50000']);
    expect(rows.map(({ seg }) => seg)).toEqual(expect.arrayContaining(acknowledged));
    expect(acknowledged.length).toBeGreaterThanOrEqual(8);
  }, 60_000);
});

describe('an engine whose owner is killed', () => {
  it('ends by itself and leaves the directory usable', async () => {
    const owner = runOwner(
      `const { client } = await openEmbeddedEngine({ dataDirectory: ${JSON.stringify(directory)} });
       client.rows(${JSON.stringify(endlessSql)}, { class: 'scan', comment: 'orphan' }).catch(() => undefined);
       setTimeout(() => console.log(client.snapshot().pid), 200);`,
    );
    const pid = Number((await owner.line).trim());
    expect(isAlive(pid)).toBe(true);
    process.kill(owner.pid, 'SIGKILL');
    await owner.output;
    await eventually(() => !isAlive(pid));
    const engine = await open();
    await expect(engine.client.rows('SELECT 1 AS v', scan)).resolves.toEqual([{ v: 1 }]);
  });
});

describe('stopping', () => {
  it('lets running statements finish within the time given', async () => {
    const engine = await open();
    const slow = engine.client.rows('SELECT sleep(0.5) AS v', { ...scan, comment: 'slow' });
    await eventually(async () => (await countRunning(engine.client, 'slow')) === 1);
    await engine.stop(30_000);
    await expect(slow).resolves.toEqual([{ v: 0 }]);
    expect(engine.client.snapshot().state).toEqual({ kind: 'stopped' });
    await expect(engine.client.rows('SELECT 1', scan)).rejects.toMatchObject({ code: 'engine_unavailable' });
  });

  it('kills statements that do not finish, and can be repeated', async () => {
    const engine = await open();
    const outcome = expect(engine.client.rows(endlessSql, { ...scan, comment: 'stubborn' })).rejects.toBeInstanceOf(
      StoreError,
    );
    await eventually(async () => (await countRunning(engine.client, 'stubborn')) === 1);
    const pid = enginePid(engine);
    await engine.stop(100);
    await outcome;
    expect(isAlive(pid)).toBe(false);
    await engine.stop();
  });
});

describe('reaching the engine', () => {
  it("keeps the engine's library out of the process that uses it", async () => {
    const owner = runOwner(
      `const engine = await openEmbeddedEngine({ dataDirectory: ${JSON.stringify(directory)} });
       await engine.client.rows('SELECT 1', { class: 'scan', comment: 'test' });
       process.report.excludeNetwork = true;
       const { sharedObjects } = process.report.getReport();
       console.log(sharedObjects.length > 0, sharedObjects.some((path) => path.includes('chdb')));
       await engine.stop();`,
    );
    expect(await owner.output).toBe('true false\n');
  });

  it('keeps its socket, pipes and configuration to its own user', async () => {
    await open();
    const modes = await Promise.all(
      ['run', 'run/engine.sock', 'run/result-0.pipe', 'run/engine.xml'].map((name) => stat(join(directory, name))),
    );
    expect(modes.map(({ mode }) => mode & 0o077)).toEqual([0, 0, 0, 0]);
    const written = await readFile(join(directory, 'run/engine.xml'), 'utf8');
    expect(written).toContain('<max_server_memory_usage>1000000000</max_server_memory_usage>');
  });

  it('holds results in memory, and says so, where named pipes cannot be made', async () => {
    const before = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      await open();
    } finally {
      process.env['PATH'] = before;
    }
    const [engine] = opened;
    expect(events).toContainEqual({ kind: 'warning', message: expect.stringContaining('mkfifo') });
    const rows = await engine?.client.rows<{ n: string }>('SELECT number AS n FROM numbers(100000)', scan);
    expect(rows).toHaveLength(100_000);
    await expect(engine?.client.rows('SELECT no_such_column', scan)).rejects.toMatchObject({ code: 'sql_error' });
    await expect(engine?.client.rows(endlessSql, { ...scan, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await expect(engine?.client.rows('SELECT 1 AS v', scan)).resolves.toEqual([{ v: 1 }]);
  });

  it('uses the loopback interface when the socket path is too long, and lets nobody in without the secret', async () => {
    const long = join(directory, 'x'.repeat(120));
    await mkdir(long);
    const engine = await open({ dataDirectory: long });
    const endpoint = engine.endpoint();
    if (endpoint?.address.kind !== 'tcp') throw new Error('Expected a port of the loopback interface');
    expect(endpoint.address.host).toBe('127.0.0.1');
    const url = `http://127.0.0.1:${endpoint.address.port}`;
    await expect(openServerEngine({ url, user: 'clew', password: 'guessed' })).rejects.toMatchObject({
      code: 'sql_error',
      details: { engineCode: 516 },
    });
    const { user, secret: password } = endpoint;
    const remote = await openServerEngine({ url, user, password });
    await expect(remote.client.rows('SELECT {v:String} AS v', { ...scan, params: { v: 'x' } })).resolves.toEqual([
      { v: 'x' },
    ]);
    expect(remote.client.target).toBe('server');
    await remote.stop();
  });
});
