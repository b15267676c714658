import type { GrpcService } from '@clew/net';
import { decodeTraces } from '@clew/wire/otlp';
import type { DecodeLimits } from '@clew/wire/otlp';
import { grpcIngest, grpcServiceBase } from '../common/grpc-ingest.ts';
import type { GrpcIngestOptions } from '../common/grpc-ingest.ts';
import type { SpanIngest } from '../common/span-ingest.ts';
import type { TransportEvents } from '../common/transport-events.ts';
import type { OnUnconsumed } from './telemetry.ts';
import { unconsumedResponse } from './unconsumed.ts';
import type { UnconsumedSignal } from './unconsumed.ts';

const serviceNames: Readonly<Record<'traces' | UnconsumedSignal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
};

/** `opentelemetry.proto.collector.trace.v1.TraceService`. */
export function traceService(
  ingest: SpanIngest,
  events: TransportEvents,
  options: GrpcIngestOptions,
  limits: DecodeLimits,
): GrpcService {
  const names = { service: serviceNames.traces, method: 'Export' };
  return grpcIngest(names, ingest, events, options, (body, batch) => decodeTraces(body, batch, limits));
}

/** `LogsService` or `MetricsService` when no pipeline takes them: success, with a reason why nothing was kept. */
export function unconsumedService(
  signal: UnconsumedSignal,
  events: TransportEvents,
  options: GrpcIngestOptions,
  onUnconsumed: OnUnconsumed,
): GrpcService {
  return {
    ...grpcServiceBase(serviceNames[signal], events, options),
    methods: {
      Export: { kind: 'unary', handle: (message) => unconsumedResponse(signal, message, 'protobuf', onUnconsumed) },
    },
  };
}
