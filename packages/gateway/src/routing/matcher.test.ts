import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteConditions, RouteConfig } from '../config/model/route.ts';
import { configOf } from '../test/load-text.ts';
import { RouteMatcher, rankRoutes } from './matcher.ts';
import { normalizeHost, splitRequestTarget } from './request.ts';
import type { RoutableRequest } from './request.ts';
import { specificity } from './specificity.ts';

/** Routes as they are written inside `routes`, each answered by the gateway itself. */
async function routesOf(...routes: readonly string[]): Promise<readonly RouteConfig[]> {
  const blocks = routes.map((inside, index) => `route "r${index}" { builtin-handler "health"; ${inside} }`);
  return (await configOf(`routes { ${blocks.join('\n')} }`)).routes;
}

function request(target: string, more: Partial<RoutableRequest> = {}): RoutableRequest {
  const { path, query } = splitRequestTarget(target)!;
  return { method: 'GET', authority: 'example.com', path, query, headers: {}, ...more };
}

/** The ids that `routes` gives to requests. */
async function chosen(routes: readonly string[], requests: readonly (string | RoutableRequest)[]): Promise<string[]> {
  const matcher = new RouteMatcher(await routesOf(...routes));
  return requests.map((one) => {
    const match = matcher.match(typeof one === 'string' ? request(one) : one);
    return match?.route.id ?? 'none';
  });
}

describe('RouteMatcher, when nothing fits', () => {
  it('finds no route, or the listener’s default route', async () => {
    const matcher = new RouteMatcher(await routesOf('matches { path "/a" }', 'matches { path "/b" }'));
    expect(matcher.match(request('/x'))).toBeUndefined();
    const match = matcher.match(request('/x'), 'r1');
    expect(match?.route.id).toBe('r1');
    expect(match?.path).toBeUndefined();
    expect(matcher.match(request('/a'), 'r1')?.route.id).toBe('r0');
  });

  it('finds none in an empty table', () => {
    expect(new RouteMatcher([]).match(request('/'))).toBeUndefined();
  });

  it('gives OPTIONS * only to routes without a path', async () => {
    const routes = ['matches { path-prefix "/" }', 'matches { method "OPTIONS" }'];
    expect(await chosen(routes, [request('*', { method: 'OPTIONS' }), request('*')])).toEqual(['r1', 'none']);
  });

  it('takes no member of Object.prototype for a header', async () => {
    const routes = [
      'matches { header "constructor" }',
      'matches { header "__proto__" }',
      'matches { header "tostring" }',
    ];
    expect(await chosen(routes, ['/'])).toEqual(['none']);
  });
});

describe('RouteMatcher, on paths', () => {
  it('routes the quick start as it says', async () => {
    const routes = ['priority 100; matches { path-prefix "/api/" }', 'priority 1000; matches { path "/health" }'];
    expect(await chosen(routes, ['/health', '/api/users', '/api/', '/api', '/other', '/health/', '/Health'])).toEqual([
      'r1',
      'r0',
      'r0',
      'none',
      'none',
      'none',
      'none',
    ]);
  });

  it('lets a prefix end only where a segment ends, unless it ends in a slash', async () => {
    const routes = ['matches { path-prefix "/x" }'];
    expect(await chosen(routes, ['/x', '/x/', '/x/y', '/xy', '/', '/x?q=1'])).toEqual([
      'r0',
      'r0',
      'r0',
      'none',
      'none',
      'r0',
    ]);
    expect(await chosen(['matches { path-prefix "/" }'], ['/', '/a', '/a/b'])).toEqual(['r0', 'r0', 'r0']);
  });

  it('prefers the longer prefix, a pattern to a prefix, and an exact path to a pattern', async () => {
    const routes = [
      'matches { path-prefix "/" }',
      'matches { path-prefix "/api" }',
      'matches { path-prefix "/api/v1/" }',
      'matches { path-regex "^/api/v[0-9]+/users$" }',
      'matches { path "/api/v1/users" }',
    ];
    const paths = ['/api/v1/users', '/api/v2/users', '/api/v1/x', '/api/x', '/apix'];
    expect(await chosen(routes, paths)).toEqual(['r4', 'r3', 'r2', 'r1', 'r0']);
  });

  it('searches patterns anywhere in the undecoded path', async () => {
    const routes = ['matches { path-regex "users/[0-9]+" }'];
    expect(await chosen(routes, ['/a/users/12/b', '/a/users/x', '/a/users%2F12', '/x?users/12'])).toEqual([
      'r0',
      'none',
      'none',
      'none',
    ]);
  });

  it('takes any of several paths, of whatever form, and tells which it was', async () => {
    const matcher = new RouteMatcher(
      await routesOf('matches { path "/a" "/b"; path "/c"; path-prefix "/d/"; path-regex "^/e+$" }'),
    );
    const kinds = ['/a', '/b', '/c', '/d/x', '/eee', '/f'].map((path) => matcher.match(request(path))?.path);
    expect(kinds).toEqual([
      { kind: 'exact', value: '/a' },
      { kind: 'exact', value: '/b' },
      { kind: 'exact', value: '/c' },
      { kind: 'prefix', value: '/d/' },
      { kind: 'regex', value: '^/e+$' },
      undefined,
    ]);
  });
});

