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
      address: { host: '127.0.0.1', port: 9090 },
      path: '/m',
    });
    expect(effective.routes[0]!.conditions.paths).toEqual([{ kind: 'exact', value: '/new' }]);
  });
});
