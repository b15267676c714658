import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { RawClient, cleanUp, eventually, grpcJs, listen, unary } from '../test/harness.ts';
import type { HttpMount, ListenerLease } from './types.ts';
import { acquireListener } from './acquire.ts';
import { parseListenEndpoint } from './endpoint.ts';

const echo: HttpMount = {
  paths: ['/echo'],
  handler: async (request) => ({
    status: 200,
    body: await request.readBody({ maxBytes: 100_000, limitSetting: 'max_request_body_size' }),
  }),
};

const echoService = {
  name: 'test.Echo',
  methods: { Say: { kind: 'unary', handle: (message: Uint8Array) => message } },
} as const;

async function post(port: number, path: string, body: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body });
  return [response.status, await response.text()];
}

describe('one port', () => {
  it('answers HTTP/1.1 and gRPC', async () => {
    const { lease, port } = await listen();
    lease.mountHttp(echo);
    lease.mountGrpc(echoService);
    expect(await post(port, '/echo?x=1', 'hello')).toEqual([200, 'hello']);
    expect((await unary(grpcJs(port), '/test.Echo/Say', Buffer.alloc(100_000, 'x'))).reply?.length).toBe(100_000);
    expect(lease.snapshot()).toMatchObject({
      state: 'listening',
      requestsTotal: 2,
      paths: ['/echo'],
      services: ['test.Echo'],
      inFlightBodyBytes: 0,
    });
  });

  it('recognises a protocol whose first bytes come one at a time', async () => {
    const { lease, port } = await listen();
    lease.mountHttp(echo);
    const client = new RawClient(port);
    for (const byte of 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok') {
      client.send(byte);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(await client.until('\r\n\r\nok')).toContain('HTTP/1.1 200 OK');
  });

  it('closes connections that speak neither', async () => {
    const { port, rejected } = await listen();
    const client = new RawClient(port);
    client.send(Uint8Array.of(0, 1, 2, 3));
    await client.closed;
    expect(rejected).toEqual(['unknown_protocol']);
  });

  it('closes connections that say nothing', async () => {
    const { port, rejected } = await listen({ connections: { firstByteTimeoutMs: 20 } });
    await new RawClient(port).closed;
    expect(rejected).toEqual(['silent_connection']);
  });

  it('lets go of connections that end without a word, or in the middle of HTTP/2', async () => {
    const { port, lease } = await listen();
    const mute = new RawClient(port);
    const halfway = new RawClient(port);
    halfway.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await eventually(() => lease.snapshot().connections.http2 === 1, 'the session');
    mute.socket.end();
    halfway.socket.end();
    await Promise.all([mute.closed, halfway.closed]);
    await eventually(
      () => Object.values(lease.snapshot().connections).every((count) => count === 0),
      'both to be gone',
    );
  });

  it('tells once that a client speaks TLS to a plaintext port', async () => {
    const { port, rejected, notices } = await listen();
    for (let count = 0; count < 2; count++) {
      const client = new RawClient(port);
      client.send(Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0));
      await client.closed;
    }
    expect(rejected).toEqual(['tls_unexpected', 'tls_unexpected']);
    expect(notices).toEqual([expect.stringContaining('a client speaks TLS to a plaintext port')]);
  });

  it('closes connections beyond the limit', async () => {
    const { lease, port, rejected } = await listen({ connections: { maxConnections: 1 } });
    lease.mountHttp(echo);
    const first = new RawClient(port);
    first.send('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok');
    await first.until('ok');
    await new RawClient(port).closed;
    expect(rejected).toEqual(['max_connections']);
  });

  it('answers 404 where nobody mounted anything, 415 and 505 where the wrong protocol asks', async () => {
    const { lease, port } = await listen();
    lease.mountGrpc(echoService);
    expect(await post(port, '/nothing', '')).toEqual([404, '404 page not found\n']);
    expect((await post(port, '/test.Echo/Say', ''))[0]).toBe(415);
    const headers = { 'content-type': 'application/grpc+proto' };
    const response = await fetch(`http://127.0.0.1:${port}/test.Echo/Say`, { method: 'POST', headers });
    expect(response.status).toBe(505);
  });

  it('hands requests to frameworks as Node objects', async () => {
    const { lease, port } = await listen();
    lease.mountNode({
      paths: ['/api/*'],
      handle: (request, response) => {
        response.setHeader('x-framework', 'yes');
        response.end(`${request.method} ${request.url}`);
      },
    });
    expect(await post(port, '/api/traces?limit=1', '')).toEqual([200, 'POST /api/traces?limit=1']);
  });

  it('listens on a Unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'clew-net-'));
    cleanUp(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'clew.sock');
    const { lease } = await listen({ endpoint: parseListenEndpoint(path, 'unix') });
    lease.mountHttp(echo);
    const status = await new Promise((resolve, reject) => {
      const request = http.request({ socketPath: path, path: '/echo', method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject).end('hello');
    });
    expect(status).toBe(200);
    expect(lease.address).toEqual({ transport: 'unix', path });
  });
});

