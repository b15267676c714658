import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { acquireListener } from './acquire.ts';
import { canSharePorts } from './bind.ts';
import { parseListenEndpoint } from './endpoint.ts';
import { sharePorts } from './sharing.ts';

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  sharePorts(undefined);
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Listens as another thread or process would. */
async function stranger(options: { readonly port?: number; readonly reusePort?: boolean } = {}): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, ...options }, resolve);
  });
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function listenOn(port: number) {
  const lease = await acquireListener({ endpoint: parseListenEndpoint(`127.0.0.1:${port}`), owner: 'test' });
  ends.push(() => lease.release({ graceMs: 0 }));
  return lease;
}

// Only Linux and some BSDs balance connections over shared ports.
const shareable = await canSharePorts();

describe.runIf(shareable)('listeners that share their ports', () => {
  it('do not take a port somebody has, whether or not it would be shared', async () => {
    sharePorts({ checkFree: true, ownsUnshareable: true });
    for (const reusePort of [false, true]) {
      const port = await stranger({ reusePort });
      await expect(listenOn(port)).rejects.toMatchObject({ code: 'port_in_use' });
    }
  });

  it('join those of other threads when the port is known to be theirs', async () => {
    sharePorts({ checkFree: false, ownsUnshareable: false });
    const port = await stranger({ reusePort: true });
    expect((await listenOn(port)).address).toMatchObject({ port });
  });

  it('let others join', async () => {
    const free = await stranger();
    await ends.pop()!();
    sharePorts({ checkFree: true, ownsUnshareable: true });
    await listenOn(free);
    expect(await stranger({ port: free, reusePort: true })).toBe(free);
  });

  it('leave Unix sockets and ports of the system’s choosing to the one thread that owns them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clew-sharing-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    sharePorts({ checkFree: true, ownsUnshareable: false });
    expect((await listenOn(0)).address).toMatchObject({ port: 0 });
    const endpoint = parseListenEndpoint(path, 'unix');
    const idle = await acquireListener({ endpoint, owner: 'idle' });
    expect(idle.snapshot()).toMatchObject({ state: 'listening', address: { path } });
    await idle.release();
    sharePorts({ checkFree: true, ownsUnshareable: true });
    expect((await listenOn(0)).address).not.toMatchObject({ port: 0 });
    const owner = await acquireListener({ endpoint, owner: 'owner' });
    ends.push(() => owner.release());
    await expect(
      new Promise((resolve, reject) =>
        createServer()
          .once('error', reject)
          .listen(path, () => resolve(undefined)),
      ),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
