import { createOtlpClient, resolveGrpcClient } from '@clew/net';
import type { ExporterFactory } from '@clew/pipeline';
import { encodeTraces } from '@clew/wire/otlp';
import { OtlpExporter } from '../common/otlp-exporter.ts';
import { otlpExporterConfig } from './config.ts';
import type { OtlpExporterConfig } from './config.ts';

/** The `otlp` exporter: OTLP over gRPC. */
export const otlpExporterFactory: ExporterFactory<OtlpExporterConfig> = {
  kind: 'exporter',
  type: 'otlp',
  aliases: ['otlp_grpc'],
  stability: { traces: 'stable' },
  placement: 'stateless',
  countsOwnSpans: true,
  configSchema: otlpExporterConfig,
  create: ({ id, config, telemetry }) =>
    new OtlpExporter({
      id,
      telemetry,
      queue: config.sending_queue,
      encode: (batch) => encodeTraces(batch),
      createClient: (events) => {
        const { endpoint, tls, compression, headers, keepalive } = resolveGrpcClient(config);
        return createOtlpClient({
          protocol: 'grpc',
          endpoint,
          timeoutMs: config.timeout,
          retry: config.retry_on_failure,
          onRetry: ({ error, delayMs }) => events.willRetry(error.message, delayMs),
          ...(tls ? { tls } : {}),
          ...(compression ? { compression } : {}),
          ...(headers ? { headers } : {}),
          ...(keepalive ? { grpc: { keepalive } } : {}),
        });
      },
    }),
};
