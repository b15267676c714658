import type { Named } from './named.ts';
import type { FailureMode } from './route.ts';
import type { CircuitBreakerConfig, ClientTlsConfig } from './upstream.ts';

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** What agents may be told about a request. */
export type AgentEvent =
  | 'request_headers'
  | 'request_body'
  | 'response_headers'
  | 'response_body'
  | 'request_complete'
  | 'websocket_frame'
  | 'guardrail';

/** How an agent is reached. */
export type AgentTransport =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'grpc'; readonly address: string; readonly tls?: ClientTlsConfig }
  /** A URL. */
  | { readonly kind: 'http'; readonly address: string; readonly tls?: ClientTlsConfig };

/** How bodies are handed to an agent. */
export type BodyMode =
  | { readonly kind: 'buffer' }
  | { readonly kind: 'stream' }
  /** The first `bufferBytes` are held, the rest is streamed. */
  | { readonly kind: 'hybrid'; readonly bufferBytes: number };

/** One `agent`. */
export interface AgentConfig extends Named {
  readonly transport: AgentTransport;
  /** Without duplicates, in the order written. */
  readonly events: readonly AgentEvent[];
  /** For one call: waiting for a turn, connecting, sending and receiving together. */
  readonly timeoutMs: number;
  readonly failureMode: FailureMode;
  readonly circuitBreaker: CircuitBreakerConfig;
  readonly maxRequestBodyBytes: number;
  readonly maxResponseBodyBytes: number;
  readonly requestBodyMode: BodyMode;
  readonly responseBodyMode: BodyMode;
  /** For one chunk of a streamed body. */
  readonly chunkTimeoutMs: number;
  readonly maxConcurrentCalls: number;
  /** Sent to the agent when a connection begins. */
  readonly config?: JsonValue;
  /** For people; nothing depends on it. */
  readonly type: string;
  /** Which dialect is spoken on a Unix socket; `auto` finds out. */
  readonly protocolVersion: 'auto' | 1 | 2;
  /** Connections kept to the agent. */
  readonly connections: number;
}
