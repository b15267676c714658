import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agent, id, route, upstream } from '../test/arbitrary-config.ts';
import type { Route } from '../test/arbitrary-config.ts';
import { frame, loadText } from '../test/load-text.ts';
import { write } from '../test/write-config.ts';
import type { GatewayConfig } from './model.ts';

/** Written down in another order than read: kinds of path conditions are gathered. */
function inReadOrder(some: Route): Route {
  const kinds = ['exact', 'prefix', 'regex'];
  const paths = some.conditions.paths.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return { ...some, conditions: { ...some.conditions, paths } };
}

function withoutPlace<T extends { readonly id: string; readonly position: object }>({
  id: _id,
  position: _position,
  ...rest
}: T) {
  return rest;
}

describe('loadGatewayConfig, on generated configurations', () => {
  it('reads back every upstream, agent and route that is written down', async () => {
    const parts = fc
      .record({
        upstreams: fc.dictionary(id, upstream, { minKeys: 1, maxKeys: 3 }),
        agents: fc.dictionary(id, agent, { minKeys: 1, maxKeys: 3 }),
      })
      .chain(({ upstreams, agents }) =>
        fc
          .dictionary(id, route(Object.keys(upstreams), Object.keys(agents)), { maxKeys: 4 })
          .map((routes) => ({ upstreams, agents, routes })),
      );
    await fc.assert(
      fc.asyncProperty(parts, async ({ upstreams, agents, routes }) => {
        const text = [
          frame,
          `routes ${write.block(Object.entries(routes).map(([name, value]) => write.route(name, value)))}`,
          `upstreams ${write.block(Object.entries(upstreams).map(([name, value]) => write.upstream(name, value)))}`,
          `agents ${write.block(Object.entries(agents).map(([name, value]) => write.agent(name, value)))}`,
        ].join('\n');
        const { config, problems } = await loadText(text);
        expect(problems.filter(({ code }) => code !== 'no_effect')).toEqual([]);
        const read = (items: GatewayConfig['upstreams' | 'agents']) =>
          Object.fromEntries([...items.values()].map((item) => [item.id, withoutPlace(item)]));
        expect(read(config!.upstreams)).toEqual(plain(upstreams));
        expect(read(config!.agents)).toEqual(plain(agents));
        for (const item of config!.routes) {
          const { serviceType: _type, filters, ...rest } = withoutPlace(item);
          expect(filters).toEqual([]);
          expect(rest).toEqual(inReadOrder(routes[item.id]!));
        }
        expect(config!.routes).toHaveLength(Object.keys(routes).length);
      }),
      { numRuns: 150 },
    );
  });
});

/** fast-check's dictionaries have no prototype; what is read has. */
function plain<T>(dictionary: Readonly<Record<string, T>>): Record<string, T> {
  return { ...dictionary };
}
