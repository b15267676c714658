import { describe, expect, it } from 'vitest';
import { formatPosition } from '../../kdl/position.ts';
import { configOf } from '../../test/load-text.ts';
import { lintGatewayConfig } from './lint.ts';

/** Findings as `code place message`. */
async function findings(text: string): Promise<string[]> {
  return lintGatewayConfig(await configOf(text)).map(({ severity, code, position, message }) => {
    expect(severity).toBe('warning');
    return `${code} ${position === undefined ? '' : `${formatPosition(position).slice('g.kdl:'.length)} `}${message}`;
  });
}

/** Findings about the order of routes, each answered by the gateway itself. */
async function orderOf(...routes: readonly string[]): Promise<string[]> {
  const blocks = routes.map((inside, index) => `route "r${index}" { builtin-handler "health"; ${inside} }`);
  const all = await findings(`routes {\n${blocks.join('\n')}\n}\n${quiet}`);
  return all.filter((one) => /^(shadowed|tied)/.test(one));
}

const quiet = 'observability { logging { access-log {} } }';

describe('lintGatewayConfig', () => {
  it('finds nothing in a configuration that has everything', async () => {
    const text = `routes { route "a" { upstream "u"; matches { path "/" }; policies { timeout-secs 5 }; retry-policy {} } }
upstreams { upstream "u" { target "h:1"; target "i:1"; health-check {} } }
${quiet}`;
    expect(await findings(text)).toEqual([]);
  });

  it('finds what no route uses', async () => {
    const text = `upstreams { upstream "u" { target "h:1"; target "i:1"; health-check {} } }
agents { agent "a" { unix-socket "/a" }; agent "b" { unix-socket "/b" }; agent "c" { unix-socket "/c" } }
filters { filter "f" { type "agent"; agent "a" }; filter "g" { type "cors" } }
routes { route "r" { builtin-handler "health"; matches { path "/" }; agents "b"; filters "g" } }
${quiet}`;
    expect(await findings(text)).toEqual([
      'unused 1:13 upstream "u" is used by no route',
      'unused 2:74 agent "c" is used by no route',
      'unused 3:11 filter "f" is used by no route',
    ]);
  });

  it('finds missing retries, timeouts, health checks and second targets', async () => {
    const text = `routes { route "a" { upstream "u"; matches { path "/" } } }
upstreams { upstream "u" { target "h:443" } }
${quiet}`;
    expect(await findings(text)).toEqual([
      'no_retry_policy 1:10 route "a" has no retry-policy: a failed target fails the request',
      'no_timeout 1:10 route "a" has no timeout-secs in its policies: that of the listener holds',
      'no_health_check 2:13 upstream "u" has no health-check: requests find out which targets are down',
      'single_target 2:13 upstream "u" has a single target: there is no other when it is down',
      'tls_suspected 2:13 upstream "u" speaks to h:443 without a tls block: servers there expect TLS',
    ]);
  });

  it('finds listeners without TLS on port 80, and TLS without Strict-Transport-Security', async () => {
    const listeners = `system {}
listeners {
  listener "a" { address "0.0.0.0:80" }
  listener "b" { address "0.0.0.0:443"; protocol "https"; tls { cert-file "c"; key-file "k" } }
}
${quiet}`;
    const hsts = 'no_hsts 4:3 listener "b" serves TLS and no route sets Strict-Transport-Security';
    expect(await findings(listeners)).toEqual([
      'plain_http 3:3 listener "a" serves port 80 without TLS: anyone on the way can read along',
      hsts,
    ]);
    const filter = (phase: string) => `${listeners}
filters { filter "f" { type "headers"; phase "${phase}"; set { strict-transport-security "max-age=1" } } }
routes { route "r" { builtin-handler "health"; matches { path "/" }; filters "f" } }`;
    expect(await findings(filter('response'))).not.toContain(hsts);
    expect(await findings(filter('request'))).toContain(hsts);
  });

  it('finds metrics and access log that are off', async () => {
    expect(await findings('observability { metrics { enabled #false } }')).toEqual([
      'metrics_off metrics are off: nobody sees how the gateway does',
      'access_log_off the access log is off: add access-log to logging to see each request',
    ]);
  });
});

describe('lintGatewayConfig, on the order of routes', () => {
  it.each([
    ['a prefix of higher priority', 'priority 60; matches { path-prefix "/a" }', 'matches { path "/a/b" }'],
    ['the same conditions', 'matches { path "/a" "/b" }', 'matches { path "/b" }'],
    ['no path at all', 'priority 60; matches { method "GET" "POST" }', 'matches { path "/a"; method "GET" }'],
    ['a wider host', 'priority 60; matches { host "*.b.c" }', 'matches { host "*.a.b.c" "x.b.c" }'],
    ['presence of a header', 'priority 60; matches { header "X" }', 'matches { header "x" "1"; header "y" }'],
    ['the same pattern', 'matches { path-regex "^/a" }', 'matches { path-regex "^/a" }'],
  ])('finds a route behind one with %s', async (_what, first, second) => {
    expect(await orderOf(first, second)).toEqual([
      'shadowed_route 3:1 route "r1" is never taken: "r0" takes every request it matches and comes first',
    ]);
  });

  it.each([
    ['priority 60; matches { path-prefix "/a/" }', 'matches { path "/a" }'],
    ['priority 60; matches { path-prefix "/a" }', 'matches { path "/ab" }'],
    ['priority 60; matches { path "/a"; method "GET" }', 'matches { path "/a" }'],
    ['priority 60; matches { host "*.b.c" }', 'matches { host "b.c" }'],
    ['priority 60; matches { header "x" "1" }', 'matches { header "x" "1" "2"; header "x" "2" }'],
    ['priority 60; matches { path-regex "^/a" }', 'matches { path "/abc" }'],
    ['priority 60; matches { query-param "q" }', 'matches { path "/abc" }'],
    ['matches { path-prefix "/a" }', 'matches { path "/a/b" }'],
  ])('finds nothing when requests are left: %s, %s', async (first, second) => {
    expect(await orderOf(first, second)).toEqual([]);
  });

  it('finds routes whose order only the file decides', async () => {
    expect(await orderOf('matches { path "/a"; header "x" "1" }', 'matches { path "/a"; header "y" "1" }')).toEqual([
      'tied_routes 3:1 routes "r0" and "r1" can match the same request with the same priority; the order in the file decides',
    ]);
    expect(
      await orderOf('matches { path "/a"; header "x" }', 'priority 51; matches { path "/a"; header "y" }'),
    ).toEqual([]);
    expect(await orderOf('matches { path "/a"; method "GET" }', 'matches { path "/a"; method "PUT" }')).toEqual([]);
    expect(await orderOf('matches { path "/a"; host "a.b" }', 'matches { path "/a"; host "c.d" }')).toEqual([]);
  });
});
