// The configurations people copy must serve what they can when nothing they name is there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configOf } from '../test/load-text.ts';
import { freePort, send, startBackend, startGateway } from '../../test/proxy/harness.ts';
import { HostResolver } from './upstream/resolver.ts';

const testdata = join(import.meta.dirname, '..', 'config', 'testdata');

/** A published configuration, listening on a port of the system's choosing. */
function published(file: string): string {
  return readFileSync(join(testdata, file), 'utf8').replaceAll('"0.0.0.0:8080"', '"127.0.0.1:0"');
}

const nobody = new HostResolver(() => Promise.reject(new Error('no such name')));

describe.each(['quick-start.kdl', 'quick-start-sentinel.kdl', 'tempo.kdl', 'tempo-sentinel.kdl'])('%s', (file) => {
  it('serves what needs nobody, and says what is missing, with nothing there at all', async () => {
    const text = published(file).replaceAll(/127\.0\.0\.1:3000/g, `127.0.0.1:${await freePort()}`);
    const gateway = await startGateway(await configOf(text), { resolver: nobody });
    const health = await send(gateway, '/health');
    // The longer configuration proxies everything below /api/ only.
    expect([200, 404]).toContain(health.status);
    expect((await send(gateway, '/api')).status).toBe(404);
    expect((await send(gateway, '/other')).status).toBe(404);
    const proxied = await send(gateway, '/api/users');
    expect([502, 503]).toContain(proxied.status);
    expect(gateway.recorder.ended).toHaveLength(4);
  });

  it('proxies as soon as the backend is there', async () => {
    const backend = await startBackend((request, response) => response.end(request.url));
    const text = published(file)
      .replaceAll(/127\.0\.0\.1:3000/g, `127.0.0.1:${backend.port}`)
      .replaceAll(/api-backend:3000/g, `api-backend:${backend.port}`);
    const resolver = new HostResolver(() => Promise.resolve(['127.0.0.1']));
    const gateway = await startGateway(await configOf(text), { resolver });
    expect(await send(gateway, '/api/users?a=1')).toMatchObject({ status: 200, body: '/api/users?a=1' });
  });
});
