import type { Authenticate, Peer, RejectHook, RequestHeaders } from '../exchange.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import type { RpcStatus } from '../status/rpc-status.ts';

/** What a method may know of the call it answers. */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Metadata and HTTP/2 pseudo headers, lower-case; `-bin` values are still base64. */
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  /** What the service's `authenticate` found out about the caller. */
  readonly authAttributes?: Readonly<Record<string, string>>;
  /** Compression of the request, and so of the reply. */
  readonly encoding: ContentEncoding;
  /** When the caller stops waiting, in milliseconds since the epoch; absent without `grpc-timeout`. */
  readonly deadlineUnixMs?: number;
  /** Aborts when the caller cancels, disconnects, or its deadline passes. */
  readonly signal: AbortSignal;
}

/** One request message in, one reply message out. A thrown `NetError` with a `status` is answered as that status. */
export interface UnaryMethod {
  readonly kind: 'unary';
  handle(message: Uint8Array, call: GrpcCall): Uint8Array | Promise<Uint8Array>;
}

/** One request message in, any number of reply messages out. */
export interface ServerStreamMethod {
  readonly kind: 'server-stream';
  handle(message: Uint8Array, call: GrpcCall): AsyncIterable<Uint8Array>;
}

/** A method of a gRPC service, speaking encoded messages. */
export type GrpcMethod = UnaryMethod | ServerStreamMethod;

/** A gRPC service mounted on a listener. */
export interface GrpcService {
  /** Full name, such as `opentelemetry.proto.collector.trace.v1.TraceService`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, GrpcMethod>>;
  /** Largest request message, before and after decompression. Default 4 MiB (`max_recv_msg_size_mib`). */
  readonly maxReceiveBytes?: number;
  /** Encodings accepted besides identity. Default gzip, zstd, snappy, deflate. */
  readonly encodings?: readonly ContentEncoding[];
  /** Longest silence within a request message. Default 30,000; 0 waits for ever. */
  readonly bodyIdleTimeoutMs?: number;
  /** Checks credentials before the message is read; a refusal is UNAUTHENTICATED or PERMISSION_DENIED. */
  readonly authenticate?: Authenticate;
  /** Runs on the headers, before the message is read: a status refuses the call at once. */
  admit?(call: GrpcCall): RpcStatus | undefined;
  /** Turns what a method threw into a status. Default: a `NetError`'s own status, else INTERNAL. */
  toStatus?(caught: unknown): RpcStatus;
  readonly onRejected?: RejectHook;
}
