import type { ContentEncoding } from '../codec/encoding.ts';
import type { GrpcClientOptions } from '../client/grpc-client.ts';
import type { HttpClientOptions } from '../client/http-client.ts';
import type { RetryEvent, RetrySettings } from '../client/retry.ts';
import type { TlsClientSettings } from '../tls/settings.ts';

/** The signals OTLP carries. */
export type OtlpSignal = 'traces' | 'metrics' | 'logs';

/** Where and how an OTLP client sends. */
export interface OtlpClientOptions {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  /** gRPC: `host:port`, `http://…`, `https://…`, `dns:///…`, `unix:///…`. HTTP: a base URL. */
  readonly endpoint: string;
  /** HTTP: exact URLs instead of `<endpoint>/v1/<signal>`. */
  readonly signalEndpoints?: Partial<Readonly<Record<OtlpSignal, string>>>;
  /** Default gzip. */
  readonly compression?: ContentEncoding;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: TlsClientSettings;
  /** The encoding's own scale, see `compress`. */
  readonly compressionLevel?: number;
  /** How HTTP connections are kept. */
  readonly http?: Omit<HttpClientOptions, 'tls'>;
  /** How the gRPC connection is kept. */
  readonly grpc?: Pick<
    GrpcClientOptions,
    'authority' | 'connectTimeoutMs' | 'keepalive' | 'maxReceiveBytes' | 'maxReconnectDelayMs'
  >;
  /** Per attempt; 0 = none. Default 5,000 for gRPC and 30,000 for HTTP. */
  readonly timeoutMs?: number;
  readonly retry?: RetrySettings;
  /** Sent as `user-agent`. */
  readonly userAgent?: string;
  /** Told before each wait: `Exporting failed. Will retry the request after interval.` */
  readonly onRetry?: (event: RetryEvent) => void;
}

/** What the server accepted only in part; such a request is never sent again. */
export interface PartialSuccess {
  /** Spans, data points or log records refused; 0 with a message is a warning. */
  readonly rejected: bigint;
  readonly message: string;
}

/** How a send ended. */
export interface OtlpSendResult {
  readonly attempts: number;
  readonly partialSuccess?: PartialSuccess;
}

/** How one request is sent. */
export interface OtlpSendOptions {
  readonly signal?: AbortSignal;
  /** Added to the client's own headers for this request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends encoded OTLP requests. */
export interface OtlpClient {
  /**
   * Sends one encoded `Export…ServiceRequest`, retrying as configured.
   *
   * Fails with `NetError`: `not_retryable`, `retries_exhausted`, `interrupted` (closing or aborted).
   */
  send(signal: OtlpSignal, body: Uint8Array, options?: OtlpSendOptions): Promise<OtlpSendResult>;
  /** Ends waiting retries with `interrupted`, lets running attempts finish, closes connections. Idempotent. */
  close(): Promise<void>;
}
