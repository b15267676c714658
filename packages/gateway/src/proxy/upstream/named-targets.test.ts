// Probes of targets that are given by name.
import { describe, expect, it } from 'vitest';
import { eventually, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import { HostResolver } from './resolver.ts';

describe('probes of a target with a name', () => {
  const text = (target: string, probe: string): string => `
    routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
    upstreams {
      upstream "b" {
        target "${target}"
        health-check { ${probe}; interval-secs "30ms"; timeout-secs 20; healthy-threshold 1; unhealthy-threshold 1 }
      }
    }`;

  it.each([
    ['type "tcp"', undefined],
    ['type "http" { path "/hz"; host "inner.test" }', 'inner.test'],
  ])('go to the address it has: %s', async (probe, host) => {
    const backend = await startBackend((_request, response) => response.end());
    const asked: string[] = [];
    const resolver = new HostResolver((name) => {
      asked.push(name);
      return Promise.resolve(['127.0.0.1']);
    });
    const gateway = await startGateway(text(`api.test:${backend.port}`, probe), { resolver });
    await eventually(() => gateway.recorder.health.length > 0);
    expect(gateway.recorder.health[0]).toMatchObject({ target: `api.test:${backend.port}`, healthy: true });
    expect(asked).toEqual(['api.test']);
    if (host !== undefined) expect(backend.requests[0]).toMatchObject({ url: '/hz', headers: { host } });
  });

  it('fail as long as the name has none, and find it when it has one', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const state = { known: false };
    const resolver = new HostResolver(() =>
      state.known ? Promise.resolve(['127.0.0.1']) : Promise.reject(new Error('no such name')),
    );
    const gateway = await startGateway(text(`api.test:${backend.port}`, 'type "tcp"'), { resolver });
    const { health } = gateway.recorder;
    await eventually(() => health.length === 1);
    expect(health[0]).toMatchObject({ healthy: false, probed: true });
    expect(health[0]!.reason).toContain(`cannot find an address for api.test:${backend.port}: no such name`);
    expect((await send(gateway, '/')).status).toBe(503);
    state.known = true;
    await eventually(() => health.length === 2);
    expect(health[1]).toMatchObject({ healthy: true });
    expect((await send(gateway, '/')).status).toBe(200);
  });
});
