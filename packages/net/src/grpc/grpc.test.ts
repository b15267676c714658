import http2 from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { compress } from '../codec/compress.ts';
import { NetError } from '../errors.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { decodeRpcStatus, retryDelayMsOf, rpcStatus } from '../status/rpc-status.ts';
import { cleanUp, eventually, grpcJs, listen, unary } from '../test/harness.ts';
import { messageCodec } from './encoding.ts';
import { frameMessage } from './read-message.ts';
import type { GrpcCall, GrpcMethod, GrpcService } from './service.ts';
import type { ListenerOptions } from '../listener/types.ts';

const path = '/test.Echo/Say';

async function serve(
  handle: Extract<GrpcMethod, { kind: 'unary' }>['handle'],
  service: Partial<GrpcService> = {},
  options: Partial<ListenerOptions> = {},
) {
  const listener = await listen(options);
  listener.lease.mountGrpc({
    name: 'test.Echo',
    methods: { Say: { kind: 'unary', handle } },
    onRejected: (reason) => listener.rejected.push(reason),
    ...service,
  });
  return listener;
}

const echo = (message: Uint8Array): Uint8Array => message;

function connect(port: number): ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  // Tests that provoke the server look at what happens to their streams.
  session.on('error', () => undefined);
  cleanUp(() => session.destroy());
  return session;
}

interface RawReply {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly rstCode: number | undefined;
}

/** Sends raw bytes as the body of a call; `end` false leaves the request open. */
function raw(
  session: ClientHttp2Session,
  body: Uint8Array[],
  options: { readonly headers?: Record<string, string>; readonly end?: boolean } = {},
): Promise<RawReply> {
  return new Promise((resolve) => {
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...options.headers },
      { endStream: false },
    );
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const pieces: Buffer[] = [];
    stream.on('response', (received) => (headers = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ headers, trailers, body: Buffer.concat(pieces), rstCode: stream.rstCode }));
    for (const piece of body) stream.write(piece);
    if (options.end ?? true) stream.end();
  });
}

describe('a unary call', () => {
  it.each(['identity', 'gzip', 'zstd', 'snappy', 'deflate'] as const)(
    'is answered with the encoding it came in: %s',
    async (encoding) => {
      const { port } = await serve(echo);
      const message = Buffer.alloc(20_000, 'span');
      const frame =
        encoding === 'identity'
          ? frameMessage(message, false)
          : frameMessage(await compress(message, messageCodec(encoding)), true);
      const { headers, trailers, body } = await raw(connect(port), [frame], { headers: { 'grpc-encoding': encoding } });
      expect(trailers['grpc-status']).toBe('0');
      expect(headers['grpc-encoding']).toBe(encoding === 'identity' ? undefined : encoding);
      expect(headers['grpc-accept-encoding']).toBe('gzip,zstd,snappy,deflate,identity');
      expect(body[0]).toBe(encoding === 'identity' ? 0 : 1);
    },
  );

  it('takes a raw snappy block besides the framed format', async () => {
    let seen = '';
    const { port } = await serve((message) => {
      seen = Buffer.from(message).toString();
      return message;
    });
    const frame = frameMessage(await compress(Buffer.from('a raw block'), 'snappy'), true);
    const { trailers } = await raw(connect(port), [frame], { headers: { 'grpc-encoding': 'snappy' } });
    expect([trailers['grpc-status'], seen]).toEqual(['0', 'a raw block']);
  });

  it('may come in any number of pieces', async () => {
    const { port } = await serve(echo);
    const frame = frameMessage(Buffer.from('piece by piece'), false);
    const pieces = [...frame].map((byte) => Uint8Array.of(byte));
    expect((await raw(connect(port), pieces)).body.equals(frame)).toBe(true);
  });

  it('may carry an empty message', async () => {
    const { port } = await serve(echo);
    expect((await unary(grpcJs(port), path, Buffer.alloc(0))).reply?.length).toBe(0);
  });

  it('knows its metadata, peer and deadline', async () => {
    let known: unknown[] = [];
    const { port } = await serve((message, call) => {
      known = [call.headers['x-tenant'], call.peer.address, call.peer.secure, (call.deadlineUnixMs ?? 0) > Date.now()];
      return message;
    });
    const metadata = new Metadata();
    metadata.set('X-Tenant', 'acme');
    await unary(grpcJs(port), path, Buffer.from('x'), { metadata, deadlineMs: 60_000 });
    expect(known).toEqual(['acme', '127.0.0.1', false, true]);
  });
});

