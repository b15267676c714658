import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { exchangeBytes, freePort, onEnd, send, startGateway } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { uptimeText } from './builtin.ts';
import { parseRange } from './range.ts';

describe('ranges', () => {
  it.each([
    ['bytes=0-4', { start: 0, end: 4 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-30', { start: 0, end: 9 }],
    ['bytes=5-100', { start: 5, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=-', undefined],
    ['items=0-1', undefined],
    ['bytes=a-b', undefined],
  ])('%s of ten bytes', (field, range) => expect(parseRange(field, 10)).toEqual(range));
});

describe('durations', () => {
  it.each([
    [0, '0s'],
    [59, '59s'],
    [60, '1m 0s'],
    [93_784, '1d 2h 3m 4s'],
  ])('%d seconds', (seconds, text) => expect(uptimeText(seconds)).toBe(text));
});

async function builtins(): Promise<TestGateway> {
  const names = ['health', 'status', 'metrics', 'not-found', 'upstreams'];
  const routes = names.map(
    (name) => `route "${name}" { matches { path "/${name}" }; service-type "builtin"; builtin-handler "${name}" }`,
  );
  return startGateway(
    `routes { ${routes.join('\n')} }
     upstreams { upstream "u" { target "127.0.0.1:${await freePort()}" weight=2 } }`,
    { metricsText: () => 'm_total 1\n', version: '1.2.3', instanceId: 'i-1' },
  );
}

describe('builtin handlers', () => {
  it('say that the gateway is healthy', async () => {
    const gateway = await builtins();
    const response = await send(gateway, '/health');
    expect(response.status).toBe(200);
    expect(response.body).toMatch(/^\{"status":"healthy","timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}$/);
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      'x-request-id': response.headers['x-correlation-id'],
    });
    expect(await gateway.recorder.exchange()).toMatchObject({ answeredBy: 'builtin', attempts: [] });
  });

  it('tell what the gateway is', async () => {
    const { body } = await send(await builtins(), '/status');
    expect(JSON.parse(body)).toMatchObject({ status: 'ok', version: '1.2.3', instance_id: 'i-1', uptime_secs: 0 });
    expect(body).toContain('\n  "');
  });

  it('give metrics, misses and upstreams', async () => {
    const gateway = await builtins();
    expect(await send(gateway, '/metrics')).toMatchObject({
      body: 'm_total 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
    const missing = await send(gateway, '/not-found');
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.body)).toMatchObject({
      error: 'Not Found',
      status: 404,
      request_id: missing.headers['x-request-id'],
    });
    expect(JSON.parse((await send(gateway, '/upstreams')).body)).toMatchObject({
      summary: { total_upstreams: 1, total_targets: 1, healthy: 0, unhealthy: 0, unknown: 1 },
      upstreams: [
        { id: 'u', load_balancing: 'round_robin', targets: [{ weight: 2, status: 'unknown', last_error: null }] },
      ],
    });
  });

  it('count the time since the first thread of the gateway started', async () => {
    const gateway = await startGateway(
      'routes { route "r" { matches { path "/status" }; builtin-handler "status" } }',
      { startedMs: performance.now() - 90_500 },
    );
    expect(JSON.parse((await send(gateway, '/status')).body)).toMatchObject({ uptime: '1m 30s', uptime_secs: 90 });
  });

  it('answer HEAD without a body', async () => {
    const response = await send(await builtins(), '/health', { method: 'HEAD' });
    expect(response.body).toBe('');
    expect(Number(response.headers['content-length'])).toBeGreaterThan(20);
  });
});

describe('error bodies', () => {
  it('are pages for browsers and JSON for programs', async () => {
    const gateway = await startGateway('routes { route "r" { matches { path "/x" }; builtin-handler "health" } }');
    const page = await send(gateway, '/', {
      headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'X-Request-Id': 'a-b' },
    });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body).toContain('404 Not Found');
    expect(page.body).toContain('no_route');
    expect(page.body).toContain('a-b');
    const data = await send(gateway, '/', { headers: { Accept: '*/*' } });
    expect(JSON.parse(data.body)).toEqual({
      error: '404 Not Found',
      reason: 'no_route',
      trace_id: data.headers['x-correlation-id'],
      correlation_id: data.headers['x-correlation-id'],
    });
  });

  it('name the inbound trace where the gateway traces nothing', async () => {
    const gateway = await startGateway('routes { route "r" { matches { path "/x" }; builtin-handler "health" } }');
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`;
    const { body } = await send(gateway, '/', { headers: { traceparent } });
    expect(JSON.parse(body)).toMatchObject({ trace_id: 'c'.repeat(32) });
    const twice = await send(gateway, '/', { headers: { traceparent: [traceparent, traceparent] } });
    // A repeated traceparent is none, in bodies as in logs.
    expect(JSON.parse(twice.body)).toMatchObject({ trace_id: twice.headers['x-correlation-id'] });
  });
});

const page = '<!doctype html>'.repeat(200);

async function files(settings = ''): Promise<TestGateway & { readonly root: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-files-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'site');
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), page);
  writeFileSync(join(root, 'ten.bin'), '0123456789');
  writeFileSync(join(root, 'none.txt'), '');
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(root, 'a b&<c>.txt'), 'odd');
  writeFileSync(join(root, 'sub', 'index.html'), 'sub index');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
  const gateway = await startGateway(
    `routes { route "s" { matches { path-prefix "/s/" }; service-type "static"; static-files { root "${root}"; ${settings} } } }`,
  );
  return { ...gateway, root };
}

describe('static files', () => {
  it('are served with what caches need', async () => {
    const gateway = await files();
    const response = await send(gateway, '/s/ten.bin');
    expect(response).toMatchObject({
      status: 200,
      body: '0123456789',
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': '10',
        'cache-control': 'public, max-age=3600',
        'accept-ranges': 'bytes',
      },
    });
    const { etag, 'last-modified': modified } = response.headers;
    const again = await send(gateway, '/s/ten.bin', { headers: { 'If-None-Match': `"x", W/${etag}` } });
    expect(again).toMatchObject({ status: 304, body: '', headers: { etag } });
    const since = await send(gateway, '/s/ten.bin', { headers: { 'If-Modified-Since': modified! } });
    expect(since.status).toBe(304);
  });

  it('are served in parts', async () => {
    const gateway = await files();
    const part = await send(gateway, '/s/ten.bin', { headers: { Range: 'bytes=2-4' } });
    expect(part).toMatchObject({ status: 206, body: '234', headers: { 'content-range': 'bytes 2-4/10' } });
    const beyond = await send(gateway, '/s/ten.bin', { headers: { Range: 'bytes=20-' } });
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */10' } });
    const stale = await send(gateway, '/s/ten.bin', { headers: { Range: 'bytes=2-4', 'If-Range': '"old"' } });
    expect(stale).toMatchObject({ status: 200, body: '0123456789' });
  });

  it('include an index, and send folders to their slash', async () => {
    const gateway = await files();
    expect((await send(gateway, '/s/')).body).toBe(page);
    expect((await send(gateway, '/s/sub/')).body).toBe('sub index');
    expect(await send(gateway, '/s/sub?q=1')).toMatchObject({ status: 301, headers: { location: '/s/sub/?q=1' } });
    expect((await send(gateway, '/s/none.txt')).body).toBe('');
    expect((await send(gateway, '/s/empty/')).status).toBe(404);
  });

  it('are compressed for those who take it', async () => {
    const gateway = await files();
    const bytes = await new Promise<Buffer>((resolve) => {
      const headers = { 'Accept-Encoding': 'br, gzip' };
      httpRequest({ host: '127.0.0.1', port: gateway.port, path: '/s/', headers, agent: false }, (response) => {
        expect(response.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      }).end();
    });
    expect(gunzipSync(bytes).toString()).toBe(page);
    const refused = await send(gateway, '/s/', { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  it('may be listed, and fall back to a page', async () => {
    const listed = await files('directory-listing #true; index "nothing.html"');
    const { body } = await send(listed, '/s/');
    expect(body).toContain('href="./a%20b%26%3Cc%3E.txt"');
    expect(body).toContain('a b&#38;&#60;c&#62;.txt');
    expect(body).not.toContain('.hidden');
    expect((await send(listed, '/s/a%20b&%3Cc%3E.txt')).body).toBe('odd');
    const app = await files('fallback "index.html"');
    expect(await send(app, '/s/some/route')).toMatchObject({ status: 200, body: page });
  });

  it.each([
    ['/s/../secret.txt', 400],
    ['/s/%2e%2e/secret.txt', 400],
    ['/s/..%2fsecret.txt', 400],
    ['/s/..%5csecret.txt', 400],
    ['/s/link.txt', 404],
    ['/s/.hidden', 404],
    ['/s/%2ehidden', 404],
    ['/s/ten.bin/', 404],
    ['/s/ten.bin%00.html', 400],
    ['/s/%ff', 404],
    ['/s//etc/passwd', 404],
    [`/s/${'a'.repeat(2000)}`, 404],
  ])('never leave their folder: %s', async (path, status) => {
    const gateway = await files();
    const answer = await exchangeBytes(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain('secret\r');
  });

  it('are not written to', async () => {
    const gateway = await files();
    const response = await send(gateway, '/s/ten.bin', { method: 'DELETE' });
    expect(response).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});
