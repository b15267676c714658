import { errorMessage } from '@clew/base';
import { GrpcCode, NetError, rpcStatus } from '@clew/net';
import type { GrpcService } from '@clew/net';
import { decodeSamplingRequest, encodeSamplingStrategy, samplingManagerService } from '@clew/wire/jaeger';
import type { AskStrategy, NameProblem } from './sampling-http.ts';
import type { SamplingEvents } from './telemetry.ts';

/** `jaeger.api_v2.SamplingManager`. */
export function samplingService(
  ask: AskStrategy,
  nameProblem: NameProblem,
  events: SamplingEvents,
  options: Pick<GrpcService, 'maxReceiveBytes' | 'authenticate' | 'onRejected'>,
): GrpcService {
  return {
    ...options,
    name: samplingManagerService,
    methods: {
      GetSamplingStrategy: {
        kind: 'unary',
        handle: async (message, { signal }) => {
          const service = requestedService(message, nameProblem, events);
          return encodeSamplingStrategy(await strategyOf(service, ask, events, signal));
        },
      },
    },
  };
}

function requestedService(message: Uint8Array, nameProblem: NameProblem, events: SamplingEvents): string {
  let service: string;
  try {
    service = decodeSamplingRequest(message);
  } catch (cause) {
    const reason = errorMessage(cause);
    events.requested('grpc', 'refused', reason);
    throw callError(GrpcCode.invalidArgument, reason, cause);
  }
  const problem = nameProblem(service);
  if (problem === undefined) return service;
  events.requested('grpc', 'refused', problem);
  throw callError(GrpcCode.invalidArgument, problem, undefined);
}

async function strategyOf(...[service, ask, events, signal]: [string, AskStrategy, SamplingEvents, AbortSignal]) {
  try {
    const strategy = await ask(service, 'grpc', signal);
    events.requested('grpc', 'served');
    return strategy;
  } catch (cause) {
    const reason = errorMessage(cause);
    events.requested('grpc', 'failed', reason);
    throw callError(GrpcCode.unknown, reason, cause);
  }
}

function callError(code: GrpcCode, message: string, cause: unknown): NetError {
  return new NetError('rpc_failed', message, { cause, status: rpcStatus(code, message) });
}
