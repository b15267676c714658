import type { Authenticate, GrpcCall, GrpcService, RejectHook } from '@clew/net';
import { requestMetadata } from './metadata.ts';
import { statusOf, statusOfRefusal } from './refusals.ts';
import type { OtlpEvents } from './telemetry.ts';
import type { TraceIngest } from './trace-ingest.ts';
import { unconsumedResponse } from './unconsumed.ts';
import type { UnconsumedSignal } from './unconsumed.ts';

/** What the gRPC side of the receiver is told. */
export interface GrpcExportOptions {
  readonly maxReceiveBytes: number;
  readonly includeMetadata: boolean;
  readonly authenticate?: Authenticate;
}

const emptyResponse = new Uint8Array(0);

/** `opentelemetry.proto.collector.trace.v1.TraceService`. */
export function traceService(ingest: TraceIngest, events: OtlpEvents, options: GrpcExportOptions): GrpcService {
  return {
    ...service('trace.v1.TraceService', events, options, async (message, call) => {
      const metadata = options.includeMetadata ? requestMetadata(call.headers) : undefined;
      await ingest.take(message, 'protobuf', {
        transport: 'grpc',
        signal: call.signal,
        clientAddress: call.peer.address,
        ...(metadata ? { metadata } : {}),
      });
      return emptyResponse;
    }),
    admit(call) {
      const refusal = ingest.admit(Number(call.headers['content-length'] ?? 0) || 0);
      return refusal && statusOfRefusal(refusal);
    },
  };
}

const unconsumedServices: Readonly<Record<UnconsumedSignal, string>> = {
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
};

/** `LogsService` or `MetricsService` when no pipeline takes them: success, with a reason why nothing was kept. */
export function unconsumedService(
  signal: UnconsumedSignal,
  events: OtlpEvents,
  options: GrpcExportOptions,
): GrpcService {
  return service(unconsumedServices[signal], events, options, (message) =>
    Promise.resolve(unconsumedResponse(signal, message, 'protobuf', events)),
  );
}

function service(
  name: string,
  events: OtlpEvents,
  options: GrpcExportOptions,
  handle: (message: Uint8Array, call: GrpcCall) => Promise<Uint8Array>,
): GrpcService {
  const onRejected: RejectHook = (reason, detail) => events.rejected('grpc', reason, detail);
  return {
    name: `opentelemetry.proto.collector.${name}`,
    methods: { Export: { kind: 'unary', handle } },
    maxReceiveBytes: options.maxReceiveBytes,
    ...(options.authenticate ? { authenticate: options.authenticate } : {}),
    toStatus: statusOf,
    onRejected,
  };
}
