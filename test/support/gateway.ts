import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startClew, until } from './clew.ts';
import type { RunningCommand } from './clew.ts';

export { freePort } from '@clew/testkit';

const samples = fileURLToPath(new URL('../../packages/gateway/src/config/testdata/', import.meta.url));

/** What a published configuration needs changed to run beside other tests: addresses, and nothing else. */
export interface Addresses {
  /** `host:port` or a URL each. */
  readonly backend: string;
  readonly collector: string;
  /** Folder of the agents' sockets. */
  readonly sockets?: string;
}

/** A gateway in a process of its own. */
export interface LaunchedGateway {
  readonly command: RunningCommand;
  /** Its configuration. */
  readonly path: string;
  readonly url: string;
  readonly metricsUrl: string;
  /** Access-log lines, as text. */
  lines(): string[];
  /** Ends it with SIGTERM; resolves to its exit code. */
  stop(): Promise<number | null>;
}

/** A published configuration with other addresses. */
export function publishedConfig(name: string, { backend, collector, sockets }: Addresses): string {
  return readFileSync(`${samples}${name}.kdl`, 'utf8')
    .replace('"0.0.0.0:8080"', '"127.0.0.1:0"')
    .replace('"0.0.0.0:9090"', '"127.0.0.1:0"')
    .replace(/target "[^"]*"/, `target "${backend}"`)
    .replace(/endpoint "[^"]*"/, `endpoint "${collector}"`)
    .replaceAll(/\/var\/run\/\w+\//g, `${sockets ?? '/nowhere'}/`);
}

/** Starts `clew gateway` with this text and waits until it is ready. */
export async function launchGateway(
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<LaunchedGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-gateway-run-'));
  const path = join(folder, 'gateway.kdl');
  writeFileSync(path, text);
  const command = startClew(['gateway', '--config', path], { env: { OTEL_BSP_SCHEDULE_DELAY: '100', ...env } });
  await until('the gateway is ready', async () => {
    if (command.process.exitCode !== null) throw new Error(command.output.stderr);
    return command.output.stderr.includes('The gateway is ready.') || undefined;
  });
  return {
    command,
    path,
    url: `http://${addressIn(command.output.stderr, 'Listening.')}`,
    metricsUrl: `http://${addressIn(command.output.stderr, 'Metrics are served.')}`,
    lines: () => command.output.stdout.split('\n').filter((line) => line !== ''),
    async stop() {
      command.process.kill('SIGTERM');
      const { code } = await command.ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

function addressIn(log: string, message: string): string {
  for (const line of log.split('\n')) {
    if (!line.includes(`"${message}"`)) continue;
    return (JSON.parse(line) as { readonly address: string }).address;
  }
  throw new Error(`no line says ${message}:\n${log}`);
}

/** A service that nobody instrumented; it remembers what it was sent and answers with 200, but `/api/never`. */
export interface Backend {
  readonly address: string;
  readonly seen: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

export async function startBackend(port = 0): Promise<Backend> {
  const seen: Backend['seen'] = [];
  const server: Server = createServer((request, response) => {
    if (request.url !== '/health') seen.push({ path: request.url ?? '', headers: request.headers });
    request.resume();
    if (request.url !== '/api/never') response.end('from the backend');
  });
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
