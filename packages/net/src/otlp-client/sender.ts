import type { OtlpSignal, PartialSuccess } from './types.ts';

/** One attempt to send. */
export interface SendAttempt {
  readonly kind: OtlpSignal;
  /** What `encode` made. */
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The part of an OTLP client that differs between gRPC and HTTP. */
export interface OtlpSender {
  /** Compresses a request once for all its attempts. */
  encode(body: Uint8Array): Promise<Uint8Array>;
  /** Sends once. Fails with a `NetError`. */
  send(attempt: SendAttempt): Promise<PartialSuccess | undefined>;
  close(): Promise<void>;
}
