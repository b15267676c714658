import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { RpcStatus } from '../status/rpc-status.ts';
import { acceptEncodingHeader, defaultGrpcEncodings } from './encoding.ts';
import { statusTrailers } from './metadata.ts';

/** Answers a call that reaches no method, at once and with headers only. */
export function refuseCall(stream: ServerHttp2Stream, status: RpcStatus, httpStatus = 200): void {
  if (stream.destroyed || stream.closed) return;
  const headers = {
    ':status': httpStatus,
    'content-type': 'application/grpc',
    'grpc-accept-encoding': acceptEncodingHeader(defaultGrpcEncodings),
    ...statusTrailers(status),
  };
  stream.respond(headers, { endStream: true });
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
