import { createOtlpClient, resolveHttpClient } from '@clew/net';
import type { ExporterFactory } from '@clew/pipeline';
import { encodeTraces, encodeTracesJson } from '@clew/wire/otlp';
import { OtlpExporter } from '../common/otlp-exporter.ts';
import { otlpHttpExporterConfig } from './config.ts';
import type { OtlpHttpExporterConfig } from './config.ts';

/** The `otlphttp` exporter: OTLP over HTTP, protobuf or JSON. */
export const otlpHttpExporterFactory: ExporterFactory<OtlpHttpExporterConfig> = {
  kind: 'exporter',
  type: 'otlphttp',
  aliases: ['otlp_http'],
  stability: { traces: 'stable' },
  placement: 'stateless',
  countsOwnSpans: true,
  configSchema: otlpHttpExporterConfig,
  create: ({ id, config, telemetry }) =>
    new OtlpExporter({
      id,
      telemetry,
      queue: config.sending_queue,
      encode: (batch) => (config.encoding === 'json' ? encodeTracesJson(batch) : encodeTraces(batch)),
      createClient: (events) =>
        createOtlpClient({
          protocol: config.encoding === 'json' ? 'http/json' : 'http/protobuf',
          endpoint: config.endpoint,
          compression: config.compression,
          headers: config.headers,
          timeoutMs: config.timeout,
          retry: config.retry_on_failure,
          http: resolveHttpClient(config),
          onRetry: ({ error, delayMs }) => events.willRetry(error.message, delayMs),
          ...(config.tls ? { tls: config.tls } : {}),
          ...(config.traces_endpoint ? { signalEndpoints: { traces: config.traces_endpoint } } : {}),
          ...(config.compression_params?.level === undefined
            ? {}
            : { compressionLevel: config.compression_params.level }),
        }),
    }),
};
