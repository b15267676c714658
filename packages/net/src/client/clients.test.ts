import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, status as grpcStatus } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { NetError } from '../errors.ts';
import { cleanUp, eventually, listen } from '../test/harness.ts';
import { parseGrpcTarget } from './endpoint.ts';
import { GrpcClient } from './grpc-client.ts';
import type { GrpcClientOptions } from './grpc-client.ts';
import { HttpClient } from './http-client.ts';
import { parseListenEndpoint } from '../listener/endpoint.ts';

function grpc(port: number, options: Partial<GrpcClientOptions> = {}): GrpcClient {
  const client = new GrpcClient({ endpoint: `http://127.0.0.1:${port}`, ...options });
  cleanUp(() => client.close());
  return client;
}

const path = '/test.Echo/Say';

async function echo(options: { readonly port?: number } = {}) {
  const listener = await listen({ endpoint: parseListenEndpoint(`127.0.0.1:${options.port ?? 0}`) });
  listener.lease.mountGrpc({
    name: 'test.Echo',
    methods: {
      Say: { kind: 'unary', handle: (message) => message },
      Wait: { kind: 'unary', handle: () => new Promise(() => undefined) },
    },
  });
  return listener;
}

describe('the gRPC client', () => {
  it.each(['identity', 'gzip', 'zstd', 'snappy', 'deflate'] as const)('sends and receives %s', async (compression) => {
    const { port } = await echo();
    const message = Buffer.alloc(100_000, 'span');
    expect(message.equals(await grpc(port, { compression }).unary(path, message))).toBe(true);
  });

  it('refuses compressions gRPC does not know', () => {
    expect(() => new GrpcClient({ endpoint: 'x:1', compression: 'lz4' })).toThrow(/lz4 is not possible with gRPC/);
  });

  it('speaks to an unmodified grpc-js server, its errors and metadata included', async () => {
    const server = new Server();
    const bytes = (value: Buffer): Buffer => value;
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    const say: handleUnaryCall<Buffer, Buffer> = (call, done) => {
      if (call.request.length === 0) done({ code: grpcStatus.FAILED_PRECONDITION, details: 'leer: 100 % ✓' });
      else done(null, Buffer.from(`${String(call.metadata.get('x-tenant')[0])} ${call.request.toString()}`));
    };
    server.addService({ Say: definition }, { Say: say });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    cleanUp(() => server.forceShutdown());
    const client = grpc(port, { compression: 'gzip', headers: { 'X-Tenant': 'acme' } });
    expect(Buffer.from(await client.unary(path, Buffer.from('hello'))).toString()).toBe('acme hello');
    await expect(client.unary(path, Buffer.alloc(0))).rejects.toMatchObject({
      code: 'rpc_failed',
      status: { code: 9, message: 'leer: 100 % ✓' },
    });
    await expect(client.unary('/test.Echo/Sing', Buffer.from('x'))).rejects.toMatchObject({ status: { code: 12 } });
  });

  it('reuses its connection, and makes a new one when the server went away and came back', async () => {
    const first = await echo();
    const client = grpc(first.port);
    await client.unary(path, Buffer.from('x'));
    await client.unary(path, Buffer.from('x'));
    expect(first.lease.snapshot().connections.http2).toBe(1);
    await first.lease.release({ graceMs: 100 });
    await eventually(() => client.state === 'idle', 'the connection to be noticed as lost');
    const second = await echo({ port: first.port });
    expect((await client.unary(path, Buffer.from('again'))).length).toBe(5);
    expect(second.lease.snapshot().requestsTotal).toBe(1);
  });

  it('fails at once, as unavailable, while it waits to connect again', async () => {
    const { lease, port } = await echo();
    await lease.release();
    const client = grpc(port);
    await expect(client.unary(path, Buffer.from('x'))).rejects.toMatchObject({
      code: 'connect_failed',
      status: { code: 14 },
    });
    expect(client.state).toBe('backoff');
    await expect(client.unary(path, Buffer.from('x'))).rejects.toMatchObject({
      code: 'connect_failed',
      status: { code: 14 },
    });
  });

  it('gives up a call at its deadline and when told to', async () => {
    const { port, lease } = await echo();
    const client = grpc(port);
    const waiting = client.unary('/test.Echo/Wait', Buffer.from('x'), { timeoutMs: 30 });
    await expect(waiting).rejects.toMatchObject({ status: { code: 4 } });
    const controller = new AbortController();
    const aborted = client.unary('/test.Echo/Wait', Buffer.from('x'), { signal: controller.signal });
    await eventually(() => lease.snapshot().requestsTotal === 2, 'the call');
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', status: { code: 1 } });
    await expect(client.unary(path, Buffer.from('x'), { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('refuses replies that are too large', async () => {
    const { port } = await echo();
    const client = grpc(port, { maxReceiveBytes: 1000 });
    await expect(client.unary(path, Buffer.alloc(5000))).rejects.toMatchObject({
      code: 'body_too_large',
      status: { code: 8 },
    });
    const zipping = grpc(port, { maxReceiveBytes: 1000, compression: 'gzip' });
    await expect(zipping.unary(path, Buffer.alloc(5000))).rejects.toMatchObject({
      code: 'inflated_too_large',
      status: { code: 8 },
    });
  });

  it('drops a connection whose pings are not answered', async () => {
    const { createServer } = await import('node:net');
    // Answers the handshake (an empty SETTINGS frame) and then nothing at all.
    const silent = createServer((socket) => {
      socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
      socket.on('error', () => undefined);
      socket.resume();
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', () => resolve());
    });
    cleanUp(() => silent.close());
    const client = grpc((silent.address() as AddressInfo).port, { keepalive: { timeMs: 20, timeoutMs: 20 } });
    await expect(client.unary(path, Buffer.from('x'))).rejects.toMatchObject({ status: { code: 14 } });
  });

  it('is closed for good', async () => {
    const { port } = await echo();
    const client = grpc(port);
    await client.unary(path, Buffer.from('x'));
    await client.close();
    await client.close();
    await expect(client.unary(path, Buffer.from('x'))).rejects.toMatchObject({ code: 'closed' });
  });

  it('understands servers that are no gRPC servers', async () => {
    const { lease, port } = await listen();
    lease.mountHttp({ paths: ['/*'], handler: () => ({ status: 200, body: '<html>' }) });
    await expect(grpc(port).unary(path, Buffer.from('x'))).rejects.toMatchObject({ status: { code: 12 } });
  });
});

describe('gRPC endpoints', () => {
  it.each([
    ['collector:4317', { kind: 'tcp', host: 'collector', port: 4317, scheme: undefined }],
    ['http://collector:4317', { kind: 'tcp', host: 'collector', port: 4317, scheme: 'http' }],
    ['https://collector', { kind: 'tcp', host: 'collector', port: 443, scheme: 'https' }],
    ['dns:///collector:4317', { kind: 'tcp', host: 'collector', port: 4317, scheme: undefined }],
    ['[::1]:4317', { kind: 'tcp', host: '::1', port: 4317, scheme: undefined }],
    ['unix:///run/clew.sock', { kind: 'unix', path: '/run/clew.sock' }],
  ])('reads %s', (text, target) => {
    expect(parseGrpcTarget(text)).toEqual(target);
  });

  it.each([
    ['', 'requires a non-empty "endpoint"'],
    ['collector', 'invalid port ""'],
    ['collector:port', 'invalid port "port"'],
    ['collector:99999', 'invalid port "99999"'],
    ['collector:1/path', 'host:port is expected'],
  ])('refuses %j', (text, message) => {
    expect(() => parseGrpcTarget(text)).toThrow(message);
  });
});

describe('the HTTP client', () => {
  async function serve(handler: http.RequestListener): Promise<string> {
    const server = http.createServer(handler);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    cleanUp(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function client(): HttpClient {
    const made = new HttpClient();
    cleanUp(() => made.close());
    return made;
  }

  it('returns whatever status comes, redirects included', async () => {
    const url = await serve((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end('go away'));
    const { status, body } = await client().request({ method: 'POST', url, body: Buffer.from('x') });
    expect([status, Buffer.from(body).toString()]).toEqual([307, 'go away']);
  });

  it('reads no more of a reply than allowed', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(1_000_000)));
    const { body, truncated } = await client().request({ method: 'GET', url, maxResponseBytes: 1000 });
    expect([body.length, truncated]).toEqual([1000, true]);
  });

  it('gives up after its timeout, naming it but no credentials', async () => {
    const url = (await serve(() => undefined)).replace('http://', 'http://user:secret@');
    const failed: unknown = await client()
      .request({ method: 'GET', url, timeoutMs: 30 })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'timed_out', message: expect.stringContaining('within 30 ms') });
    expect(String(failed)).not.toContain('secret');
  });

  it('says that nobody listens', async () => {
    const { lease, port } = await listen();
    await lease.release();
    await expect(client().request({ method: 'GET', url: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'connect_failed',
    });
  });

  it('is closed for good', async () => {
    const made = new HttpClient();
    await made.close();
    await made.close();
    const failed: unknown = await made
      .request({ method: 'GET', url: 'http://127.0.0.1:1' })
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NetError);
    expect(failed).toMatchObject({ code: 'closed' });
  });
});
