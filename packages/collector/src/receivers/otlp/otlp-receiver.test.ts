import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { silentTelemetry } from '@clew/base';
import { fromPlain, plainSpan, toPlain } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import { decodeRpcStatus } from '@clew/net';
import { Refusal } from '@clew/pipeline';
import type { ConsumeContext, Host, TracesConsumer } from '@clew/pipeline';
import { encodeTraces, encodeTracesJson } from '@clew/wire/otlp';
import { afterEach, describe, expect, it } from 'vitest';
import { otlpReceiverFactory } from './index.ts';
import { OtlpReceiver } from './otlp-receiver.ts';

/** Takes everything, or refuses as told. */
class Sink implements TracesConsumer {
  readonly mutatesData = false;
  readonly spans: PlainSpan[] = [];
  readonly contexts: ConsumeContext[] = [];
  refusal: Refusal | undefined;
  admission: Refusal | undefined;
  durability() {
    return { kind: 'durable' } as const;
  }
  admit() {
    return this.admission;
  }
  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    if (this.refusal) return Promise.reject(this.refusal);
    this.spans.push(...toPlain(batch));
    this.contexts.push(context);
    return Promise.resolve();
  }
}

const host: Host = { extension: () => undefined, capability: () => undefined, reportStatus() {} };
const spans = [
  plainSpan({
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    name: 'GET /cart',
    service: 'shop',
    startUnixNano: 1_760_000_000_000_000_001n,
    endUnixNano: 1_760_000_000_500_000_000n,
    attributes: { 'user.id': 'käufer', n: 9_007_199_254_740_993n, ok: true },
  }),
];
const protobuf = encodeTraces(fromPlain(spans));
const json = encodeTracesJson(fromPlain(spans));
const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function start(sink: Sink, settings: Record<string, unknown> = {}) {
  const config = otlpReceiverFactory.configSchema.parse({
    protocols: {
      grpc: { endpoint: '127.0.0.1:0' },
      http: { endpoint: '127.0.0.1:0', ...(settings['http'] as object) },
    },
    ...(settings['top'] as object),
  });
  const receiver = new OtlpReceiver('otlp', config, silentTelemetry, { traces: sink });
  await receiver.start(host);
  const { listeners } = receiver.snapshot() as { listeners: { protocol: string; address: string; counters: object }[] };
  stop = () => receiver.stop(AbortSignal.timeout(1000));
  return { receiver, grpc: listeners[0]!.address, http: listeners[1]!.address };
}

const post = (address: string, body: Uint8Array | string, headers: Record<string, string> = {}, path = '/v1/traces') =>
  fetch(`http://${address}${path}`, {
    method: 'POST',
    body: body as BodyInit,
    headers: { 'content-type': 'application/x-protobuf', ...headers },
  });

function grpcExport(address: string, body: Uint8Array, path = exportPath, metadata = new Metadata()): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  client.makeUnaryRequest(
    path,
    (b: Buffer) => b,
    (b: Buffer) => b,
    Buffer.from(body),
    metadata,
    (error, reply) => (error ? reject(error) : resolve(reply!)),
  );
  return promise.finally(() => client.close());
}
const grpcError = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => Promise.reject(new Error('succeeded')),
    (e: ServiceError) => e,
  );

describe('what the OTLP receiver refuses', () => {
  it('answers 405 to other methods and 415 to other media types, in the reference’s words', async () => {
    const { http } = await start(new Sink());
    const get = await fetch(`http://${http}/v1/traces`);
    expect([get.status, await get.text()]).toEqual([405, '405 method not allowed, supported: [POST]']);
    const text = await post(http, 'x', { 'content-type': 'text/plain' });
    expect([text.status, await text.text()]).toEqual([
      415,
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    ]);
  });

  it('answers 400 with a Status that names the byte to malformed protobuf, and to malformed JSON in JSON', async () => {
    const sink = new Sink();
    const { http } = await start(sink);
    const bad = await post(http, protobuf.slice(0, -3));
    expect(bad.status).toBe(400);
    expect(bad.headers.get('content-type')).toBe('application/x-protobuf');
    expect(decodeRpcStatus(new Uint8Array(await bad.arrayBuffer()))).toMatchObject({
      code: 3,
      message: expect.stringContaining('at byte'),
    });
    const badJson = await post(http, '{"resourceSpans": [', { 'content-type': 'application/json; charset=utf-8' });
    expect([badJson.status, ((await badJson.json()) as { code: number }).code]).toEqual([400, 3]);
    expect(sink.spans).toEqual([]);
  });

  it('answers 400 to an unknown encoding and to a body that does not decompress', async () => {
    const { http } = await start(new Sink());
    const unknown = await post(http, protobuf, { 'content-encoding': 'br' });
    expect([unknown.status, await unknown.text()]).toEqual([400, 'unsupported Content-Encoding: br']);
    const broken = await post(http, protobuf, { 'content-encoding': 'gzip' });
    expect(broken.status).toBe(400);
  });

  it('answers 413 to a body over the limit, on the wire or inflated', async () => {
    const { http } = await start(new Sink(), { http: { max_request_body_size: 100 } });
    expect((await post(http, new Uint8Array(101))).status).toBe(413);
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const inflated = await post(http, bomb.subarray(0, 100), { 'content-encoding': 'gzip' });
    expect([400, 413]).toContain(inflated.status);
  });

  it('answers 503 with Retry-After to what can be retried and 500 to what cannot', async () => {
    const sink = new Sink();
    const { http, grpc } = await start(sink);
    sink.refusal = new Refusal('unavailable', 'the journal is full', { retryAfterMs: 2500 });
    const busy = await post(http, protobuf);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '3']);
    expect(await grpcError(grpcExport(grpc, protobuf))).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the journal is full',
    });
    sink.refusal = new Refusal('resource_exhausted', 'too fast');
    expect((await post(http, protobuf)).status).toBe(429);
    sink.refusal = new Refusal('permanent', 'never');
    expect((await post(http, protobuf)).status).toBe(500);
    expect((await grpcError(grpcExport(grpc, protobuf))).code).toBe(status.INTERNAL);
  });

  it('says that it is full before it reads a body', async () => {
    const sink = new Sink();
    sink.admission = new Refusal('unavailable', 'memory is short');
    const { http, grpc } = await start(sink);
    const endless = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(1024)) });
    const response = await fetch(`http://${http}/v1/traces`, {
      method: 'POST',
      body: endless,
      headers: { 'content-type': 'application/x-protobuf' },
      duplex: 'half',
    } as RequestInit).catch((error: Error) => error);
    if (response instanceof Response) expect(response.status).toBe(503);
    expect((await post(http, protobuf)).status).toBe(503);
    expect((await grpcError(grpcExport(grpc, protobuf))).code).toBe(status.UNAVAILABLE);
    expect(sink.spans).toEqual([]);
  });

  it('answers INVALID_ARGUMENT to malformed protobuf by gRPC, and UNIMPLEMENTED to signals nobody takes', async () => {
    const { grpc } = await start(new Sink());
    expect((await grpcError(grpcExport(grpc, protobuf.slice(0, -3)))).code).toBe(status.INVALID_ARGUMENT);
    const logs = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    expect((await grpcError(grpcExport(grpc, new Uint8Array(0), logs))).code).toBe(status.UNIMPLEMENTED);
  });

  it('needs at least one protocol', () => {
    const parsed = otlpReceiverFactory.configSchema.safeParse({ protocols: {} });
    expect(parsed.error?.issues[0]?.message).toBe('must specify at least one protocol when using the OTLP receiver');
  });
});

