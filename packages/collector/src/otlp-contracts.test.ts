import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { describeExporterContract, describeReceiverContract, spanIds } from '@clew/pipeline/contract-tests';
import { decodeTraces, encodeTraces } from '@clew/wire/otlp';
import { otlpHttpExporterFactory } from './exporters/otlphttp/index.ts';
import { otlpReceiverFactory } from './receivers/otlp/index.ts';
import { grpcClient, httpClient } from './receivers/test/clients.ts';

const anyPort = { endpoint: '127.0.0.1:0' };

describeReceiverContract({
  factory: otlpReceiverFactory,
  settings: () => ({ protocols: { http: anyPort } }),
  connect: (receiver) => httpClient(receiver, '/v1/traces', 'application/x-protobuf', encodeTraces),
});
describeReceiverContract({
  factory: otlpReceiverFactory,
  settings: () => ({ protocols: { grpc: anyPort } }),
  connect: (receiver) =>
    grpcClient(receiver, '/opentelemetry.proto.collector.trace.v1.TraceService/Export', encodeTraces),
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
