import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ephemeralStart, freePorts, lowest } from './free-ports.ts';

describe('free ports', () => {
  afterEach(() => vi.restoreAllMocks());

  it('are all different, also among callers', async () => {
    const ports = (await Promise.all([freePorts(40), freePorts(40)])).flat();
    expect(new Set(ports).size).toBe(80);
  });

  it('are none that the system gives away by itself', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const given = (server.address() as { port: number }).port;
    expect(given).toBeGreaterThanOrEqual(ephemeralStart());
    for (const port of await freePorts(40)) expect(port).toBeLessThan(ephemeralStart());
    server.close();
  });

  it('are none that somebody listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = (server.address() as { port: number }).port;
    let next = taken;
    vi.spyOn(Math, 'random').mockImplementation(() => (next++ - lowest + 0.5) / (ephemeralStart() - lowest));
    expect(await freePorts(1)).not.toEqual([taken]);
    expect(next).toBeGreaterThan(taken + 1);
    server.close();
  });
});