describe('RouteMatcher, on the order of routes', () => {
  it('puts priority before everything else', async () => {
    const routes = ['matches { path "/a" }', 'priority 51; matches { path-prefix "/" }'];
    expect(await chosen(routes, ['/a'])).toEqual(['r1']);
    const words = ['priority "critical"; matches { path-prefix "/" }', 'priority 999; matches { path "/a" }'];
    expect(await chosen(words, ['/a'])).toEqual(['r0']);
    const negative = ['priority -5; matches { path "/a" }', 'priority "background"; matches { path-prefix "/" }'];
    expect(await chosen(negative, ['/a'])).toEqual(['r1']);
  });

  it('adds up kinds of conditions and, when that ties, keeps the order of the file', async () => {
    const routes = [
      'matches { path-prefix "/a" }',
      'matches { path-prefix "/a"; method "GET" }',
      'matches { path-prefix "/a"; header "x" }',
      'matches { path-prefix "/a"; header "x" "1" }',
      'matches { path-prefix "/a"; header "x" "1" }',
    ];
    const withHeader = (value: string) => request('/a', { headers: { x: value } });
    expect(await chosen(routes, ['/a', withHeader('2'), withHeader('1')])).toEqual(['r1', 'r2', 'r3']);
  });

  it('falls back to the next route when other conditions do not hold', async () => {
    const routes = ['matches { path "/a"; method "POST" }', 'matches { path-prefix "/" }'];
    expect(await chosen(routes, ['/a', request('/a', { method: 'POST' })])).toEqual(['r1', 'r0']);
  });

  it('uses a route of low priority without conditions for what is left', async () => {
    const routes = ['priority "low"', 'matches { path "/a" }'];
    expect(await chosen(routes, ['/a', '/b', '*'])).toEqual(['r1', 'r0', 'r0']);
  });

  it.each([
    ['path "/abc"', 10_000],
    ['path-regex "x"', 5000],
    ['path-prefix "/abc"', 1004],
    ['path-prefix "/a"; path-prefix "/abc"', 1004],
    ['host "a.b"', 70],
    ['host-regex "a"', 60],
    ['host "*.b"', 50],
    ['host "*.b" "a.b"', 70],
    ['header "a" "b"', 30],
    ['header "a"', 20],
    ['header "a" "b"; header "c"', 30],
    ['query-param "a" "b"', 25],
    ['query-param "a"', 15],
    ['method "GET" "PUT"', 10],
    ['path "/a"; host "a.b"; header "a" "b"; query-param "a"; method "GET"', 10_125],
  ])('counts %s as %i', async (conditions, expected) => {
    const [route] = await routesOf(`matches { ${conditions} }`);
    expect(specificity(route!.conditions)).toBe(expected);
  });
});

