// What tests of whole gateways share: the program as `clew gateway` runs it, a backend, and ways to ask it something.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, vi } from 'vitest';
import { GatewayProgram } from '../../src/command/gateway-program.ts';
import { nodeConfigIo } from '../../src/config/node-io.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Runs when the test is over, last one first. */
export function onEnd(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp);
}

/** Waits until `check` does not throw. */
export const waitFor = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 30_000, interval: 20 });

/** An empty folder; it ends with the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-gateway-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A backend whose state tests change; it counts probes. Responses that are held are sent when the test calls what is kept of them. */
export async function startBackend() {
  const state = { status: 200, probes: 0, requests: 0, hold: false, held: [] as (() => void)[] };
  const server = createServer((request, response) => {
    if (request.url === '/probe') state.probes++;
    else state.requests++;
    const answer = (): void => void response.writeHead(state.status).end();
    if (state.hold) state.held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onEnd(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return { state, port: (server.address() as AddressInfo).port };
}

/** A gateway as the command runs it, with a listener `http` and metrics. It ends with the test. */
export async function startProgram(text: string, env: Readonly<Record<string, string>> = {}) {
  const path = join(testFolder(), 'gateway.kdl');
  writeFileSync(path, text);
  const said: string[] = [];
  const io = { ...nodeConfigIo, env };
  const program = new GatewayProgram({ path, io, version: '1.2.3', stderr: (line) => void said.push(line) });
  onEnd(() => program.stop());
  await program.start();
  const url = `http://127.0.0.1:${program.ports.listeners['http']}/`;
  /** Statuses of so many requests, each on a connection of its own, so that every thread gets some. */
  const ask = (count: number): Promise<number[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const response = await fetch(url, { headers: { connection: 'close' } });
        await response.arrayBuffer();
        return response.status;
      }),
    );
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${program.ports.metrics}/metrics`)).text();
  /** Has it run with another text. */
  const reload = async (changed: string): Promise<void> => {
    writeFileSync(path, changed);
    await program.reload();
  };
  return { program, path, url, ask, metrics, said, reload };
}

/** Follows the threads that gateways start from now on, apart from the one the test runs in, until the test ends. */
export function followThreads() {
  const workers: Worker[] = [];
  const threads = { workers, serving: 0, crash };
  const note = (worker: Worker): void => {
    workers.push(worker);
    worker.on('message', ({ kind }: { readonly kind: string }) => {
      if (kind === 'started') threads.serving++;
    });
  };
  process.on('worker', note);
  onEnd(() => process.off('worker', note));
  return threads;
}

/** No thread can make anything of such a message: it ends with an error nobody has caught. */
function crash(worker: Worker): void {
  worker.postMessage(null);
}
