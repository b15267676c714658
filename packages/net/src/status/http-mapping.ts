import { GrpcCode } from './grpc-code.ts';
import { retryDelayMsOf } from './rpc-status.ts';
import type { RpcStatus } from './rpc-status.ts';

/** The HTTP status an OTLP/HTTP server answers for a status of gRPC. */
export function httpStatusOf(code: GrpcCode): number {
  switch (code) {
    case GrpcCode.ok:
      return 200;
    case GrpcCode.cancelled:
    case GrpcCode.deadlineExceeded:
    case GrpcCode.aborted:
    case GrpcCode.outOfRange:
    case GrpcCode.unavailable:
    case GrpcCode.dataLoss:
      return 503;
    case GrpcCode.resourceExhausted:
      return 429;
    case GrpcCode.invalidArgument:
      return 400;
    case GrpcCode.unauthenticated:
      return 401;
    case GrpcCode.permissionDenied:
      return 403;
    case GrpcCode.unimplemented:
      return 404;
    default:
      return 500;
  }
}

/** The status a gRPC client assumes when an HTTP answer came without one (grpc/doc/http-grpc-status-mapping.md). */
export function grpcCodeOfHttp(httpStatus: number): GrpcCode {
  switch (httpStatus) {
    case 400:
      return GrpcCode.internal;
    case 401:
      return GrpcCode.unauthenticated;
    case 403:
      return GrpcCode.permissionDenied;
    case 404:
      return GrpcCode.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcCode.unavailable;
    default:
      return GrpcCode.unknown;
  }
}

/** `Retry-After` in whole seconds for a status that carries a RetryInfo, rounded up; undefined without one. */
export function retryAfterSecondsOf(status: RpcStatus): number | undefined {
  const delayMs = retryDelayMsOf(status);
  return delayMs === undefined ? undefined : Math.ceil(delayMs / 1000);
}

/** Whether a client may send again what was answered with this status (OTLP specification, OTLP/gRPC response). */
export function isRetryableStatus(status: RpcStatus): boolean {
  switch (status.code) {
    case GrpcCode.cancelled:
    case GrpcCode.deadlineExceeded:
    case GrpcCode.aborted:
    case GrpcCode.outOfRange:
    case GrpcCode.unavailable:
    case GrpcCode.dataLoss:
      return true;
    case GrpcCode.resourceExhausted:
      return retryDelayMsOf(status) !== undefined;
    default:
      return false;
  }
}