describe('a call is refused', () => {
  it.each<[string, Uint8Array[], Record<string, string>, number, string]>([
    [
      'with an unknown encoding',
      [frameMessage(Buffer.from('x'), true)],
      { 'grpc-encoding': 'br' },
      12,
      'Decompressor is not installed for grpc-encoding "br"',
    ],
    [
      'when it is compressed without saying how',
      [frameMessage(Buffer.from('x'), true)],
      {},
      13,
      'compressed flag set with identity',
    ],
    [
      'when its compression is broken',
      [frameMessage(Buffer.from('x'), true)],
      { 'grpc-encoding': 'gzip' },
      13,
      'failed to decompress',
    ],
    [
      'when its message is truncated',
      [frameMessage(Buffer.from('xyz'), false).subarray(0, 6)],
      {},
      13,
      'ended after 6 of 8 bytes',
    ],
    ['when it carries no message', [], {}, 13, 'ended after 0 of 5 bytes'],
    [
      'when it carries two messages',
      [frameMessage(Buffer.from('a'), false), frameMessage(Buffer.from('b'), false)],
      {},
      13,
      'follow the only message',
    ],
    ['when its frame is malformed', [Uint8Array.of(9, 0, 0, 0, 0)], {}, 13, 'its first byte is 9'],
    [
      'when its timeout is malformed',
      [frameMessage(Buffer.from('x'), false)],
      { 'grpc-timeout': '5x' },
      13,
      'malformed grpc-timeout',
    ],
    [
      'when its method is unknown',
      [frameMessage(Buffer.from('x'), false)],
      { ':path': '/test.Echo/Sing' },
      12,
      'unknown method Sing for service test.Echo',
    ],
    [
      'when its service is unknown',
      [frameMessage(Buffer.from('x'), false)],
      { ':path': '/test.Other/Say' },
      12,
      'unknown service test.Other',
    ],
  ])('%s', async (_title, body, headers, code, text) => {
    const { port } = await serve(echo);
    const reply = await raw(connect(port), body, { headers });
    expect(reply.headers['grpc-status']).toBe(String(code));
    expect(decodeURIComponent(String(reply.headers['grpc-message']))).toContain(text);
  });

  it('when its content type is not gRPC', async () => {
    const { port } = await serve(echo);
    const { headers } = await raw(connect(port), [Buffer.from('{}')], {
      headers: { 'content-type': 'application/json' },
    });
    expect(headers[':status']).toBe(415);
  });

  it('when it is not a POST', async () => {
    const { port } = await serve(echo);
    expect((await raw(connect(port), [], { headers: { ':method': 'PUT' } })).headers[':status']).toBe(405);
  });
});

describe('message limits', () => {
  it('hold on the wire, before the message is sent whole', async () => {
    const { port, rejected } = await serve(echo, { maxReceiveBytes: 1000 });
    const outcome = await unary(grpcJs(port), path, Buffer.alloc(5_000_000));
    expect(outcome.error).toMatchObject({
      code: 8,
      details: 'grpc: received message larger than max (5000000 vs. 1000)',
    });
    expect(rejected).toEqual(['body_too_large']);
  });

  it('hold after decompression', async () => {
    const { port, rejected } = await serve(echo, { maxReceiveBytes: 100_000 });
    const frame = frameMessage(await compress(Buffer.alloc(5_000_000), 'gzip'), true);
    const { headers } = await raw(connect(port), [frame], { headers: { 'grpc-encoding': 'gzip' } });
    expect(headers['grpc-status']).toBe('8');
    expect(headers['grpc-message']).toBe(
      'grpc: received message after decompression larger than max (100001 vs. 100000)',
    );
    expect(rejected).toEqual(['inflated_too_large']);
  });

  it('are 4 MiB unless told otherwise', async () => {
    const { port } = await serve(echo);
    expect((await unary(grpcJs(port), path, Buffer.alloc(4 * 1024 * 1024 + 1))).error?.details).toBe(
      'grpc: received message larger than max (4194305 vs. 4194304)',
    );
  });

  it('hold for all messages being read together', async () => {
    const { port, lease } = await serve(echo, {}, { connections: { maxInFlightBodyBytes: 10_000 } });
    const outcome = await unary(grpcJs(port), path, Buffer.alloc(50_000));
    expect(outcome.error).toMatchObject({ code: 14, details: expect.stringContaining('max_in_flight_body_bytes') });
    await eventually(() => lease.snapshot().inFlightBodyBytes === 0, 'the bytes to be given back');
  });

  it('hold for the time a message takes', async () => {
    const { port, rejected } = await serve(echo, { bodyIdleTimeoutMs: 30 });
    const { headers } = await raw(connect(port), [Uint8Array.of(0, 0, 0, 0, 9, 1)], { end: false });
    expect(headers['grpc-status']).toBe('4');
    expect(rejected).toEqual(['slow_body']);
  });
});

