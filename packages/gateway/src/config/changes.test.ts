import { describe, expect, it } from 'vitest';
import { configOf } from '../test/load-text.ts';
import { compareConfigs, effectiveConfig } from './changes.ts';

const base = `system { worker-threads 1 }
listeners { listener "l" { address "127.0.0.1:1" } }
routes { route "r" { upstream "a"; matches { path "/" } } }
upstreams { upstream "a" { target "h:1" }
upstream "b" { target "h:2" } }
agents { agent "x" { unix-socket "/x"; config position="top" } }
observability { metrics { address "127.0.0.1:9090" } }`;

const none = { added: [], removed: [], changed: [] };

describe('compareConfigs', () => {
  it('sees no change when only lines moved', async () => {
    const changes = compareConfigs(await configOf(base), await configOf(`// comment\n\n${base}`));
    expect(changes).toEqual({
      unchanged: true,
      needRestart: [],
      upstreams: { ...none, kept: ['a', 'b'] },
      agents: { ...none, kept: ['x'] },
    });
  });

  it('tells what is kept from what is new, changed and gone', async () => {
    const next = base
      .replace('target "h:1"', 'target "h:9"')
      .replace('upstream "b"', 'upstream "c"')
      .replace('position="top"', 'position="bottom"');
    const changes = compareConfigs(await configOf(base), await configOf(next));
    expect(changes.unchanged).toBe(false);
    expect(changes.upstreams).toEqual({ added: ['c'], removed: ['b'], changed: ['a'], kept: [] });
    expect(changes.agents).toEqual({ ...none, changed: ['x'], kept: [] });
    expect(changes.needRestart).toEqual([]);
  });

  it('names what needs a restart, and leaves that as it was', async () => {
    const next = base
      .replace('worker-threads 1', 'worker-threads 2')
      .replace('"127.0.0.1:1"', '"127.0.0.1:2"')
      .replace(':9090"', ':9091"; path "/m"')
      .replace('path "/"', 'path "/new"');
    const [running, wanted] = [await configOf(base), await configOf(next)];
    expect(compareConfigs(running, wanted).needRestart).toEqual([
      'system',
      'listeners',
      'observability metrics address',
    ]);
    const effective = effectiveConfig(running, wanted);
    expect(effective.system.workerThreads).toBe(1);
    expect(effective.listeners[0]!.address.port).toBe(1);
    expect(effective.observability.metrics).toEqual({
      enabled: true,
      maxConnections: 256,
      address: { host: '127.0.0.1', port: 9090 },
      path: '/m',
    });
    expect(effective.routes[0]!.conditions.paths).toEqual([{ kind: 'exact', value: '/new' }]);
  });

  it('lets metrics be switched on and off, at any address', async () => {
    const [on, off] = [
      await configOf(base),
      await configOf(base.replace('address "127.0.0.1:9090"', 'enabled #false')),
    ];
    const elsewhere = await configOf(base.replace(':9090', ':9091'));
    expect(compareConfigs(off, elsewhere)).toMatchObject({ unchanged: false, needRestart: [] });
    expect(effectiveConfig(off, elsewhere).observability.metrics).toMatchObject({
      enabled: true,
      address: { port: 9091 },
    });
    expect(compareConfigs(on, off).needRestart).toEqual([]);
    expect(effectiveConfig(on, off).observability.metrics.enabled).toBe(false);
  });

  it('takes over at once what a listener says about requests', async () => {
    const listener = (inside: string): string =>
      base.replace('address "127.0.0.1:1"', `address "127.0.0.1:1"; ${inside}`);
    const running = await configOf(listener('default-route "r"; request-timeout-secs 5'));
    const wanted = await configOf(listener('request-timeout-secs 7; keepalive-max-requests 9'));
    expect(compareConfigs(running, wanted)).toMatchObject({ unchanged: false, needRestart: [] });
    const [after] = effectiveConfig(running, wanted).listeners;
    expect(after).toMatchObject({ id: 'l', requestTimeoutMs: 7000, keepaliveMaxRequests: 9 });
    expect(after).not.toHaveProperty('defaultRoute');
    const [others, slower] = [await configOf(listener('keepalive-timeout-secs 5')), await configOf(base)];
    expect(compareConfigs(others, slower).needRestart).toEqual(['listeners']);
    expect(effectiveConfig(others, slower).listeners[0]!.keepaliveTimeoutMs).toBe(5000);
  });

  it('lets a listener that is gone from the file go on without a route that is gone', async () => {
    const running = await configOf(base.replace('address', 'default-route "r"; address'));
    const renamed = base.replace('listener "l"', 'listener "m"');
    const kept = effectiveConfig(running, await configOf(renamed)).listeners;
    expect(kept).toMatchObject([{ id: 'l', defaultRoute: 'r' }]);
    const without = effectiveConfig(running, await configOf(renamed.replace('route "r"', 'route "s"'))).listeners;
    expect(without[0]).not.toHaveProperty('defaultRoute');
  });
});
