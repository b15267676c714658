import { errorMessage } from '@clew/base';
import { GrpcCode, NetError, rpcStatus } from '@clew/net';
import type { RpcStatus } from '@clew/net';
import { Refusal } from '@clew/pipeline';
import type { RefusalCode } from '@clew/pipeline';
import { WireError } from '@clew/wire';

/** OTLP's status for each way a pipeline can refuse (OTLP specification, "Failures"). */
const codeOf: Readonly<Record<RefusalCode, GrpcCode>> = {
  permanent: GrpcCode.internal,
  unavailable: GrpcCode.unavailable,
  resource_exhausted: GrpcCode.resourceExhausted,
  invalid: GrpcCode.invalidArgument,
  cancelled: GrpcCode.cancelled,
  deadline_exceeded: GrpcCode.deadlineExceeded,
};

/** Without a hint from below, throttled clients come back after this. */
const defaultRetryMs = 1_000;

/** The status that tells a client what a refusal means for it. */
export function statusOfRefusal(refusal: Refusal): RpcStatus {
  const retryDelayMs = refusal.retryAfterMs ?? (refusal.code === 'resource_exhausted' ? defaultRetryMs : undefined);
  return rpcStatus(codeOf[refusal.code], refusal.message, retryDelayMs === undefined ? {} : { retryDelayMs });
}

/** The status for anything that went wrong while answering a request. */
export function statusOf(caught: unknown): RpcStatus {
  if (caught instanceof Refusal) return statusOfRefusal(caught);
  if (caught instanceof WireError) return rpcStatus(GrpcCode.invalidArgument, caught.message);
  if (caught instanceof NetError) return caught.status ?? rpcStatus(netCode(caught), caught.message);
  return rpcStatus(GrpcCode.internal, errorMessage(caught));
}

function netCode(error: NetError): GrpcCode {
  switch (error.code) {
    case 'budget_exhausted':
      return GrpcCode.unavailable;
    case 'body_too_large':
    case 'inflated_too_large':
      return GrpcCode.resourceExhausted;
    case 'slow_body':
      return GrpcCode.deadlineExceeded;
    case 'aborted':
      return GrpcCode.cancelled;
    default:
      return GrpcCode.invalidArgument;
  }
}
