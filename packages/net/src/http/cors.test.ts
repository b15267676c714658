import { describe, expect, it } from 'vitest';
import { listen } from '../test/harness.ts';
import { textReply } from './answer.ts';
import type { CorsSettings } from './cors.ts';

async function serve(cors: CorsSettings) {
  const { lease, port } = await listen();
  let handled = 0;
  lease.mountHttp({
    paths: ['/v1/traces'],
    cors,
    responseHeaders: { 'x-static': 'always' },
    handler: () => (handled++, textReply(200, 'ran', { vary: 'Accept-Encoding' })),
  });
  const send = async (method: string, headers: Record<string, string>) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/traces`, { method, headers });
    await response.arrayBuffer();
    return { status: response.status, headers: response.headers };
  };
  return { send, handled: () => handled };
}

const preflight = (origin: string, extra: Record<string, string> = {}): Record<string, string> => ({
  Origin: origin,
  'Access-Control-Request-Method': 'POST',
  ...extra,
});

describe('a preflight', () => {
  const cors: CorsSettings = {
    allowedOrigins: ['https://shop.example', 'https://*.example.com'],
    allowedHeaders: ['X-Tenant'],
    maxAgeSeconds: 600,
  };

  it('of an allowed origin is answered 204 without reaching the handler', async () => {
    const { send, handled } = await serve(cors);
    const asked = preflight('https://shop.example', { 'Access-Control-Request-Headers': 'content-type, x-tenant' });
    const { status, headers } = await send('OPTIONS', asked);
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-tenant',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      'x-static': 'always',
    });
    expect(handled()).toBe(0);
  });

  it.each<[string, string, Record<string, string>, boolean]>([
    ['an exact origin in other case', 'HTTPS://SHOP.example', {}, true],
    ['a subdomain of the wildcard', 'https://a.b.example.com', {}, true],
    ['the bare domain of the wildcard', 'https://example.com', {}, false],
    ['a domain that only ends alike', 'https://evilexample.com', {}, false],
    ['another origin', 'https://evil.example', {}, false],
    [
      'a header of the safelist',
      'https://shop.example',
      { 'Access-Control-Request-Headers': 'accept,x-requested-with' },
      true,
    ],
    ['a header that is not allowed', 'https://shop.example', { 'Access-Control-Request-Headers': 'x-secret' }, false],
    ['a method that is not allowed', 'https://shop.example', { 'Access-Control-Request-Method': 'DELETE' }, false],
    ['HEAD', 'https://shop.example', { 'Access-Control-Request-Method': 'HEAD' }, true],
  ])('is decided for %s', async (_title, origin, extra, allowed) => {
    const { send } = await serve(cors);
    const { status, headers } = await send('OPTIONS', preflight(origin, extra));
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, allowed ? origin : null]);
    expect(headers.get('vary')).toContain('Origin');
  });

  it('allows any header and origin with *', async () => {
    const { send } = await serve({ allowedOrigins: ['*'], allowedHeaders: ['*'] });
    const asked = preflight('https://any.where', { 'Access-Control-Request-Headers': 'x-whatever' });
    const { headers } = await send('OPTIONS', asked);
    expect(headers.get('access-control-allow-headers')).toBe('x-whatever');
    expect(headers.get('access-control-max-age')).toBeNull();
  });
});

describe('an ordinary request', () => {
  const cors: CorsSettings = { allowedOrigins: ['https://shop.example'], exposedHeaders: ['X-Trace'] };

  it('of an allowed origin gets its headers', async () => {
    const { send } = await serve(cors);
    const { headers } = await send('POST', { Origin: 'https://shop.example' });
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-expose-headers': 'X-Trace',
      vary: 'Origin, Accept-Encoding',
    });
  });

  it('of another origin runs, without headers', async () => {
    const { send, handled } = await serve(cors);
    const { status, headers } = await send('POST', { Origin: 'https://evil.example' });
    expect([status, headers.get('access-control-allow-origin'), handled()]).toEqual([200, null, 1]);
  });

  it('meets no CORS at all when no origin is configured', async () => {
    const { send, handled } = await serve({ allowedOrigins: [], allowedHeaders: ['X-Tenant'] });
    const { headers } = await send('OPTIONS', preflight('https://shop.example'));
    expect([headers.get('access-control-allow-origin'), headers.get('vary'), handled()]).toEqual([
      null,
      'Accept-Encoding',
      1,
    ]);
  });
});
