import { describe, expect, it } from 'vitest';
import { send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { TokenBuckets } from './token-buckets.ts';

const rate = (requestsPerSecond: number, burst: number) =>
  ({ requestsPerSecond, burst, key: { kind: 'client-ip' } }) as const;

describe('token buckets', () => {
  it('refuse what exceeds the burst, until tokens come back', () => {
    const buckets = new TokenBuckets(rate(10, 2), 100);
    expect([0, 0, 0].map((ms) => buckets.take('a', ms).allowed)).toEqual([true, true, false]);
    expect(buckets.take('b', 0).allowed).toBe(true);
    expect(buckets.take('a', 99).allowed).toBe(false);
    expect(buckets.take('a', 101)).toMatchObject({ allowed: true, remaining: 0 });
  });
  it('say how long to wait', () => {
    const buckets = new TokenBuckets(rate(10, 1), 100);
    buckets.take('a', 0);
    expect(buckets.take('a', 0)).toMatchObject({ allowed: false, waitMs: 100 });
  });
  it('lend tokens to those who may wait, and no more than that', () => {
    const buckets = new TokenBuckets(rate(10, 1), 100);
    const waits = [0, 0, 0, 0].map((ms) => buckets.take('a', ms, 250));
    expect(waits.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(waits.map(({ waitMs }) => Math.round(waitMs))).toEqual([0, 100, 200, 300]);
  });
  it('forget the key not seen for longest', () => {
    const buckets = new TokenBuckets(rate(1, 1), 2);
    for (const key of ['a', 'b']) buckets.take(key, 0);
    buckets.take('a', 0);
    buckets.take('c', 0);
    expect(buckets.keys).toBe(2);
    expect(buckets.take('a', 0).allowed).toBe(false);
    expect(buckets.take('b', 0).allowed).toBe(true);
  });
});

async function gatewayWith(filter: string, matches = 'path-prefix "/api/"', more = ''): Promise<TestGateway> {
  const backend = await startBackend((request, response) => {
    response.end(`${request.headers.host} ${request.url}`);
  });
  return startGateway(`
    routes { route "r" { matches { ${matches} }; upstream "b"; filters "f" } }
    filters { filter "f" { ${filter} } }
    upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }
    ${more}`);
}

describe('rate limits', () => {
  it('refuse with what the client needs to know', async () => {
    const gateway = await gatewayWith('type "rate-limit"; max-rps 1; burst 2; key "client-ip"');
    const first = await send(gateway, '/api/');
    expect(first).toMatchObject({ status: 200, headers: { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '1' } });
    await send(gateway, '/api/');
    const third = await send(gateway, '/api/');
    expect(third.status).toBe(429);
    expect(third.headers['retry-after']).toBe('1');
    expect(third.headers['x-ratelimit-remaining']).toBe('0');
    expect(Math.abs(Number(third.headers['x-ratelimit-reset']) - Date.now() / 1000)).toBeLessThan(60);
    expect(await gateway.recorder.exchange(2)).toMatchObject({ rateLimitHit: true, blocked: 'rate_limited' });
    expect(gateway.recorder.rates).toEqual(['filter f reject']);
  });
  it('answer as the filter says', async () => {
    const gateway = await gatewayWith('type "rate-limit"; max-rps 1; burst 1; status-code 503; message "later"');
    await send(gateway, '/api/');
    expect(await send(gateway, '/api/')).toMatchObject({ status: 503, body: 'later' });
  });
  it('hold back where the filter says so', async () => {
    const gateway = await gatewayWith('type "rate-limit"; max-rps 20; burst 1; on-limit "delay"');
    const statuses = await Promise.all([1, 2, 3].map(async () => (await send(gateway, '/api/')).status));
    expect(statuses).toEqual([200, 200, 200]);
    expect(gateway.recorder.rates).toEqual(['filter f delay', 'filter f delay']);
    expect(Math.max(...gateway.recorder.ended.map(({ durationMs }) => durationMs))).toBeGreaterThanOrEqual(90);
  });
  it('only report where the filter says so', async () => {
    const gateway = await gatewayWith('type "rate-limit"; max-rps 1; burst 1; on-limit "log-only"');
    for (let n = 0; n < 3; n++) expect((await send(gateway, '/api/')).status).toBe(200);
    expect(gateway.recorder.rates).toHaveLength(2);
  });
  it('count by header', async () => {
    const gateway = await gatewayWith('type "rate-limit"; max-rps 1; burst 1; key "header:X-Key"');
    const status = async (key: string): Promise<number> =>
      (await send(gateway, '/api/', { headers: { 'X-Key': key } })).status;
    expect([await status('a'), await status('b'), await status('a')]).toEqual([200, 200, 429]);
    const long = 'k'.repeat(3000);
    expect([await status(`${long}1`), await status(`${long}2`), await status(`${long}1`)]).toEqual([200, 200, 429]);
  });
  it('hold for everything together, and as a default for routes', async () => {
    const gateway = await gatewayWith(
      'type "timeout"; request-timeout-secs 5',
      'path-prefix "/"',
      'rate-limits { default-rps 1; default-burst 2; global { max-rps 1; burst 3 } }',
    );
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await send(gateway, '/')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(gateway.recorder.rates).toEqual(['route r reject']);
  });
});

describe('the rate of all requests', () => {
  it('holds for requests that no route takes', async () => {
    const gateway = await gatewayWith(
      'type "timeout"; request-timeout-secs 5',
      'path "/x"',
      'rate-limits { global { max-rps 1; burst 2 } }',
    );
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await send(gateway, '/stray')).status);
    expect(statuses).toEqual([404, 404, 429]);
    expect(gateway.recorder.rates).toEqual(['rate-limits.global reject']);
  });
});

