// Entry of the engine's process. Started by the supervisor with a control pipe (IPC); configured by its first message.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import type { StatementClass } from '../client.ts';
import type { ControlMessage, EngineAddress, OpenMessage, ReadyMessage, ReportMessage } from '../protocol.ts';
import { openConnection } from './chdb.ts';
import type { EngineConnection } from './chdb.ts';
import { createEngineServer } from './http.ts';
import { SessionPool } from './pool.ts';
import { makeResultPipes } from './result-pipe.ts';
import type { ResultPipe } from './result-pipe.ts';
import { EngineSession } from './session.ts';
import type { SessionState } from './session.ts';
import { StatementRunner } from './statement.ts';

interface OpenEngine {
  readonly server: Server;
  readonly runner: StatementRunner;
  readonly sessions: readonly EngineSession[];
}

let engine: OpenEngine | undefined;

// An engine without its owner would keep the directory locked. Nothing is lost by ending at once: what was
// acknowledged has been synced, and closing sessions while statements run would block.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Signals of the terminal go to the whole group; when to end is the owner's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.on('message', (message: ControlMessage) => {
  const work = message.kind === 'open' ? open(message) : stop(message.drainMs);
  work.catch((caught: unknown) => {
    report({ kind: 'failed', message: caught instanceof Error ? caught.message : String(caught) }, () =>
      process.exit(1),
    );
  });
});

function report(message: ReportMessage, sent?: () => void): void {
  process.send?.(message, undefined, undefined, () => sent?.());
}

async function open(message: OpenMessage): Promise<void> {
  mkdirSync(message.engineDirectory, { recursive: true });
  const configPath = join(message.runDirectory, 'engine.xml');
  writeFileSync(configPath, message.configXml, { mode: 0o600 });
  const connectionArguments = [
    `--config-file=${configPath}`,
    ...Object.entries(message.baseSettings).map(([name, value]) => `--${name}=${value}`),
  ];
  const connect = (): EngineConnection => openConnection(message.engineDirectory, connectionArguments);
  const counts = message.sessions;
  const killer = new EngineSession('killer', connect());
  const base: SessionState = {
    database: 'default',
    settings: new Map(Object.entries(message.baseSettings)),
    params: new Map(),
  };
  const version = Buffer.from(await killer.run('SELECT version()', base, 'TSVRaw'))
    .toString('utf8')
    .trim();
  const total = counts.insert + counts.control + counts.point + counts.scan;
  const pipes = await makeResultPipes(message.runDirectory, total);
  const byClass = openSessions(counts, connect, pipes);
  const sessions = Object.values(byClass).flat();
  const runner = new StatementRunner(new SessionPool(byClass, message.maxWaitingPerClass), killer, base);
  const server = createEngineServer({
    runner,
    user: message.user,
    secret: message.secret,
    baseSettings: message.baseSettings,
  });
  const address = await listen(server, message.socketPath);
  engine = { server, runner, sessions: [...sessions, killer] };
  const maxOpenFiles = readMaxOpenFiles();
  const ready: ReadyMessage = {
    kind: 'ready',
    address,
    version,
    results: pipes === undefined ? 'buffered' : 'pipe',
    ...(maxOpenFiles === undefined ? {} : { maxOpenFiles }),
  };
  report(ready);
  // Else it is written at a proper exit only, and engines are killed often enough.
  flushCompileCache();
}

function openSessions(
  counts: OpenMessage['sessions'],
  connect: () => EngineConnection,
  pipes: ResultPipe[] | undefined,
): Record<StatementClass, EngineSession[]> {
  let next = 0;
  const some = (kind: StatementClass): EngineSession[] =>
    Array.from(
      { length: counts[kind] },
      (_, index) => new EngineSession(`${kind}-${index}`, connect(), pipes?.[next++]),
    );
  return { insert: some('insert'), control: some('control'), point: some('point'), scan: some('scan') };
}

async function listen(server: Server, socketPath: string | undefined): Promise<EngineAddress> {
  if (socketPath !== undefined) rmSync(socketPath, { force: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
  else server.listen(socketPath, resolve);
  await promise;
  if (socketPath !== undefined) {
    chmodSync(socketPath, 0o600);
    return { kind: 'unix', socketPath };
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string')
    throw new Error(`The engine listens on ${String(bound)}, not on a port`);
  return { kind: 'tcp', host: '127.0.0.1', port: bound.port };
}

/** Soft limit of open files as the kernel states it; Node has raised it to the hard limit already. */
function readMaxOpenFiles(): number | undefined {
  const path = '/proc/self/limits';
  if (!existsSync(path)) return undefined;
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

async function stop(drainMs: number): Promise<void> {
  if (engine !== undefined) {
    engine.server.close();
    await engine.runner.drain(drainMs);
    engine.server.closeAllConnections();
    for (const session of engine.sessions) session.close();
  }
  process.exit(0);
}
