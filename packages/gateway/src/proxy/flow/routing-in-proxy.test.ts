// Routing by what real requests have: what the matcher does with it has tests of its own.
import { describe, expect, it } from 'vitest';
import { exchangeBytes, send, startGateway } from '../../../test/proxy/harness.ts';
import { askHttp2, certificates, openHttp2, tlsListener } from '../../../test/proxy/tls.ts';

/** Each route is told from the others by one condition, which are of all kinds. */
const conditions: Readonly<Record<string, string>> = {
  parameter: 'query-param "kind" "a b"',
  presence: 'query-param "here"',
  header: 'header "X-Tier" "gold"',
  host: 'host "api.test"',
  wildcard: 'host "*.shop.test"',
  method: 'method "DELETE" "PURGE"',
};

const routes = `routes {
  ${Object.entries(conditions)
    .map(([id, condition]) => `route "${id}" { matches { path "/x"; ${condition} }; builtin-handler "health" }`)
    .join('\n')}
}`;

interface Case {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined = none. */
  readonly route: string | undefined;
}

const cases: readonly Case[] = [
  { path: '/x?kind=a%20b', route: 'parameter' },
  { path: '/x?a=1&kind=a+b', route: 'parameter' },
  { path: '/x?kind=other', route: undefined },
  { path: '/x?here', route: 'presence' },
  { path: '/x?here=', route: 'presence' },
  { path: '/x', route: undefined },
  { headers: { 'x-tier': 'gold' }, route: 'header' },
  { headers: { 'x-tier': 'Gold' }, route: undefined },
  { host: 'api.test', route: 'host' },
  { host: 'API.test:81', route: 'host' },
  { host: 'a.shop.test', route: 'wildcard' },
  { host: 'shop.test', route: undefined },
  { method: 'DELETE', route: 'method' },
  { method: 'PURGE', route: 'method' },
  { method: 'POST', route: undefined },
];

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** A gateway with these routes, and a client of it, which tells the status of the answer. */
async function clientOf(protocol: 'HTTP/1.1' | 'HTTP/2') {
  if (protocol === 'HTTP/1.1') {
    const gateway = await startGateway(routes);
    const ask = async ({ path, method, host, headers }: Asked): Promise<number> =>
      (await send(gateway, path, { method, headers: { ...headers, Host: host } })).status;
    return { gateway, ask };
  }
  const files = certificates();
  const { cert, key } = files.issue('own');
  const gateway = await startGateway(`${tlsListener(`cert-file "${cert}"; key-file "${key}"`)}\n${routes}`);
  const session = openHttp2(gateway, files.ca);
  const ask = async ({ path, method, host, headers }: Asked): Promise<number> => {
    const pseudo = { ':path': path, ':method': method, ':authority': host };
    return Number((await askHttp2(session, { ...pseudo, ...headers })).headers[':status']);
  };
  return { gateway, ask };
}

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('requests by %s', (protocol) => {
  it.each(cases)(
    'are led by what they are: %j',
    async ({ path = '/x', method = 'GET', host = 'a', headers, route }) => {
      const { gateway, ask } = await clientOf(protocol);
      const status = await ask({ path, method, host, headers });
      const exchange = await gateway.recorder.exchange();
      expect([exchange.route?.id, status]).toEqual([route, route === undefined ? 404 : 200]);
    },
  );
});

describe('a default route', () => {
  const text = (listener: string): string => `
    listeners { listener "l" { address "127.0.0.1:0"; ${listener} } }
    routes {
      route "own" { matches { path "/own" }; builtin-handler "health" }
      route "rest" { matches { path "/rest" }; builtin-handler "status" }
    }`;

  it('takes what no other takes, and only on the listener that names it', async () => {
    const gateway = await startGateway(text('default-route "rest"'));
    for (const path of ['/own', '/other']) expect((await send(gateway, path)).status).toBe(200);
    expect(gateway.recorder.ended.map(({ route }) => route?.id)).toEqual(['own', 'rest']);
    const without = await startGateway(text(''));
    expect((await send(without, '/other')).status).toBe(404);
  });
});

describe('an upgrade', () => {
  it('where WebSocket is not enabled is refused in so many words', async () => {
    const gateway = await startGateway('routes { route "r" { matches { path "/" }; builtin-handler "health" } }');
    const opening = 'Host: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n';
    const answer = await exchangeBytes(gateway.port, `GET / HTTP/1.1\r\n${opening}`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 [^]*\r\n\r\nWebSocket not enabled for this route$/);
    expect(await gateway.recorder.exchange()).toMatchObject({
      status: 403,
      blocked: 'websocket_not_enabled',
      failure: { reason: 'websocket_not_enabled' },
    });
  });
});
