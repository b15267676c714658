import { CodedError } from '@clew/base';
import type { CodedErrorOptions } from '@clew/base';
import type { RpcStatus } from './status/rpc-status.ts';

/**
 * Codes of errors raised by `@clew/net`; retired codes are never used again.
 *
 * - `body_too_large`, `inflated_too_large`: a size limit, on the wire or after decompression.
 * - `unsupported_encoding`, `malformed_encoding`: a compression nobody enabled, or bytes that do not decompress.
 * - `malformed_frame`, `malformed_status`: a broken gRPC frame or `google.rpc.Status`.
 * - `slow_body`, `aborted`: the peer sent its body too slowly, or went away.
 * - `budget_exhausted`: all request bodies being read at once hold as many bytes as allowed.
 * - `port_in_use`, `listen_failed`, `listener_conflict`, `route_conflict`: a listener could not be had or shared.
 * - `tls_config`, `invalid_setting`: configuration that cannot work.
 * - `connect_failed`, `timed_out`, `closed`: a client could not reach its peer, waited too long, or is shut.
 * - `rpc_failed`: the peer, or a handler of this process, answered with the attached `status`.
 * - `http_failed`: the peer answered with an HTTP status that is not a success.
 * - `not_retryable`, `retries_exhausted`, `interrupted`: how a retried request ended for good.
 */
export type NetErrorCode =
  | 'body_too_large'
  | 'inflated_too_large'
  | 'unsupported_encoding'
  | 'malformed_encoding'
  | 'malformed_frame'
  | 'malformed_status'
  | 'slow_body'
  | 'aborted'
  | 'budget_exhausted'
  | 'port_in_use'
  | 'listen_failed'
  | 'listener_conflict'
  | 'route_conflict'
  | 'tls_config'
  | 'invalid_setting'
  | 'connect_failed'
  | 'timed_out'
  | 'closed'
  | 'rpc_failed'
  | 'http_failed'
  | 'not_retryable'
  | 'retries_exhausted'
  | 'interrupted';

/** What may accompany a `NetError`. */
export interface NetErrorOptions extends CodedErrorOptions {
  /** The RPC status this error stands for: what a server answers, or what a peer answered. */
  readonly status?: RpcStatus;
}

/** Raised by `@clew/net`. */
export class NetError extends CodedError<NetErrorCode> {
  /** The RPC status this error stands for, when it has one. */
  readonly status: RpcStatus | undefined;

  constructor(code: NetErrorCode, message: string, options: NetErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status;
  }
}
