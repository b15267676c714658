// How a gRPC call that got no proper answer is told to its caller.
import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { NetError } from '../errors.ts';
import { decodeGrpcMessage } from '../grpc/metadata.ts';
import { GrpcCode, grpcCodeFrom } from '../status/grpc-code.ts';
import { grpcCodeOfHttp } from '../status/http-mapping.ts';
import { decodeRpcStatus, rpcStatus } from '../status/rpc-status.ts';
import type { RpcStatus } from '../status/rpc-status.ts';

/** The status of a reply: from the trailers, from headers that are the whole reply, else from the HTTP status. */
export function statusOfReply(headers: IncomingHttpHeaders, trailers: IncomingHttpHeaders): RpcStatus {
  const source = trailers['grpc-status'] === undefined ? headers : trailers;
  const code = source['grpc-status'];
  if (code === undefined) {
    const http = Number(headers[':status'] ?? 0);
    return rpcStatus(
      http === 200 ? GrpcCode.unknown : grpcCodeOfHttp(http),
      `the server answered HTTP ${http} without a gRPC status`,
    );
  }
  const details = source['grpc-status-details-bin'];
  const message = decodeGrpcMessage(String(source['grpc-message'] ?? ''));
  const plain = rpcStatus(grpcCodeFrom(Number(code)), message);
  if (typeof details !== 'string') return plain;
  try {
    return { ...plain, details: decodeRpcStatus(Buffer.from(details, 'base64')).details };
  } catch {
    return plain; // The code and message stand by themselves; details that cannot be read are as good as none.
  }
}

/** The error for a stream that ended without a status. */
export function streamFailure(stream: ClientHttp2Stream, cause: unknown): NetError {
  const why = cause instanceof Error ? cause.message : 'the connection was lost before the call was answered';
  if (stream.rstCode === constants.NGHTTP2_CANCEL) {
    return new NetError('rpc_failed', why, { cause, status: rpcStatus(GrpcCode.cancelled, why) });
  }
  if (stream.rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) {
    return new NetError('rpc_failed', why, { cause, status: rpcStatus(GrpcCode.resourceExhausted, why) });
  }
  return unavailable(why, cause);
}

/** The error for a call that could not be made. */
export function unavailable(message: string, cause: unknown): NetError {
  return new NetError('rpc_failed', message, { cause, status: rpcStatus(GrpcCode.unavailable, message) });
}

/** The error for a reply beyond the client's limit. */
export function replyTooLarge(bytes: number, limitBytes: number): NetError {
  const message = `grpc: received message larger than max (${bytes} vs. ${limitBytes})`;
  return new NetError('body_too_large', message, { status: rpcStatus(GrpcCode.resourceExhausted, message) });
}

/** The error for a reply that is not framed as gRPC does. */
export function brokenReply(why: string): NetError {
  return new NetError('malformed_frame', why, { status: rpcStatus(GrpcCode.internal, why) });
}
