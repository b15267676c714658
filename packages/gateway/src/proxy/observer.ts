import type { CircuitState, MergedAudit, Refusal } from '../agents/index.ts';
import type { AgentCall, Attempt, ClientConnection, Exchange } from './exchange.ts';
import type { HandshakeFailureReason } from './server/handshakes.ts';

/**
 * Decides about traces. Called by the proxy at the moments ids are needed, so that the ids sent downstream are those of the
 * spans exported later. Without one, trace headers pass through untouched.
 */
export interface TraceStarter {
  /**
   * The head of a request was read: fills `exchange.trace` from `exchange.requestHeaders`: trace id (continued or new), a
   * new id for the request's span, the inbound span as `parentSpanId`, the decision in `flags`, `tracestate` to pass on.
   */
  startRequest(exchange: Exchange): void;
  /** A new span id, as 16 hex digits. */
  newSpanId(): string;
}

/** What is known about a target's health when it changes. */
export interface HealthChange {
  readonly upstreamId: string;
  /** `host:port` as configured. */
  readonly target: string;
  readonly healthy: boolean;
  /** Whether probes found it out; else requests did. */
  readonly probed: boolean;
  /** Why, for people. */
  readonly reason: string;
}

/** What agents decided about one event of a request. */
export interface AgentVerdict {
  readonly event: string;
  readonly audit: MergedAudit;
  /** What agents want to be known for routing. */
  readonly routing: Readonly<Record<string, string>>;
  /** Absent when all let it pass. */
  readonly refusal?: Refusal;
}

/** How reading the certificates of a listener anew went; with a failure the old ones stay. */
export interface CertificateReload {
  readonly listenerId: string;
  readonly result: 'success' | 'failure';
  /** Present when it failed. */
  readonly error?: string;
}

/** How a reload went. */
export interface ReloadOutcome {
  readonly result: 'success' | 'failure';
  /** What changed but needs a restart to take effect. */
  readonly restartNeeded: readonly string[];
  /** Present when it failed. */
  readonly error?: string;
}

/**
 * Sees what happens in the proxy. Called synchronously on the request path: implementations must be fast and must not
 * throw. An exchange and its parts must not be kept beyond `requestEnded`, except by taking what is needed out of them.
 */
export interface GatewayObserver {
  connectionOpened(connection: ClientConnection): void;
  connectionClosed(connection: ClientConnection): void;
  /** A client came to no agreement about TLS: it never becomes a connection. */
  handshakeFailed(listenerId: string, reason: HandshakeFailureReason): void;
  /** The head was read, ids are decided; nothing else is. */
  requestStarted(exchange: Exchange): void;
  attemptStarted(exchange: Exchange, attempt: Attempt): void;
  attemptEnded(exchange: Exchange, attempt: Attempt): void;
  agentCallStarted(exchange: Exchange, call: AgentCall): void;
  agentCallEnded(exchange: Exchange, call: AgentCall): void;
  agentsDecided(exchange: Exchange, verdict: AgentVerdict): void;
  /** A rate limit spoke, whatever it led to. */
  rateLimited(exchange: Exchange, filterId: string, action: 'reject' | 'delay' | 'log-only'): void;
  /** Called exactly once for each exchange, as the last of its calls. `exchange.blocked` and `failure` are final. */
  requestEnded(exchange: Exchange): void;
  healthChanged(change: HealthChange): void;
  breakerChanged(upstreamId: string, state: CircuitState): void;
  agentBreakerChanged(agentId: string, state: CircuitState): void;
  certificatesReloaded(reload: CertificateReload): void;
  reloaded(outcome: ReloadOutcome): void;
}

/** An observer that sees nothing; spread it to implement a part. */
export const blindObserver: GatewayObserver = {
  connectionOpened() {},
  connectionClosed() {},
  handshakeFailed() {},
  requestStarted() {},
  attemptStarted() {},
  attemptEnded() {},
  agentCallStarted() {},
  agentCallEnded() {},
  agentsDecided() {},
  rateLimited() {},
  requestEnded() {},
  healthChanged() {},
  breakerChanged() {},
  agentBreakerChanged() {},
  certificatesReloaded() {},
  reloaded() {},
};
