import { once } from 'node:events';
import { errorMessage } from '@clew/base';
import { GrpcCode, NetError, rpcStatus } from '@clew/net';
import type { GrpcService } from '@clew/net';
import { decodeSamplingRequest } from '@clew/wire/jaeger';

/** `HealthCheckResponse{status: SERVING}`, and `NOT_SERVING`. */
const serving = Uint8Array.of(0x08, 1);
const notServing = Uint8Array.of(0x08, 2);

/**
 * `grpc.health.v1.Health` (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) beside `services`: they are served until
 * `stopping`, which those who watch are told, so that nobody waits for them. Probes have no credentials, so it asks for none.
 */
export function grpcHealth(services: readonly string[], stopping: AbortSignal): GrpcService {
  const check = (message: Uint8Array): Uint8Array => {
    const service = requestedService(message);
    if (service === '' || services.includes(service)) return stopping.aborted ? notServing : serving;
    throw callError(GrpcCode.notFound, `no service ${JSON.stringify(service)} here: ${services.join(', ')}`);
  };
  return {
    name: 'grpc.health.v1.Health',
    methods: {
      Check: { kind: 'unary', handle: check },
      Watch: {
        kind: 'server-stream',
        async *handle(message, { signal }) {
          yield check(message);
          if (stopping.aborted) return;
          const end = AbortSignal.any([signal, stopping]);
          if (!end.aborted) await once(end, 'abort');
          if (!signal.aborted) yield notServing;
        },
      },
    },
  };
}

/** The text in field 1, which is all there is in the message, as in the request for a sampling strategy. */
function requestedService(message: Uint8Array): string {
  try {
    return decodeSamplingRequest(message);
  } catch (cause) {
    throw callError(GrpcCode.invalidArgument, `no HealthCheckRequest: ${errorMessage(cause)}`, cause);
  }
}

function callError(code: GrpcCode, message: string, cause?: unknown): NetError {
  return new NetError('rpc_failed', message, { cause, status: rpcStatus(code, message) });
}
