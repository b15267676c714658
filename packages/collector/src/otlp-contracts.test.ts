import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import type { Component } from '@clew/pipeline';
import { describeExporterContract, describeReceiverContract, spanIds } from '@clew/pipeline/contract-tests';
import type { ReceiverClient, SendOutcome } from '@clew/pipeline/contract-tests';
import { decodeTraces, encodeTraces } from '@clew/wire/otlp';
import { otlpHttpExporterFactory } from './exporters/otlphttp/index.ts';
import { otlpReceiverFactory } from './receivers/otlp/index.ts';

/** The address a started receiver listens on. */
function addressOf(receiver: Component): string {
  const { listeners } = receiver.snapshot() as { listeners: { address: string }[] };
  return listeners[0]!.address;
}

function httpOutcome(code: number): SendOutcome {
  if (code === 200) return 'accepted';
  return [429, 502, 503, 504].includes(code) ? 'retryable' : 'permanent';
}

/** The status of a request; `body` undefined announces a body and never sends it. */
function post(address: string, body: Uint8Array | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const length = body?.length ?? 1000;
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': length };
  const sent = request(`http://${address}/v1/traces`, { method: 'POST', headers, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
    // A request without its body would otherwise keep the connection.
    if (body === undefined) sent.destroy();
  });
  sent.on('error', reject);
  if (body === undefined) sent.flushHeaders();
  else sent.end(body);
  return promise;
}

function httpClient(receiver: Component): Promise<ReceiverClient> {
  const address = addressOf(receiver);
  return Promise.resolve({
    send: async (batch: SpanBatch) => httpOutcome(await post(address, encodeTraces(batch))),
    sendHeadOnly: async () => httpOutcome(await post(address, undefined)),
    close: () => Promise.resolve(),
  });
}

function grpcClient(receiver: Component): Promise<ReceiverClient> {
  const client = new Client(addressOf(receiver), credentials.createInsecure());
  const raw = (bytes: Buffer): Buffer => bytes;
  const send = (batch: SpanBatch): Promise<SendOutcome> => {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    client.makeUnaryRequest(path, raw, raw, Buffer.from(encodeTraces(batch)), new Metadata(), (error) => {
      if (error === null) return resolve('accepted');
      resolve([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED].includes(error.code) ? 'retryable' : 'permanent');
    });
    return promise;
  };
  return Promise.resolve({
    send,
    close() {
      client.close();
      return Promise.resolve();
    },
  });
}

const anyPort = { endpoint: '127.0.0.1:0' };

describeReceiverContract({
  factory: otlpReceiverFactory,
  settings: () => ({ protocols: { http: anyPort } }),
  connect: httpClient,
});
describeReceiverContract({
  factory: otlpReceiverFactory,
  settings: () => ({ protocols: { grpc: anyPort } }),
  connect: grpcClient,
});

describeExporterContract({
  factory: otlpHttpExporterFactory,
  async open() {
    const spans: PlainSpan[] = [];
    let requests = 0;
    let answer = 200;
    const server = createServer((incoming, response) => {
      const chunks: Uint8Array[] = [];
      incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      incoming.on('end', () => {
        requests++;
        const batch = new SpanBatch();
        decodeTraces(new Uint8Array(Buffer.concat(chunks)), batch);
        if (answer === 200) spans.push(...toPlain(batch));
        response.writeHead(answer, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    const { promise: listening, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await listening;
    const { port } = server.address() as AddressInfo;
    return {
      settings: {
        endpoint: `http://127.0.0.1:${port}`,
        compression: 'none',
        retry_on_failure: { initial_interval: '5ms', max_interval: '20ms', max_elapsed_time: '20s' },
      },
      received: () => spanIds(spans),
      requests: () => requests,
      answer: (how) => void (answer = { accept: 200, retryable: 503, permanent: 400 }[how]),
      close() {
        const { promise, resolve: closed } = Promise.withResolvers<void>();
        server.close(() => closed());
        server.closeAllConnections();
        return promise;
      },
    };
  },
});