describe('filters', () => {
  const filters = `filters {
    filter "slow" { type "rate-limit"; max-rps 1; burst 1 }
    filter "away" { type "redirect"; hostname "b.test" }
    filter "cors" { type "cors"; allowed-origins "https://a.test" }
  }`;
  const chosen = (names: string): Promise<TestGateway> =>
    startGateway(
      `routes { route "r" { matches { path "/" }; builtin-handler "health"; filters ${names} } }\n${filters}`,
    );
  const statuses = async (gateway: TestGateway, headers = {}, method = 'GET'): Promise<number[]> => [
    (await send(gateway, '/', { headers, method })).status,
    (await send(gateway, '/', { headers, method })).status,
  ];

  it('run in the order they are listed', async () => {
    expect(await statuses(await chosen('"slow" "away"'))).toEqual([302, 429]);
    expect(await statuses(await chosen('"away" "slow"'))).toEqual([302, 302]);
    const preflight = { Origin: 'https://a.test', 'Access-Control-Request-Method': 'GET' };
    expect(await statuses(await chosen('"slow" "cors"'), preflight, 'OPTIONS')).toEqual([204, 429]);
    expect(await statuses(await chosen('"cors" "slow"'), preflight, 'OPTIONS')).toEqual([204, 204]);
  });

  it('tell browsers where refusals come from, whichever stands first', async () => {
    const gateway = await chosen('"slow" "cors"');
    await send(gateway, '/');
    const refused = await send(gateway, '/', { headers: { Origin: 'https://a.test' } });
    expect(refused).toMatchObject({ status: 429, headers: { 'access-control-allow-origin': 'https://a.test' } });
  });
});

describe('CORS', () => {
  const filter = 'type "cors"; allowed-origins "https://a.test"; allowed-methods "GET" "PUT"; max-age-secs 60';
  it('answers preflights itself', async () => {
    const gateway = await gatewayWith(filter);
    const preflight = {
      Origin: 'https://a.test',
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'x-y',
    };
    const response = await send(gateway, '/api/', { method: 'OPTIONS', headers: preflight });
    expect(response).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://a.test',
        'access-control-allow-methods': 'GET, PUT',
        'access-control-allow-headers': 'x-y',
      },
    });
    expect(await gateway.recorder.exchange()).toMatchObject({ answeredBy: 'filter', attempts: [] });
  });
  it('lets nobody else in', async () => {
    const gateway = await gatewayWith(filter);
    const headers = { Origin: 'https://evil.test', 'Access-Control-Request-Method': 'PUT' };
    const preflight = await send(gateway, '/api/', { method: 'OPTIONS', headers });
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    const plain = await send(gateway, '/api/', { headers: { Origin: 'https://evil.test' } });
    expect(plain.headers['access-control-allow-origin']).toBeUndefined();
  });
  it('tells browsers about responses', async () => {
    const gateway = await gatewayWith(filter);
    const response = await send(gateway, '/api/', { headers: { Origin: 'https://a.test' } });
    expect(response.headers).toMatchObject({ 'access-control-allow-origin': 'https://a.test', vary: 'Origin' });
  });
});

describe('redirects', () => {
  it.each([
    ['scheme "https"', 'https://a.test/api/x?q=1'],
    ['hostname "b.test"; port 8443', 'http://b.test:8443/api/x?q=1'],
    ['replace-full-path "/new"', 'http://a.test:81/new?q=1'],
    ['replace-prefix-match "/v2"', 'http://a.test:81/v2/x?q=1'],
  ])('%s', async (settings, location) => {
    const gateway = await gatewayWith(`type "redirect"; status-code 308; ${settings}`);
    const response = await send(gateway, '/api/x?q=1', { headers: { Host: 'a.test:81' } });
    expect(response).toMatchObject({ status: 308, headers: { location } });
  });
});

describe('rewrites', () => {
  it('change path and host on the way up', async () => {
    const gateway = await gatewayWith('type "url-rewrite"; hostname "inner.test"; replace-prefix-match "/v2"');
    const response = await send(gateway, '/api/x?q=1');
    expect(response.body).toBe('inner.test /v2/x?q=1');
    expect((await gateway.recorder.exchange()).attempts[0]!.path).toBe('/v2/x');
  });
});
