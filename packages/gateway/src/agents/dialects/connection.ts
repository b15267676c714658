import type { AgentAnswer } from '../answer.ts';
import type { AgentEvent, AgentMessage, CancelReason, RequestMetadata, RequestSummary } from '../message.ts';
import type { AgentError } from '../errors.ts';

/**
 * The protocols agents speak (docs/gateway.md, agents): `framed` (typed frames with a handshake and correlation ids),
 * `envelope` (bare JSON objects, one at a time), `numbered` (typed frames with numeric request ids), `grpc`, and `http` (the objects of
 * `envelope`, each in a request).
 */
export type AgentDialect = 'framed' | 'envelope' | 'numbered' | 'grpc' | 'http';

/** What the agent said about itself when the connection began. */
export interface AgentDescription {
  readonly name?: string;
  readonly version?: string;
  /** The events it takes; undefined = it did not say, so it gets what is configured. */
  readonly events?: ReadonlySet<AgentEvent>;
  /** Size of body pieces it likes best. */
  readonly preferredChunkBytes?: number;
  /** Calls it handles at once. */
  readonly maxConcurrentCalls?: number;
  /** The largest body it takes. */
  readonly maxBodyBytes?: number;
}

/** How an agent says it is. */
export interface AgentHealth {
  readonly state: 'healthy' | 'degraded' | 'draining' | 'unhealthy';
  readonly message?: string;
}

/** The request a call is about. */
export interface CallContext {
  readonly metadata: RequestMetadata;
  /** Names the request to agents that number requests: random, below 2^53, unique over all gateway processes. */
  readonly requestNumber: number;
  /** W3C trace context of this very call. */
  readonly traceparent?: string;
}

/** An answer and how many bytes it took, not counting a body that it replaces. */
export interface ReceivedAnswer {
  readonly answer: AgentAnswer;
  readonly answerBytes: number;
}

/** What happens on a connection that nobody asked for. */
export interface ConnectionListener {
  /** The connection is gone, whoever ended it. Called once. */
  onClosed(error: AgentError): void;
  onHealth(health: AgentHealth): void;
  /** Something the operator should know, such as a request of the agent that is not supported. */
  onNotice(text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** One connection to an agent, past its handshake. */
export interface AgentConnection {
  readonly dialect: AgentDialect;
  readonly description: AgentDescription;
  /** Calls that may be in flight at once. */
  readonly maxCalls: number;
  readonly closed: boolean;
  /** Whether any event was answered: until then a dialect that was only guessed may turn out wrong. */
  readonly proven: boolean;
  /**
   * Asks the agent. At most one call per request at a time. Rejects with an `AgentError`; without an answer it stays
   * pending until {@link abandon}.
   */
  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer>;
  /**
   * The caller waits no longer for the call of this request. Where answers can be told apart the agent is told and the
   * call rejects at once. Where they cannot, a timeout ends the connection, and after other reasons the call stays
   * pending until the agent has answered.
   */
  abandon(context: CallContext, reason: CancelReason): void;
  /**
   * Tells that the request is over, which frees the agent's memory of it. Resolves when the connection is free again;
   * rejects with an `AgentError`.
   */
  finish(context: CallContext, summary: RequestSummary): Promise<void>;
  /** Resolves when another request may have the name this one had: no late answer could be taken for its own. */
  forgotten(context: CallContext): Promise<void>;
  /** Asks for a sign of life; absent where the dialect has none. */
  ping?(): Promise<void>;
  /** Ends the connection at once; running calls reject with `closed`. Idempotent. */
  close(): void;
}

/** What a connection needs to know to begin. */
export interface ConnectOptions {
  readonly agentId: string;
  /** Names this gateway to agents. */
  readonly proxyVersion: string;
  /** The `config` block as JSON text. */
  readonly configJson?: string;
  readonly listener: ConnectionListener;
}