describe('RouteMatcher, on hosts', () => {
  const hosts = [
    'example.com',
    'EXAMPLE.com:8080',
    'a.example.com',
    'a.b.example.com',
    'xexample.com',
    'example.com.',
    '',
  ];
  const at = (authority: string) => request('/', { authority });

  it('compares hosts without case, port and the dot of the root', async () => {
    expect(await chosen(['matches { host "Example.com" }'], hosts.map(at))).toEqual([
      'r0',
      'r0',
      'none',
      'none',
      'none',
      'r0',
      'none',
    ]);
  });

  it('lets a wildcard stand for one label or more', async () => {
    expect(await chosen(['matches { host "*.example.com" }'], hosts.map(at))).toEqual([
      'none',
      'none',
      'r0',
      'r0',
      'none',
      'none',
      'none',
    ]);
  });

  it('reads other hosts with a star or bracket as patterns', async () => {
    const routes = ['matches { host "^api-[0-9]+[.]example" }', 'matches { host-regex "^(web|www)[.]" }'];
    const asked = ['api-12.example.com', 'API-7.EXAMPLE.org', 'api-x.example.com', 'www.x', 'xwww.x'];
    expect(await chosen(routes, asked.map(at))).toEqual(['r0', 'r0', 'none', 'r1', 'none']);
  });

  it('takes IPv6 addresses in brackets for what they are', async () => {
    expect(await chosen(['matches { host "[::1]" }'], [at('[::1]:8080'), at('[::1]'), at('[::2]')])).toEqual([
      'r0',
      'r0',
      'none',
    ]);
    expect(normalizeHost('[2001:DB8::1]')).toBe('[2001:db8::1]');
  });
});

describe('RouteMatcher, on headers, queries and methods', () => {
  it('wants every header named, and any of the values of one', async () => {
    const routes = ['matches { header "X-A" "1"; header name="x-a" value="2"; header "X-B" }'];
    const headers: RoutableRequest['headers'][] = [
      { 'x-a': '1', 'x-b': '' },
      { 'x-a': '2', 'x-b': 'y' },
      { 'x-a': ['0', '2'], 'x-b': ['y'] },
      { 'x-a': '3', 'x-b': 'y' },
      { 'x-a': '1' },
      { 'x-a': '1', 'x-b': [] },
    ];
    const asked = headers.map((some) => request('/', { headers: some }));
    expect(await chosen(routes, asked)).toEqual(['r0', 'r0', 'r0', 'none', 'none', 'none']);
  });

  it('decodes query parameters and counts a name without value as present', async () => {
    const present = ['matches { query-param "a b" }'];
    const asked = ['/?a%20b', '/?a%20b=', '/?x=1&a+b=2', '/?a', '/', '/?x=a%20b', '/?a%2', '/?&&a%20b&&'];
    expect(await chosen(present, asked)).toEqual(['r0', 'r0', 'r0', 'none', 'none', 'none', 'none', 'r0']);
    const valued = ['matches { query-param "v" "1+1"; query-param name="w" value="é" }'];
    const values = ['/?v=1+1&w=%C3%A9', '/?v=1%2B1&w=é', '/?v=1&w=%C3%A9', '/?w=%C3%A9&v=2&v=1+1', '/?v=1+1&w=%FF'];
    expect(await chosen(valued, values)).toEqual(['r0', 'r0', 'none', 'r0', 'none']);
  });

  it('takes any of several methods', async () => {
    const routes = ['matches { method "get" "POST"; method "PURGE" }'];
    const asked = ['GET', 'POST', 'PURGE', 'PUT', 'get'].map((method) => request('/', { method }));
    expect(await chosen(routes, asked)).toEqual(['r0', 'r0', 'r0', 'none', 'none']);
  });
});

/** The rules as sentences: tries every route in order. */
function naive(routes: readonly RouteConfig[], asked: RoutableRequest): string | undefined {
  const pathHolds = ({ paths }: RouteConditions): boolean =>
    paths.length === 0 ||
    paths.some(({ kind, value }) => {
      if (kind === 'exact') return asked.path === value;
      if (kind === 'regex') return new RegExp(value).test(asked.path);
      if (value.endsWith('/')) return asked.path.startsWith(value);
      return asked.path === value || asked.path.startsWith(`${value}/`);
    });
  const hostHolds = ({ hosts }: RouteConditions): boolean =>
    hosts.length === 0 ||
    hosts.some(({ kind, value }) =>
      kind === 'exact'
        ? asked.authority === value
        : asked.authority.endsWith(value.slice(1)) && asked.authority.length > value.length - 1,
    );
  const rest = ({ methods, headers, query }: RouteConditions): boolean =>
    (methods.length === 0 || methods.includes(asked.method)) &&
    headers.every(
      ({ name, value }) => asked.headers[name] !== undefined && (value === undefined || asked.headers[name] === value),
    ) &&
    query.every(({ name, value }) => {
      const found = new URLSearchParams(asked.query).get(name);
      return found !== null && (value === undefined || found === value);
    });
  const held = rankRoutes(routes).find(
    ({ conditions }) => pathHolds(conditions) && hostHolds(conditions) && rest(conditions),
  );
  return held?.id;
}