describe('what the OTLP receiver accepts', () => {
  it('takes protobuf and JSON over HTTP, and answers in the request’s encoding', async () => {
    const sink = new Sink();
    const { http } = await start(sink);
    const reply = await post(http, protobuf);
    expect([reply.status, reply.headers.get('content-type'), (await reply.arrayBuffer()).byteLength]).toEqual([
      200,
      'application/x-protobuf',
      0,
    ]);
    const jsonReply = await post(http, json, { 'content-type': 'application/json' });
    expect(await jsonReply.text()).toBe('{"partialSuccess":{}}');
    expect(sink.spans).toEqual([...spans, ...spans]);
  });

  it.each([
    ['gzip', gzipSync(protobuf)],
    ['zstd', zstdCompressSync(protobuf)],
  ])('takes %s', async (encoding, body) => {
    const sink = new Sink();
    const { http } = await start(sink);
    expect((await post(http, body, { 'content-encoding': encoding })).status).toBe(200);
    expect(sink.spans).toEqual(spans);
  });

  it('answers gRPC and HTTP on both ports', async () => {
    const sink = new Sink();
    const { http, grpc } = await start(sink);
    expect((await grpcExport(grpc, protobuf)).length).toBe(0);
    await grpcExport(http, protobuf);
    expect((await post(grpc, protobuf)).status).toBe(200);
    expect(sink.spans).toHaveLength(3);
  });

  it('answers an empty request with success and does not call the pipeline', async () => {
    const sink = new Sink();
    const { http } = await start(sink);
    expect((await post(http, new Uint8Array(0))).status).toBe(200);
    expect(sink.contexts).toEqual([]);
  });

  it('gives the pipeline the body’s hash and, when asked, the request’s headers', async () => {
    const sink = new Sink();
    const { http } = await start(sink, { http: { include_metadata: true } });
    await post(http, protobuf, { 'X-Team': 'blue' });
    await post(http, gzipSync(protobuf), { 'content-encoding': 'gzip' });
    expect(sink.contexts[0]!.metadata?.get('x-team')).toEqual(['blue']);
    expect(sink.contexts[0]).toMatchObject({ transport: 'http', clientAddress: '127.0.0.1' });
    expect(sink.contexts[0]!.bodyHash).toMatch(/^[0-9a-f]{32}$/);
    expect(sink.contexts[1]!.bodyHash).toBe(sink.contexts[0]!.bodyHash);
  });

  it('counts by transport what it accepted and refused', async () => {
    const sink = new Sink();
    const { http, receiver } = await start(sink);
    await post(http, protobuf);
    await post(http, 'x');
    const { listeners } = receiver.snapshot() as { listeners: { counters: object }[] };
    expect(listeners[1]!.counters).toMatchObject({ requests: 2, acceptedSpans: 1, refusedRequests: 1 });
  });

  it('tells senders of logs and metrics that nothing was kept, when told to accept them', async () => {
    const { http, grpc } = await start(new Sink(), { top: { accept_unconsumed_signals: true } });
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }, {}] }] }] };
    const reply = await post(http, JSON.stringify(logs), { 'content-type': 'application/json' }, '/v1/logs');
    expect(reply.status).toBe(200);
    expect(await reply.json()).toMatchObject({
      partialSuccess: { rejectedLogRecords: '2', errorMessage: expect.stringContaining('not stored') },
    });
    const metrics = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
    expect((await grpcExport(grpc, new Uint8Array(0), metrics)).length).toBe(0);
  });

  it('reuses batches between requests without mixing them', async () => {
    const sink = new Sink();
    const { http } = await start(sink);
    for (let i = 0; i < 20; i++) await post(http, protobuf);
    expect(sink.spans).toEqual(Array.from({ length: 20 }, () => spans[0]));
  });
});