describe('a failing call', () => {
  it('ends with the status it carries, its words and its retry delay', async () => {
    const { port } = await serve(() => {
      const status = rpcStatus(GrpcCode.resourceExhausted, 'zu voll: 100 % ✓\n', { retryDelayMs: 1500 });
      throw new NetError('rpc_failed', status.message, { status });
    });
    const { error, status } = await unary(grpcJs(port), path, Buffer.from('x'));
    expect(error).toMatchObject({ code: 8, details: 'zu voll: 100 % ✓\n' });
    const details = decodeRpcStatus(status.metadata.get('grpc-status-details-bin')[0] as Buffer);
    expect([details.code, retryDelayMsOf(details)]).toEqual([8, 1500]);
  });

  it('is translated by the service', async () => {
    const { port } = await serve(
      () => {
        throw new Error('queue is full');
      },
      { toStatus: (caught) => rpcStatus(GrpcCode.unavailable, String(caught)) },
    );
    expect((await unary(grpcJs(port), path, Buffer.from('x'))).error).toMatchObject({
      code: 14,
      details: 'Error: queue is full',
    });
  });

  it('is internal, and told to the owner, when nobody translates it', async () => {
    const { port, notices } = await serve(() => Promise.reject(new TypeError('a bug')));
    expect((await unary(grpcJs(port), path, Buffer.from('x'))).error).toMatchObject({ code: 13, details: 'a bug' });
    expect(notices).toEqual([expect.stringContaining('a bug')]);
  });
});

describe('before the message is read', () => {
  it('a call is refused by admission while its message is still on the way', async () => {
    let handled = 0;
    const { port, rejected, lease } = await serve(() => (handled++, new Uint8Array(0)), {
      admit: () => rpcStatus(GrpcCode.unavailable, 'memory is short', { retryDelayMs: 1000 }),
    });
    const { headers } = await raw(connect(port), [Uint8Array.of(0, 0, 1, 0, 0), Buffer.alloc(100)], { end: false });
    expect([headers['grpc-status'], headers['grpc-message']]).toEqual(['14', 'memory is short']);
    const client = grpcJs(port);
    expect((await unary(client, path, Buffer.alloc(3_000_000))).error?.code).toBe(14);
    expect([handled, rejected, lease.snapshot().inFlightBodyBytes]).toEqual([0, ['not_admitted', 'not_admitted'], 0]);
  });

  it('credentials are checked', async () => {
    let known: unknown;
    const say = (message: Uint8Array, call: GrpcCall): Uint8Array => {
      known = call.authAttributes;
      return message;
    };
    const { port, rejected } = await serve(say, {
      authenticate: (head) =>
        head.header('authorization') === 'Bearer right'
          ? { ok: true, attributes: { user: 'ann' } }
          : { ok: false, status: 401, text: 'no token' },
    });
    expect((await unary(grpcJs(port), path, Buffer.from('x'))).error).toMatchObject({ code: 16, details: 'no token' });
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer right');
    expect((await unary(grpcJs(port), path, Buffer.from('x'), { metadata })).reply?.toString()).toBe('x');
    expect([rejected, known]).toEqual([['unauthenticated'], { user: 'ann' }]);
  });
});

describe('the end of a call', () => {
  it('comes with its deadline', async () => {
    let aborted: unknown;
    const { port } = await serve(async (message, call) => {
      await new Promise((resolve) => {
        call.signal.addEventListener('abort', resolve);
      });
      aborted = call.signal.reason;
      return message;
    });
    const frame = frameMessage(Buffer.from('x'), false);
    const { headers } = await raw(connect(port), [frame], { headers: { 'grpc-timeout': '30m' } });
    expect(headers['grpc-status']).toBe('4');
    expect(aborted).toMatchObject({ code: 'timed_out' });
  });

  it('comes when the caller cancels', async () => {
    let aborted = false;
    const { port, lease } = await serve(async (message, call) => {
      await new Promise((resolve) => {
        call.signal.addEventListener('abort', resolve);
      });
      aborted = true;
      return message;
    });
    const session = connect(port);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    stream.end(frameMessage(Buffer.from('x'), false));
    await eventually(() => lease.snapshot().inFlightRequests === 1, 'the call');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await eventually(() => aborted, 'the abort');
    await eventually(() => lease.snapshot().inFlightRequests === 0, 'the end of the call');
  });
});

