// What clients and backends see of settings of filters that change what passes.
import { describe, expect, it } from 'vitest';
import { send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { Backend, TestGateway } from '../../../test/proxy/harness.ts';

/** A gateway whose route has these filters, and a backend that tells in `X-Own` and `X-Old` what it is. */
async function setUp(...filters: string[]): Promise<{ gateway: TestGateway; backend: Backend }> {
  const backend = await startBackend((request, response) => {
    response.writeHead(200, { 'X-Own': 'backend', 'X-Old': 'old' });
    response.end(`${request.headers.host} ${request.url}`);
  });
  const gateway = await startGateway(`
    routes {
      route "r" {
        matches { path-prefix "/api/" }
        upstream "b"
        filters ${filters.map((_, index) => `"f${index}"`).join(' ')}
      }
    }
    filters { ${filters.map((filter, index) => `filter "f${index}" { ${filter} }`).join('\n')} }
    upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
  return { gateway, backend };
}

describe('CORS', () => {
  const origin = 'https://a.test';
  const asked = { Origin: origin, 'Access-Control-Request-Method': 'PUT' };

  it('lets credentials come along where that is allowed, to preflights and responses', async () => {
    const { gateway } = await setUp(`type "cors"; allowed-origins "${origin}"; allow-credentials #true`);
    const preflight = await send(gateway, '/api/', { method: 'OPTIONS', headers: asked });
    const response = await send(gateway, '/api/', { headers: { Origin: origin } });
    for (const { headers } of [preflight, response]) {
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      });
    }
    const stranger = await send(gateway, '/api/', { headers: { Origin: 'https://evil.test' } });
    expect(stranger.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each([
    ['anybody', '', '*'],
    ['whom it names', `allowed-origins "${origin}"`, origin],
  ])('says nothing of credentials where nobody allowed them, and lets %s in', async (_whom, setting, allowed) => {
    const { gateway } = await setUp(`type "cors"; ${setting}`);
    const { headers } = await send(gateway, '/api/', { headers: { Origin: origin } });
    expect(headers['access-control-allow-origin']).toBe(allowed);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('names the headers that scripts may read, of responses and not of preflights', async () => {
    const { gateway } = await setUp(`type "cors"; allowed-origins "${origin}"; exposed-headers "X-Own" "X-Old"`);
    const response = await send(gateway, '/api/', { headers: { Origin: origin } });
    expect(response.headers['access-control-expose-headers']).toBe('X-Own, X-Old');
    const preflight = await send(gateway, '/api/', { method: 'OPTIONS', headers: asked });
    expect(preflight.headers['access-control-expose-headers']).toBeUndefined();
    const stranger = await send(gateway, '/api/', { headers: { Origin: 'https://evil.test' } });
    expect(stranger.headers['access-control-expose-headers']).toBeUndefined();
  });
});

describe('url-rewrite', () => {
  it('replaces the whole path and keeps the query', async () => {
    const { gateway } = await setUp('type "url-rewrite"; replace-full-path "/fixed/place"');
    const { body } = await send(gateway, '/api/x/y?q=1&r', { headers: { Host: 'a.test' } });
    expect(body).toBe('a.test /fixed/place?q=1&r');
  });
});

describe('headers', () => {
  const edits = `rename { "X-Old" "X-New" }
    set { "X-Own" "filter" }
    add { "X-More" "1" }
    remove "X-Gone"`;
  const sent = { 'X-Old': 'asked', 'X-Own': 'client', 'X-More': '0', 'X-Gone': 'x' };

  /** What backend and client saw: the latter's own fields, and those of the backend. */
  async function seen(phase: string) {
    const { gateway, backend } = await setUp(`type "headers"; ${phase}; ${edits}`);
    const { headers } = await send(gateway, '/api/', { headers: sent });
    return { request: backend.requests[0]!.headers, response: headers };
  }
  const requestEdited = { 'x-new': 'asked', 'x-own': 'filter', 'x-more': '0, 1' };
  const requestPassed = { 'x-old': 'asked', 'x-own': 'client', 'x-more': '0', 'x-gone': 'x' };
  const responseEdited = { 'x-new': 'old', 'x-own': 'filter', 'x-more': '1' };
  const responsePassed = { 'x-old': 'old', 'x-own': 'backend' };

  it.each([
    ['phase "request"', requestEdited, responsePassed],
    ['phase "response"', requestPassed, responseEdited],
    ['phase "both"', requestEdited, responseEdited],
  ])('with %s change what they say and nothing else', async (phase, expectedRequest, expectedResponse) => {
    const { request, response } = await seen(phase);
    expect([request, response]).toMatchObject([expectedRequest, expectedResponse]);
    for (const [headers, expected] of [
      [request, expectedRequest],
      [response, expectedResponse],
    ] as const) {
      const own = Object.keys(headers).filter((name) => /^x-(?:old|new|own|more|gone)$/.test(name));
      expect(own.toSorted()).toEqual(Object.keys(expected).toSorted());
    }
  });

  it('of several filters are changed in their order', async () => {
    const set = (value: string): string => `type "headers"; phase "both"; set { "X-Own" "${value}" }`;
    const { gateway, backend } = await setUp(set('first'), set('second'));
    expect((await send(gateway, '/api/')).headers['x-own']).toBe('second');
    expect(backend.requests[0]!.headers['x-own']).toBe('second');
  });
});