const segment = fc.constantFrom('a', 'ab', 'b', 'v1', '');
const pathText = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
const someHost = fc.constantFrom('a.io', 'b.io', 'x.a.io', 'y.x.a.io');

const conditions: fc.Arbitrary<RouteConditions> = fc.record({
  paths: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('exact' as const, 'prefix' as const), value: pathText }),
      fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('^/a', 'v[0-9]', '/$', 'b') }),
    ),
    { maxLength: 3 },
  ),
  hosts: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('exact' as const), value: someHost }),
      fc.record({ kind: fc.constant('wildcard' as const), value: fc.constantFrom('*.a.io', '*.io') }),
    ),
    { maxLength: 2 },
  ),
  methods: fc.uniqueArray(fc.constantFrom('GET', 'POST'), { maxLength: 1 }),
  headers: fc.oneof(fc.constant([]), fc.constantFrom([{ name: 'h' }], [{ name: 'h', value: '1' }])),
  query: fc.oneof(fc.constant([]), fc.constantFrom([{ name: 'q' }], [{ name: 'q', value: '1' }])),
});

const someRequest: fc.Arbitrary<RoutableRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  authority: someHost,
  path: pathText,
  query: fc.constantFrom('', 'q', 'q=1', 'q=2&x'),
  headers: fc.constantFrom({}, { h: '1' }, { h: '2' }),
});

describe('RouteMatcher, beside the rules written out', () => {
  it('gives every request the route that trying all of them in order gives, and again from its cache', () => {
    const tables = fc.array(fc.tuple(conditions, fc.constantFrom(50, 100)), { maxLength: 24 });
    fc.assert(
      fc.property(tables, fc.array(someRequest, { minLength: 1, maxLength: 12 }), (table, requests) => {
        const routes = table.map(([some, priority], index): RouteConfig => routeWith(`r${index}`, some, priority));
        const matcher = new RouteMatcher(routes, { cacheSize: 4 });
        for (const asked of [...requests, ...requests]) {
          expect(matcher.match(asked)?.route.id).toBe(naive(routes, asked));
        }
      }),
      { numRuns: 400 },
    );
  });
});

function routeWith(id: string, some: RouteConditions, priority: number): RouteConfig {
  const edits = { rename: [], set: [], add: [], remove: [] };
  return {
    id,
    position: { file: 't.kdl', line: 1, column: 1 },
    priority,
    conditions: some,
    destination: { kind: 'builtin', handler: 'health' },
    serviceType: 'builtin',
    agents: [],
    filters: [],
    policies: {
      requestHeaders: edits,
      responseHeaders: edits,
      failureMode: 'closed',
      bufferRequests: false,
      bufferResponses: false,
    },
    websocket: false,
    websocketInspection: false,
  };
}

describe('splitRequestTarget', () => {
  it.each([
    ['/a/b?x=1&y', { path: '/a/b', query: 'x=1&y' }],
    ['/a?', { path: '/a', query: '' }],
    ['/a#f?x', { path: '/a', query: '' }],
    ['/a?x?y', { path: '/a', query: 'x?y' }],
    ['*', { path: '*', query: '' }],
    ['http://h:1/p?q', { authority: 'h:1', path: '/p', query: 'q' }],
    ['HTTPS://h?q', { authority: 'h', path: '/', query: 'q' }],
    ['host:443', undefined],
    ['', undefined],
    ['ftp://h/', undefined],
  ])('cuts %j', (target, expected) => {
    expect(splitRequestTarget(target)).toEqual(expected);
  });
});
