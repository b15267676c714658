import { GrpcClient } from '../client/grpc-client.ts';
import { partialSuccessFromProtobuf } from './partial-success.ts';
import type { OtlpClientOptions, OtlpSignal, PartialSuccess } from './types.ts';
import type { OtlpSender, SendAttempt } from './sender.ts';

const paths: Readonly<Record<OtlpSignal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

/** Sends OTLP requests over gRPC. */
export class GrpcSender implements OtlpSender {
  readonly #client: GrpcClient;
  readonly #timeoutMs: number;

  constructor(options: OtlpClientOptions) {
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#client = new GrpcClient({
      ...options.grpc,
      endpoint: options.endpoint,
      compression: options.compression ?? 'gzip',
      ...(options.compressionLevel === undefined ? {} : { compressionLevel: options.compressionLevel }),
      ...(options.tls ? { tls: options.tls } : {}),
      ...(options.headers ? { headers: options.headers } : {}),
      ...(options.userAgent ? { userAgent: options.userAgent } : {}),
    });
  }

  encode(body: Uint8Array): Promise<Uint8Array> {
    return this.#client.encode(body);
  }

  async send(attempt: SendAttempt): Promise<PartialSuccess | undefined> {
    const reply = await this.#client.unaryEncoded(paths[attempt.kind], attempt.body, {
      headers: attempt.headers,
      signal: attempt.signal,
      timeoutMs: this.#timeoutMs,
    });
    return partialSuccessFromProtobuf(reply);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
