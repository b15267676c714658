import { describe, expect, it } from 'vitest';
import { NetError } from '../errors.ts';
import type { HttpReply } from '../exchange.ts';
import { readDecodedBody } from '../http/decoded-body.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { writeFields } from '../status/protobuf.ts';
import { encodeRpcStatus, rpcStatus, rpcStatusToJson } from '../status/rpc-status.ts';
import { cleanUp, eventually, listen } from '../test/harness.ts';
import { parseRetryAfterMs } from './http-sender.ts';
import { createOtlpClient } from './otlp-client.ts';
import { partialSuccessFromJson } from './partial-success.ts';
import type { OtlpClient, OtlpClientOptions } from './types.ts';

const fast = { initialIntervalMs: 1, maxIntervalMs: 5, maxElapsedTimeMs: 10_000 };
const span = Buffer.from('an encoded request');
const service = 'opentelemetry.proto.collector.trace.v1.TraceService';

/** A server that answers with the given replies in turn, on both protocols. */
async function serve(replies: (HttpReply | NetError)[]) {
  const listener = await listen();
  const seen: { path: string; type: string | undefined; agent: string | undefined; body: string }[] = [];
  const next = (): HttpReply | NetError => replies.shift() ?? { status: 200 };
  listener.lease.mountHttp({
    paths: ['/*'],
    handler: async (request) => {
      const body = await readDecodedBody(request, { maxBytes: 1e6, limitSetting: 'max' });
      seen.push({
        path: request.path,
        type: request.header('content-type'),
        agent: request.header('user-agent'),
        body: Buffer.from(body).toString(),
      });
      const reply = next();
      if (reply instanceof NetError) throw reply;
      return reply;
    },
  });
  listener.lease.mountGrpc({
    name: service,
    methods: {
      Export: {
        kind: 'unary',
        handle: (message, call) => {
          seen.push({
            path: call.path,
            type: String(call.headers['grpc-encoding']),
            agent: String(call.headers['user-agent']),
            body: Buffer.from(message).toString(),
          });
          const reply = next();
          if (reply instanceof NetError) throw reply;
          return reply.body instanceof Uint8Array ? reply.body : new Uint8Array(0);
        },
      },
    },
  });
  return { ...listener, seen };
}

function clientOf(port: number, options: Partial<OtlpClientOptions>): OtlpClient {
  const client = createOtlpClient({
    protocol: 'http/protobuf',
    endpoint: `http://127.0.0.1:${port}/`,
    retry: fast,
    ...options,
  });
  cleanUp(() => client.close());
  return client;
}

const failed = (code: GrpcCode, retryDelayMs?: number): NetError =>
  new NetError('rpc_failed', 'no', {
    status: rpcStatus(code, 'no', retryDelayMs === undefined ? {} : { retryDelayMs }),
  });

const partial = writeFields([
  {
    number: 1,
    bytes: writeFields([
      { number: 1, varint: 3n },
      { number: 2, bytes: Buffer.from('too old') },
    ]),
  },
]);

