import type { Logger, Telemetry } from '@clew/base';
import type { CircuitState } from '../agents/index.ts';
import type { AgentCall, Attempt, ClientConnection, Exchange } from '../proxy/exchange.ts';
import type {
  AgentVerdict,
  CertificateReload,
  GatewayObserver,
  HealthChange,
  ReloadOutcome,
} from '../proxy/observer.ts';
import type { HandshakeFailureReason } from '../proxy/server/handshakes.ts';
import type { EventFigures } from './metrics/event-figures.ts';
import type { RequestFigures } from './metrics/request-figures.ts';
import type { AccessLog } from './logs/access-log.ts';
import type { AuditLog } from './logs/audit-log.ts';
import type { ErrorLog } from './logs/error-log.ts';
import type { SpanRecorder } from './spans/span-recorder.ts';

/** What of the telemetry depends on the configuration and is replaced whole when that changes. */
export interface ObservedOutputs {
  readonly spans: SpanRecorder | undefined;
  readonly accessLog: AccessLog | undefined;
  readonly errorLog: ErrorLog | undefined;
  readonly auditLog: AuditLog | undefined;
}

/** Passes what happens in the proxy on to spans, logs and metrics. Hot path, guarded by `bench/gateway-telemetry`. */
export class GatewayTelemetry implements GatewayObserver {
  readonly #logger: Logger;
  readonly #requests: RequestFigures;
  readonly #events: EventFigures;
  #outputs: ObservedOutputs = { spans: undefined, accessLog: undefined, errorLog: undefined, auditLog: undefined };

  constructor({ logger }: Telemetry, requests: RequestFigures, events: EventFigures) {
    this.#logger = logger;
    this.#requests = requests;
    this.#events = events;
  }

  /** From now on what ends goes to `outputs`. */
  replaceOutputs(outputs: ObservedOutputs): void {
    this.#outputs = outputs;
  }

  connectionOpened(connection: ClientConnection): void {
    this.#events.connectionOpened(connection);
  }

  connectionClosed(_connection: ClientConnection): void {
    this.#events.connectionClosed();
  }

  handshakeFailed(listenerId: string, reason: HandshakeFailureReason): void {
    this.#events.handshakeFailed(listenerId, reason);
  }

  requestStarted(_exchange: Exchange): void {
    this.#requests.requestStarted();
  }

  attemptStarted(_exchange: Exchange, _attempt: Attempt): void {}

  attemptEnded(exchange: Exchange, attempt: Attempt): void {
    this.#requests.attemptEnded(exchange, attempt);
    this.#outputs.spans?.attemptEnded(exchange, attempt);
  }

  agentCallStarted(_exchange: Exchange, _call: AgentCall): void {}

  agentCallEnded(exchange: Exchange, call: AgentCall): void {
    this.#outputs.spans?.agentCallEnded(exchange, call);
  }

  agentsDecided(exchange: Exchange, verdict: AgentVerdict): void {
    this.#outputs.auditLog?.agentsDecided(exchange, verdict);
  }

  rateLimited(exchange: Exchange, filterId: string, action: 'reject' | 'delay' | 'log-only'): void {
    this.#events.rateLimited(action);
    this.#outputs.auditLog?.rateLimited(exchange, filterId, action);
  }

  requestEnded(exchange: Exchange): void {
    this.#requests.requestEnded(exchange);
    const { spans, accessLog, errorLog, auditLog } = this.#outputs;
    spans?.requestEnded(exchange);
    accessLog?.requestEnded(exchange);
    errorLog?.requestEnded(exchange);
    auditLog?.requestEnded(exchange);
  }

  healthChanged({ upstreamId, target, healthy, reason }: HealthChange): void {
    const fields = { upstream: upstreamId, server: target, reason };
    if (healthy) this.#logger.info('A target is healthy.', fields);
    else this.#logger.warn('A target is unhealthy and gets no requests.', fields);
  }

  breakerChanged(upstreamId: string, state: CircuitState): void {
    const fields = { upstream: upstreamId, state };
    if (state === 'open')
      this.#logger.warn('The circuit of an upstream opened: its requests are refused for a time.', fields);
    else this.#logger.info('The circuit of an upstream changed.', fields);
    this.#outputs.auditLog?.breakerChanged(upstreamId, state);
  }

  /** The agent's own log lines tell more. */
  agentBreakerChanged(agentId: string, state: CircuitState): void {
    this.#outputs.auditLog?.agentBreakerChanged(agentId, state);
  }

  certificatesReloaded(reload: CertificateReload): void {
    this.#outputs.auditLog?.certificatesReloaded(reload);
    const { listenerId, result, error } = reload;
    const fields = { listener: listenerId };
    if (result === 'success') this.#logger.info('Other certificates are shown from now on.', fields);
    else this.#logger.warn('Certificates were not reloaded, the old ones stay.', { ...fields, reason: error });
  }

  reloaded(outcome: ReloadOutcome): void {
    this.#events.reloaded(outcome);
    this.#outputs.auditLog?.reloaded(outcome);
    const { result, error } = outcome;
    if (result === 'success') this.#logger.info('The configuration was reloaded.');
    else this.#logger.error('The configuration was not reloaded; the one before stays in use.', { reason: error });
  }
}
