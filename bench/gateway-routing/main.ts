// Question: what does choosing a route cost, against trying every route in order, as tables grow? One thread, fixed
// traffic of 997 requests per table (a few of them match nothing), medians of seven rounds after a warm-up.
//
// "allocated" is what the heap grew by over a round without a collection in between; reading it costs a few bytes a lookup
// itself.
//
// Usage: npm run bench -- gateway-routing [--results=DIRECTORY]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RouteMatcher, loadGatewayConfig, nodeConfigIo } from '@clew/gateway';
import type { RoutableRequest } from '@clew/gateway';
import { calibrate } from '../lib/calibration.ts';
import { spreadOf } from '../lib/percentiles.ts';

const { values: options } = parseArgs({
  options: { results: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) } },
});

const ROUNDS = 7;
const LOOKUPS_PER_ROUND = 200_000;
const REQUESTS = 997;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Table {
  readonly name: string;
  /** The inside of `matches`, and of the route beside it, for each route. */
  readonly routes: readonly string[];
  readonly targetOf: (index: number) => { readonly path: string; readonly host?: string };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const tables: readonly Table[] = [
  {
    name: 'the quick start: a prefix and a path',
    routes: ['path-prefix "/api/"', 'path "/health"'],
    targetOf: (i) => ({ path: i % 10 === 0 ? '/health' : i % 97 === 0 ? '/other' : `/api/users/${i}` }),
  },
  {
    name: '20 prefixes and methods',
    routes: numbers(20).map((n) => `path-prefix "/service${n}"; method "GET"`),
    targetOf: (i) => ({ path: `/service${i % 21}/items/${i}` }),
  },
  {
    name: '1,000 prefixes',
    routes: numbers(1000).map((n) => `path-prefix "/team${n % 50}/service${n}/"`),
    targetOf: (i) => ({ path: `/team${i % 50}/service${i}/items/${i}` }),
  },
  {
    name: '500 hosts on one prefix',
    routes: numbers(500).map((n) => `host "shop${n}.example.com"; path-prefix "/"`),
    targetOf: (i) => ({ path: '/cart', host: `shop${i % 510}.example.com` }),
  },
  {
    name: '30 patterns',
    routes: numbers(30).map((n) => `path-regex "^/v[0-9]+/kind${n}/[a-z0-9-]+$"`),
    targetOf: (i) => ({ path: `/v2/kind${i % 31}/item-${i}` }),
  },
];

async function matcherOf({ routes }: Table): Promise<RouteMatcher> {
  const blocks = routes.map((inside, n) => `route "r${n}" { builtin-handler "health"; matches { ${inside} } }`);
  const text = `system {}\nlisteners { listener "l" { address "127.0.0.1:8080" } }\nroutes {\n${blocks.join('\n')}\n}`;
  const { config, problems } = await loadGatewayConfig({ text, name: 'bench.kdl' }, nodeConfigIo);
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return new RouteMatcher(config.routes);
}

function requestsOf({ targetOf }: Table): RoutableRequest[] {
  return numbers(REQUESTS).map((index) => {
    const { path, host = 'example.com' } = targetOf(index);
    return { method: 'GET', authority: host, path, query: '', headers: { accept: '*/*' } };
  });
}

/** Keeps results reachable, so that no work can be optimised away. */
let found = 0;

interface Round {
  readonly nanosPerLookup: number;
  readonly bytesPerLookup: number;
}

/**
 * One round. A server reads each path from the socket into a new string whose hash nobody knows yet; so does this, for all
 * methods alike, outside of what is timed.
 */
function round(match: (request: RoutableRequest) => unknown, requests: readonly RoutableRequest[]): Round {
  collect();
  let elapsedMs = 0;
  let bytes = 0;
  for (let done = 0; done < LOOKUPS_PER_ROUND; done += requests.length) {
    const fresh = requests.map((request) => ({ ...request, path: Buffer.from(request.path).toString('latin1') }));
    const heapBefore = process.memoryUsage().heapUsed;
    const startMs = performance.now();
    for (const request of fresh) if (match(request) !== undefined) found++;
    elapsedMs += performance.now() - startMs;
    bytes += Math.max(0, process.memoryUsage().heapUsed - heapBefore);
  }
  return { nanosPerLookup: (elapsedMs * 1e6) / LOOKUPS_PER_ROUND, bytesPerLookup: bytes / LOOKUPS_PER_ROUND };
}

/** Every route a table of its own, tried in order: what routing costs without an index. */
function linear(matcher: RouteMatcher): (request: RoutableRequest) => unknown {
  const single = matcher.ranked.map((route) => new RouteMatcher([route], { cacheSize: 1 }));
  return (request) => single.find((one) => one.match(request) !== undefined);
}

const calibration = calibrate();
console.log(
  `calibration: ${calibration.cores} cores, memory copy ${calibration.memoryCopyGBps.toFixed(1)} GB/s; ${process.version}`,
);
const figures: object[] = [];
for (const table of tables) {
  const matcher = await matcherOf(table);
  const requests = requestsOf(table);
  const inOrder = linear(matcher);
  const methods = { indexed: (request: RoutableRequest) => matcher.match(request), 'in order': inOrder };
  for (const [method, match] of Object.entries(methods)) {
    round(match, requests);
    const rounds = numbers(ROUNDS).map(() => round(match, requests));
    const nanos = spreadOf(rounds.map(({ nanosPerLookup }) => nanosPerLookup));
    const bytes = spreadOf(rounds.map(({ bytesPerLookup }) => bytesPerLookup));
    console.log(
      `${table.name.padEnd(40)} ${method.padEnd(9)} ${nanos.median.toFixed(0).padStart(7)} ns/lookup, allocated ${bytes.median.toFixed(0)} bytes`,
    );
    figures.push({ table: table.name, method, nanosPerLookup: nanos, bytesPerLookup: bytes });
  }
}
mkdirSync(options.results, { recursive: true });
writeFileSync(
  join(options.results, 'gateway-routing.json'),
  `${JSON.stringify({ calibration, node: process.version, found, figures }, null, 2)}\n`,
);
