import type { GrpcCode } from './grpc-code.ts';

/** One `google.protobuf.Any` attached to a status. */
export interface RpcDetail {
  /** Such as `type.googleapis.com/google.rpc.RetryInfo`. */
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** A `google.rpc.Status`: what a call ended with. */
export interface RpcStatus {
  readonly code: GrpcCode;
  /** For people; empty when there is nothing to say. */
  readonly message: string;
  readonly details: readonly RpcDetail[];
}