describe('a Unix socket', () => {
  function socketPath(): string {
    const directory = mkdtempSync(join(tmpdir(), 'clew-net-'));
    cleanUp(() => rmSync(directory, { recursive: true }));
    return join(directory, 'clew.sock');
  }

  it('left behind by a crash is replaced', async () => {
    const path = socketPath();
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    const { lease } = await listen({ endpoint: parseListenEndpoint(path, 'unix') });
    expect(lease.snapshot().state).toBe('listening');
  });

  it('that somebody answers is not', async () => {
    const path = socketPath();
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(path, () => resolve());
    });
    cleanUp(() => holder.close());
    await expect(listen({ endpoint: parseListenEndpoint(path, 'unix') })).rejects.toMatchObject({
      code: 'port_in_use',
    });
  });
});

describe('sharing', () => {
  it('lets several owners mount on one port and keeps it until the last one leaves', async () => {
    const endpoint = parseListenEndpoint(`127.0.0.1:${await freePort()}`);
    const [first, second] = await Promise.all([listen({ endpoint, owner: 'one' }), listen({ endpoint, owner: 'two' })]);
    first.lease.mountHttp(echo);
    second.lease.mountHttp({ ...echo, paths: ['/other'] });
    expect(first.port).toBe(second.port);
    expect(first.lease.snapshot().owners.toSorted()).toEqual(['one', 'two']);
    await first.lease.release();
    expect((await post(first.port, '/echo', 'x'))[0]).toBe(404);
    expect(await post(first.port, '/other', 'x')).toEqual([200, 'x']);
    await second.lease.release();
    expect(second.lease.snapshot().state).toBe('closed');
    await expect(post(first.port, '/other', 'x')).rejects.toThrow();
  });

  it('opens anew for whoever comes while the last owner leaves', async () => {
    const endpoint = parseListenEndpoint(`127.0.0.1:${await freePort()}`);
    const first = await listen({ endpoint, owner: 'one' });
    const leaving = first.lease.release();
    const second = await listen({ endpoint, owner: 'two' });
    await leaving;
    second.lease.mountHttp(echo);
    expect(await post(second.port, '/echo', 'again')).toEqual([200, 'again']);
  });

  it('refuses a path or service that another owner has, naming both', async () => {
    const { lease } = await listen({ owner: 'otlp' });
    lease.mountHttp(echo);
    lease.mountGrpc(echoService);
    expect(() => lease.mountHttp(echo)).toThrow(/cannot mount path \/echo for otlp: otlp already answers it/);
    expect(() => lease.mountGrpc(echoService)).toThrow(/gRPC service test\.Echo/);
  });

  it('mounts again after unmounting', async () => {
    const { lease, port } = await listen();
    const unmount = lease.mountHttp(echo);
    unmount();
    unmount();
    lease.mountHttp(echo);
    expect((await post(port, '/echo', 'x'))[0]).toBe(200);
  });

  it('refuses to share a port with other TLS settings', async () => {
    const endpoint = parseListenEndpoint(`127.0.0.1:${await freePort()}`);
    await listen({ endpoint, owner: 'plain' });
    const tls = { certPem: 'x', keyPem: 'y' };
    await expect(listen({ endpoint, owner: 'secret', tls })).rejects.toMatchObject({ code: 'listener_conflict' });
  });

  it('names the process that holds a port', async () => {
    const { port } = await listen();
    const attempt = acquireListener({ endpoint: { transport: 'tcp', host: '127.0.0.1', port }, owner: 'otlp/grpc' });
    await expect(attempt).rejects.toMatchObject({ code: 'port_in_use', details: { address: `127.0.0.1:${port}` } });
    const error = String(await attempt.catch((caught: unknown) => caught));
    expect(error).toContain(`otlp/grpc cannot listen on 127.0.0.1:${port}`);
    if (process.platform === 'linux') expect(error).toContain(`(pid ${process.pid})`);
  });

  it('says why an address cannot be had', async () => {
    const attempt = acquireListener({ endpoint: { transport: 'tcp', host: '203.0.113.1', port: 4317 }, owner: 'otlp' });
    await expect(attempt).rejects.toMatchObject({ code: 'listen_failed' });
  });
});