describe.each(['grpc', 'http/protobuf', 'http/json'] as const)('OTLP over %s', (protocol) => {
  it.each(['identity', 'gzip', 'zstd', 'snappy'] as const)('sends with %s', async (compression) => {
    const { port, seen } = await serve([]);
    expect(await clientOf(port, { protocol, compression, userAgent: 'test/1' }).send('traces', span)).toEqual({
      attempts: 1,
    });
    expect(seen).toEqual([
      {
        path: protocol === 'grpc' ? `/${service}/Export` : '/v1/traces',
        type:
          protocol === 'grpc'
            ? compression === 'identity'
              ? 'undefined'
              : compression
            : protocol === 'http/json'
              ? 'application/json'
              : 'application/x-protobuf',
        agent: 'test/1',
        body: 'an encoded request',
      },
    ]);
  });

  it('repeats what is retryable', async () => {
    const { port, seen } = await serve([failed(GrpcCode.unavailable), failed(GrpcCode.aborted)]);
    const waits: number[] = [];
    const client = clientOf(port, { protocol, onRetry: ({ delayMs }) => waits.push(delayMs) });
    expect(await client.send('traces', span)).toEqual({ attempts: 3 });
    expect([seen.length, waits.length]).toEqual([3, 2]);
  });

  it('does not repeat what is not', async () => {
    const { port, seen } = await serve([failed(GrpcCode.invalidArgument)]);
    await expect(clientOf(port, { protocol }).send('traces', span)).rejects.toMatchObject({ code: 'not_retryable' });
    expect(seen.length).toBe(1);
  });

  it('waits as long as the server asks', async () => {
    const { port } = await serve([failed(GrpcCode.resourceExhausted, 1000)]);
    const waits: number[] = [];
    const client = clientOf(port, { protocol, onRetry: ({ delayMs }) => (waits.push(delayMs), void client.close()) });
    await expect(client.send('traces', span)).rejects.toMatchObject({ code: 'interrupted' });
    expect(waits).toEqual([1000]);
  });

  it('tells of partial success and does not repeat it', async () => {
    const body =
      protocol === 'http/json'
        ? Buffer.from('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}')
        : partial;
    const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
    const { port, seen } = await serve([{ status: 200, headers: { 'content-type': type }, body }]);
    expect(await clientOf(port, { protocol }).send('traces', span)).toEqual({
      attempts: 1,
      partialSuccess: { rejected: 3n, message: 'too old' },
    });
    expect(seen.length).toBe(1);
  });

  it('repeats when nobody listens, until its time is used up', async () => {
    const { lease, port } = await listen();
    await lease.release();
    const client = clientOf(port, {
      protocol,
      retry: { initialIntervalMs: 1, maxIntervalMs: 5, maxElapsedTimeMs: 30 },
    });
    await expect(client.send('traces', span)).rejects.toMatchObject({ code: 'retries_exhausted' });
  });

  it('gives up when the caller does', async () => {
    const { port } = await serve(Array.from({ length: 1000 }, () => failed(GrpcCode.unavailable)));
    const controller = new AbortController();
    const client = clientOf(port, { protocol, onRetry: () => controller.abort() });
    await expect(client.send('traces', span, { signal: controller.signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  it('takes nothing more once closed', async () => {
    const { port } = await serve([]);
    const client = clientOf(port, { protocol });
    await client.close();
    await expect(client.send('traces', span)).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('OTLP over HTTP', () => {
  it.each<[number, boolean]>([
    [429, true],
    [502, true],
    [503, true],
    [504, true],
    [400, false],
    [401, false],
    [413, false],
    [500, false],
    [307, false],
  ])('takes %i as retryable: %s', async (status, retryable) => {
    const { port, seen } = await serve([{ status }]);
    const sending = clientOf(port, {}).send('traces', span);
    if (retryable) await sending;
    else await expect(sending).rejects.toMatchObject({ code: 'not_retryable' });
    expect(seen.length).toBe(retryable ? 2 : 1);
  });

  it('tells what the server said', async () => {
    const status = rpcStatus(GrpcCode.invalidArgument, 'span 3 has no id');
    const { port } = await serve([
      { status: 400, headers: { 'content-type': 'application/x-protobuf' }, body: encodeRpcStatus(status) },
      { status: 400, headers: { 'content-type': 'application/json' }, body: rpcStatusToJson(status) },
      { status: 400, body: '<html>' },
    ]);
    const client = clientOf(port, {});
    const url = `http://127.0.0.1:${port}/v1/traces`;
    const prefix = `not retryable error: error exporting items, request to ${url} responded with HTTP Status Code 400`;
    for (const words of [', Message=span 3 has no id, Details=[]', ', Message=span 3 has no id, Details=[]', '']) {
      await expect(client.send('traces', span)).rejects.toThrow(prefix + words);
    }
  });

  it('sends each signal to its own path or URL', async () => {
    const { port, seen } = await serve([]);
    const client = clientOf(port, { signalEndpoints: { metrics: `http://127.0.0.1:${port}/exact` } });
    for (const signal of ['traces', 'metrics', 'logs'] as const) await client.send(signal, span);
    expect(seen.map(({ path }) => path)).toEqual(['/v1/traces', '/exact', '/v1/logs']);
  });

  it.each([
    [{ endpoint: '' }, 'at least one endpoint must be specified'],
    [{ endpoint: 'collector:4318' }, 'is no http:// or https:// URL'],
    [{ endpoint: 'http://x', retry: { multiplier: -1 } }, "'multiplier' must be non-negative"],
  ])('refuses %j', (options, message) => {
    expect(() => createOtlpClient({ protocol: 'http/protobuf', ...options })).toThrow(message);
  });

  it('finishes what is running before it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { lease, port } = await listen();
    lease.mountHttp({ paths: ['/v1/traces'], handler: async () => (await promise, { status: 200 }) });
    const client = clientOf(port, {});
    const sending = client.send('traces', span);
    await eventually(() => lease.snapshot().inFlightRequests === 1, 'the request');
    const closing = client.close();
    resolve();
    expect(await sending).toEqual({ attempts: 1 });
    await closing;
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each<[string | undefined, number | undefined]>([
    ['7', 7000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (header, expected) => {
    expect(parseRetryAfterMs(header, now)).toBe(expected);
  });
});

describe('partial success in JSON', () => {
  it.each<[string, unknown]>([
    ['{}', undefined],
    ['{"partialSuccess":{}}', undefined],
    ['{"partialSuccess":{"rejectedLogRecords":5}}', { rejected: 5n, message: '' }],
    ['{"partialSuccess":{"errorMessage":"careful"}}', { rejected: 0n, message: 'careful' }],
  ])('%s', (text, expected) => {
    expect(partialSuccessFromJson(text)).toEqual(expected);
  });
});
