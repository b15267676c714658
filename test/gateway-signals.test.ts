// What the process of a gateway does when it is sent signals.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from './support/clew.ts';
import { launchGateway, startBackend } from './support/gateway.ts';
import type { LaunchedGateway } from './support/gateway.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Texts {
  readonly route: string;
  readonly system?: string;
  readonly logging?: string;
  readonly upstreams?: string;
}

const text = ({ route, system = '', logging = '', upstreams = '' }: Texts): string => `
system { worker-threads 2; ${system} }
listeners { listener "http" { address "127.0.0.1:0" } }
routes { route "r" { ${route} } }
upstreams { ${upstreams} }
observability { metrics { address "127.0.0.1:0" }; logging { ${logging} } }
`;

const health = (path: string): string => `matches { path "${path}" }; builtin-handler "health"`;

async function gatewayOn(texts: Texts): Promise<LaunchedGateway> {
  const gateway = await launchGateway(text(texts));
  cleanUps.push(() => gateway.stop());
  return gateway;
}

const says = ({ command }: LaunchedGateway, sentence: string): Promise<true> =>
  until(`the gateway says "${sentence}"`, async () => command.output.stderr.includes(sentence) || undefined);

describe('SIGHUP', () => {
  it('has every thread take the configuration that the file has now', async () => {
    const gateway = await gatewayOn({ route: health('/one') });
    gateway.command.process.kill('SIGHUP');
    await says(gateway, 'The configuration has not changed.');
    writeFileSync(gateway.path, text({ route: health('/two') }));
    gateway.command.process.kill('SIGHUP');
    await says(gateway, 'The configuration was reloaded.');
    const status = async (path: string): Promise<number> =>
      (await fetch(`${gateway.url}${path}`, { headers: { connection: 'close' } })).status;
    await until('all threads have it', async () => {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => status('/two')));
      return statuses.every((each) => each === 200) || undefined;
    });
    expect(await status('/one')).toBe(404);
    expect(await gateway.stop()).toBe(0);
  });
});

describe('SIGUSR1', () => {
  it('has it go on in new log files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-gateway-logs-'));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const access = join(folder, 'access.log');
    const gateway = await gatewayOn({ route: health('/'), logging: `access-log { file "${access}" }` });
    const lineIn = (file: string): Promise<true> =>
      until(`a line in ${file}`, async () => (existsSync(file) && readFileSync(file, 'utf8') !== '') || undefined);
    await fetch(gateway.url);
    await lineIn(access);
    renameSync(access, `${access}.1`);
    gateway.command.process.kill('SIGUSR1');
    await says(gateway, 'Log files were opened anew.');
    const before = readFileSync(`${access}.1`, 'utf8');
    await fetch(gateway.url);
    await lineIn(access);
    expect(readFileSync(`${access}.1`, 'utf8')).toBe(before);
  });
});

describe('SIGTERM', () => {
  it('ends it with 1 when requests had to be cut because their time was over', async () => {
    const backend = await startBackend();
    cleanUps.push(() => backend.close());
    const gateway = await gatewayOn({
      system: 'graceful-shutdown-timeout-secs "100ms"',
      route: 'matches { path-prefix "/" }; upstream "b"',
      upstreams: `upstream "b" { target "${backend.address}" }`,
    });
    const cut = fetch(`${gateway.url}/api/never`).then(
      ({ status }) => status,
      () => 'cut',
    );
    await until('the request is on its way', async () => backend.seen.length > 0 || undefined);
    expect(await gateway.stop()).toBe(1);
    expect(gateway.command.output.stderr).toContain('requests that took too long were cut');
    // Whoever was waiting is told, or cut off.
    expect([503, 'cut']).toContain(await cut);
  });

  it('lets requests finish whatever other signals come meanwhile', async () => {
    const release = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const slow = createServer((_request, response) => {
      asked.resolve();
      void release.promise.then(() => response.end('late'));
    });
    await new Promise<void>((resolve) => void slow.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => (slow.closeAllConnections(), slow.close()));
    const gateway = await gatewayOn({
      route: 'matches { path "/" }; upstream "b"',
      upstreams: `upstream "b" { target "127.0.0.1:${(slow.address() as AddressInfo).port}" }`,
    });
    const running = fetch(gateway.url).then((response) => response.text());
    await asked.promise;
    const stopped = gateway.stop();
    await says(gateway, 'The gateway stops.');
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) gateway.command.process.kill(signal);
    release.resolve();
    expect([await running, await stopped]).toEqual(['late', 0]);
  });
});
