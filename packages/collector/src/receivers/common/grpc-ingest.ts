import type { Authenticate, GrpcService } from '@clew/net';
import { requestMetadata } from './metadata.ts';
import { statusOf, statusOfRefusal } from './refusals.ts';
import type { Decode, SpanIngest } from './span-ingest.ts';
import type { TransportEvents } from './transport-events.ts';

/** What the gRPC side of a receiver is told. */
export interface GrpcIngestOptions {
  readonly maxReceiveBytes: number;
  readonly includeMetadata: boolean;
  readonly authenticate?: Authenticate | undefined;
}

/** The parts of a gRPC service that do not depend on what it does. */
export function grpcServiceBase(
  name: string,
  events: TransportEvents,
  options: GrpcIngestOptions,
): Omit<GrpcService, 'methods'> {
  return {
    name,
    maxReceiveBytes: options.maxReceiveBytes,
    ...(options.authenticate ? { authenticate: options.authenticate } : {}),
    toStatus: statusOf,
    onRejected: events.rejected.bind(events),
  };
}

const emptyResponse = new Uint8Array(0);

/** A unary method that takes spans and answers with an empty message. */
export function grpcIngest(
  names: { readonly service: string; readonly method: string },
  ingest: SpanIngest,
  events: TransportEvents,
  options: GrpcIngestOptions,
  decode: Decode,
): GrpcService {
  return {
    ...grpcServiceBase(names.service, events, options),
    methods: {
      [names.method]: {
        kind: 'unary',
        async handle(message, call) {
          const metadata = options.includeMetadata ? requestMetadata(call.headers) : undefined;
          await ingest.take(message, decode, {
            signal: call.signal,
            clientAddress: call.peer.address,
            ...(metadata ? { metadata } : {}),
          });
          return emptyResponse;
        },
      },
    },
    admit(call) {
      const refusal = ingest.admit(Number(call.headers['content-length'] ?? 0) || 0);
      return refusal && statusOfRefusal(refusal);
    },
  };
}
