import { describe, expect, it } from 'vitest';
import { NetError } from '../errors.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import { grpcJs, listen, unary } from '../test/harness.ts';
import { replyOfError, textReply } from './answer.ts';

describe('the steps of a mount', () => {
  async function serve() {
    const { lease, port, rejected } = await listen();
    const steps: string[] = [];
    lease.mountHttp({
      paths: ['/v1/traces'],
      onRejected: (reason) => rejected.push(reason),
      authenticate: async (head) => {
        steps.push('authenticate');
        if (head.header('authorization') === 'Bearer right') return { ok: true, attributes: { user: 'ann' } };
        return { ok: false, status: 401, text: 'no or wrong token', headers: { 'www-authenticate': 'Bearer' } };
      },
      admit: (head) => {
        steps.push('admit');
        return head.query === 'full' ? textReply(503, 'memory is short') : undefined;
      },
      handler: (request) => {
        steps.push(`handle ${request.authAttributes?.['user']}`);
        return textReply(200, 'done');
      },
    });
    const post = (query: string, token: string) =>
      fetch(`http://127.0.0.1:${port}/v1/traces?${query}`, {
        method: 'POST',
        body: 'x',
        headers: { authorization: `Bearer ${token}` },
      });
    return { post, steps, rejected };
  }

  it('check credentials first', async () => {
    const { post, steps, rejected } = await serve();
    const response = await post('', 'wrong');
    expect([response.status, response.headers.get('www-authenticate'), await response.text()]).toEqual([
      401,
      'Bearer',
      'no or wrong token',
    ]);
    expect([steps, rejected]).toEqual([['authenticate'], ['unauthenticated']]);
  });

  it('then ask for admission', async () => {
    const { post, steps, rejected } = await serve();
    expect((await post('full', 'right')).status).toBe(503);
    expect([steps, rejected]).toEqual([['authenticate', 'admit'], ['not_admitted']]);
  });

  it('then run the handler', async () => {
    const { post, steps } = await serve();
    expect(await (await post('', 'right')).text()).toBe('done');
    expect(steps).toEqual(['authenticate', 'admit', 'handle ann']);
  });
});

describe('HTTP/2 requests that are no gRPC', () => {
  it('are answered like those of HTTP/1.1, beside gRPC calls on the same connection', async () => {
    const { lease, port } = await listen();
    lease.mountHttp({
      paths: ['/v1/*'],
      responseHeaders: { connection: 'keep-alive', 'x-static': 'always' },
      handler: async (request) => {
        if (request.path === '/v1/refuse') return textReply(503, 'full');
        return { status: 200, body: await request.readBody({ maxBytes: 1000, limitSetting: 'max' }) };
      },
    });
    lease.mountGrpc({ name: 'test.Echo', methods: { Say: { kind: 'unary', handle: (message) => message } } });
    const { connect } = await import('node:http2');
    const session = connect(`http://127.0.0.1:${port}`);
    const ask = (path: string, method: string, body: Uint8Array): Promise<[unknown, string, unknown]> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':method': method, ':path': path }, { endStream: false });
        let head: Record<string, unknown> = {};
        let text = '';
        stream.on('response', (headers) => (head = headers));
        stream.on('data', (piece: Buffer) => (text += piece.toString()));
        stream.on('error', reject);
        stream.on('close', () => resolve([head[':status'], text, head['x-static']]));
        stream.end(body);
      });
    expect(await ask('/v1/traces', 'POST', Buffer.from('hello'))).toEqual([200, 'hello', 'always']);
    expect(await ask('/v1/traces', 'POST', new Uint8Array(0))).toEqual([200, '', 'always']);
    expect(await ask('/v1/refuse', 'POST', Buffer.alloc(500_000))).toEqual([503, 'full', 'always']);
    expect(await ask('/v1/refuse', 'HEAD', new Uint8Array(0))).toEqual([503, '', 'always']);
    expect((await ask('/nothing', 'GET', new Uint8Array(0)))[0]).toBe(404);
    session.close();
    expect((await unary(grpcJs(port), '/test.Echo/Say', Buffer.from('x'))).reply?.toString()).toBe('x');
  });
});

describe('the reply of an error', () => {
  it.each<[string, unknown, number, string | undefined]>([
    ['too large', new NetError('body_too_large', 'x'), 413, undefined],
    ['inflated too far', new NetError('inflated_too_large', 'x'), 413, undefined],
    ['slow', new NetError('slow_body', 'x'), 408, undefined],
    ['malformed', new NetError('malformed_encoding', 'x'), 400, undefined],
    [
      'unavailable',
      new NetError('rpc_failed', 'x', { status: rpcStatus(GrpcCode.unavailable, 'x', { retryDelayMs: 1200 }) }),
      503,
      '2',
    ],
    [
      'throttled',
      new NetError('rpc_failed', 'x', { status: rpcStatus(GrpcCode.resourceExhausted, 'x', { retryDelayMs: 0 }) }),
      429,
      '0',
    ],
    [
      'permanent',
      new NetError('rpc_failed', 'x', { status: rpcStatus(GrpcCode.internal, 'x', { retryDelayMs: 5 }) }),
      500,
      undefined,
    ],
    ['foreign', new Error('x'), 500, undefined],
  ])('that is %s', (_title, error, status, retryAfter) => {
    const reply = replyOfError(error);
    expect([reply.status, reply.headers?.['retry-after']]).toEqual([status, retryAfter]);
  });
});