describe('a streaming reply', () => {
  async function stream(handle: Extract<GrpcMethod, { kind: 'server-stream' }>['handle']) {
    const listener = await listen();
    listener.lease.mountGrpc({ name: 'test.Echo', methods: { Say: { kind: 'server-stream', handle } } });
    return raw(connect(listener.port), [frameMessage(Buffer.from('x'), false)]);
  }

  it('carries any number of messages', async () => {
    const { body, trailers } = await stream(async function* pieces() {
      for (let count = 0; count < 100; count++) yield Buffer.alloc(5000, 'x');
    });
    expect([body.length, trailers['grpc-status']]).toEqual([100 * 5005, '0']);
  });

  it('may be empty', async () => {
    const { body, headers } = await stream(async function* pieces() {});
    expect([body.length, headers['grpc-status']]).toEqual([0, '0']);
  });

  it('that nobody takes ends', async () => {
    const { lease, port, rejected } = await listen({ connections: { writeIdleTimeoutMs: 50 } });
    const handle = async function* pieces() {
      for (let count = 0; count < 1000; count++) yield Buffer.alloc(100_000);
    };
    lease.mountGrpc({ name: 'test.Echo', methods: { Say: { kind: 'server-stream', handle } } });
    const stream = connect(port).request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    stream.end(frameMessage(Buffer.from('x'), false));
    await eventually(() => rejected.length > 0, 'the rejection');
    expect(rejected).toEqual(['slow_reader']);
    await eventually(() => lease.snapshot().inFlightRequests === 0, 'the end of the call');
  });

  it('ends with the status of a failure after some messages', async () => {
    const { body, trailers } = await stream(async function* pieces() {
      yield Buffer.from('one');
      throw new NetError('rpc_failed', 'no more', { status: rpcStatus(GrpcCode.aborted, 'no more') });
    });
    expect([body.length, trailers['grpc-status'], trailers['grpc-message']]).toEqual([8, '10', 'no more']);
  });
});

describe('floods', () => {
  it('of reset streams end the connection', async () => {
    const { port, rejected, lease } = await serve(
      () => new Promise(() => undefined),
      {},
      {
        connections: { streamResetBurst: 20, streamResetsPerSecond: 1 },
      },
    );
    const session = connect(port);
    const closed = new Promise((resolve) => {
      session.on('close', resolve);
    });
    const attack = setInterval(() => {
      for (let count = 0; count < 10 && !session.destroyed && !session.closed; count++) {
        const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
        stream.on('error', () => undefined);
        setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL));
      }
    }, 2);
    await closed;
    clearInterval(attack);
    expect(rejected).toContain('rapid_reset');
    await eventually(() => lease.snapshot().connections.http2 === 0, 'the connection to be gone');
  });

  it('of pings end the connection with too_many_pings', async () => {
    const { port, rejected } = await serve(echo);
    const session = connect(port);
    let debug = '';
    session.on('goaway', (_code, _last, data) => (debug = data?.toString() ?? ''));
    const closed = new Promise((resolve) => {
      session.on('close', resolve);
    });
    session.on('connect', () => {
      for (let count = 0; count < 5; count++) session.ping(() => undefined);
    });
    await closed;
    expect([debug, rejected]).toEqual(['too_many_pings', ['too_many_pings']]);
  });

  it('of pings are fine as far as the policy allows', async () => {
    const { port, rejected } = await serve(
      echo,
      {},
      {
        connections: { keepalive: { minTimeMs: 0, permitWithoutStream: true } },
      },
    );
    const session = connect(port);
    await new Promise((resolve) => {
      session.on('connect', resolve);
    });
    for (let count = 0; count < 5; count++) {
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error ? reject(error) : resolve()));
      });
    }
    expect(rejected).toEqual([]);
  });

  it('of oversized headers are refused', async () => {
    const { port } = await serve(echo);
    const { rstCode } = await raw(connect(port), [], { headers: { 'x-big': 'x'.repeat(40_000) } });
    expect(rstCode).toBe(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
});

describe('keepalive', () => {
  async function closes(keepalive: NonNullable<ListenerOptions['connections']>['keepalive']): Promise<number> {
    const { port } = await serve(echo, {}, { connections: { keepalive: keepalive ?? {} } });
    const session = connect(port);
    let code = -1;
    session.on('goaway', (received) => (code = received));
    await new Promise((resolve) => {
      session.on('close', resolve);
    });
    return code;
  }

  it('ends idle connections', async () => {
    expect(await closes({ maxConnectionIdleMs: 30 })).toBe(0);
  });

  it('ends old connections', async () => {
    expect(await closes({ maxConnectionAgeMs: 30 })).toBe(0);
  });
});