/** A mount whose requests wait until they are let go. */
function gate(): { mount: HttpMount; open: () => void; entered: () => number } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let entered = 0;
  const handler = async () => {
    entered++;
    await promise;
    return { status: 200, body: 'late but whole' };
  };
  return { mount: { paths: ['/slow'], handler }, open: resolve, entered: () => entered };
}

async function stateOf(lease: ListenerLease, state: string): Promise<void> {
  await eventually(() => lease.snapshot().state === state, `the state ${state}`);
}

describe('releasing', () => {
  it('lets running requests finish, and tells HTTP/1.1 clients to close', async () => {
    const { lease, port } = await listen();
    const { mount, open, entered } = gate();
    lease.mountHttp(mount);
    const client = new RawClient(port);
    client.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => entered() === 1, 'the request');
    const released = lease.release({ graceMs: 10_000 });
    await stateOf(lease, 'draining');
    open();
    await released;
    await client.closed;
    expect(client.received).toContain('late but whole');
    expect(client.received.toLowerCase()).toContain('connection: close');
  });

  it('lets running gRPC calls finish and refuses new ones as unavailable', async () => {
    const { lease, port } = await listen();
    const { promise, resolve } = Promise.withResolvers<void>();
    let entered = 0;
    lease.mountGrpc({
      name: 'test.Slow',
      methods: {
        Say: {
          kind: 'unary',
          handle: async (message) => {
            entered++;
            await promise;
            return message;
          },
        },
      },
    });
    const client = grpcJs(port);
    const running = unary(client, '/test.Slow/Say', Buffer.from('x'));
    await eventually(() => entered === 1, 'the call');
    const released = lease.release({ graceMs: 10_000 });
    const late = await unary(client, '/test.Slow/Say', Buffer.from('y'));
    expect(late.error?.code).toBe(14);
    resolve();
    expect((await running).reply?.toString()).toBe('x');
    await released;
  });

  it('destroys what still runs after the grace time', async () => {
    const { lease, port } = await listen();
    const { mount, open, entered } = gate();
    lease.mountHttp(mount);
    const client = new RawClient(port);
    client.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => entered() === 1, 'the request');
    await lease.release({ graceMs: 30 });
    await client.closed;
    expect(client.received).toBe('');
    expect(lease.snapshot()).toMatchObject({ state: 'closed', connections: { http1: 0, http2: 0 } });
    open();
    await eventually(() => lease.snapshot().inFlightRequests === 0, 'the end of the handler');
  });

  it('closes idle connections at once', async () => {
    const { lease, port } = await listen();
    lease.mountHttp(echo);
    const client = new RawClient(port);
    client.send('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok');
    await client.until('ok');
    await lease.release({ graceMs: 60_000 });
    await client.closed;
  });
});
