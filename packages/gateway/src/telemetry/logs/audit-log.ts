import type { CircuitState } from '../../agents/index.ts';
import type { AuditLogConfig } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import type { AgentVerdict, CertificateReload, ReloadOutcome } from '../../proxy/observer.ts';
import { headerOf } from '../header.ts';
import type { LineSink } from './log-sink.ts';
import { jsonLine } from './json-line.ts';
import { rfc3339Millis } from './time-text.ts';

/** Kinds of audit lines. */
export type AuditEvent =
  | 'blocked'
  | 'agent_decision'
  | 'waf_match'
  | 'waf_block'
  | 'rate_limit_exceeded'
  | 'config_change'
  | 'circuit_breaker_change'
  | 'auth_event'
  | 'cert_reload';

/** Text of a block's body that goes into the log. */
const MAX_REASON_LENGTH = 200;

/** Who was refused and why, and what changed in the gateway. */
export class AuditLog {
  readonly #config: AuditLogConfig;
  readonly #sink: LineSink;

  constructor(config: AuditLogConfig, sink: LineSink) {
    this.#config = config;
    this.#sink = sink;
  }

  /** An event of a request was put before its agents. One that passed without a remark leaves no line. */
  agentsDecided(exchange: Exchange, verdict: AgentVerdict): void {
    const { audit, refusal, routing } = verdict;
    const remarked = audit.tags.length + audit.ruleIds.length + audit.reasonCodes.length > 0;
    if (refusal === undefined && !remarked) return;
    const event = eventOf(verdict);
    if (!this.#wants(event)) return;
    this.#write(event, exchange, {
      reason: refusal === undefined ? undefined : reasonOf(refusal.response.body, refusal.error?.message),
      agent_id: refusal?.agentId,
      action: refusal === undefined ? 'allow' : refusal.reason === 'failure' ? 'block' : refusal.reason,
      status_code: refusal?.response.status,
      rule_ids: audit.ruleIds,
      tags: refusal === undefined ? audit.tags : [...audit.tags, `agent:${refusal.agentId}`],
      metadata: {
        event: verdict.event,
        ...(audit.reasonCodes.length > 0 ? { reason_codes: audit.reasonCodes } : {}),
        ...(audit.confidence === undefined ? {} : { confidence: audit.confidence }),
        ...(Object.keys(routing).length === 0 ? {} : { routing }),
        ...audit.custom,
      },
    });
  }

  /** A rate limit spoke. */
  rateLimited(exchange: Exchange, filterId: string, action: string): void {
    if (!this.#config.enabled || !this.#config.logBlocked) return;
    this.#write('rate_limit_exceeded', exchange, {
      reason: `rate limit ${filterId}`,
      action,
      rule_ids: [],
      tags: [],
      metadata: { filter: filterId },
    });
  }

  /** Agents and rate limits have had their say when they spoke. */
  requestEnded(exchange: Exchange): void {
    const { blocked, status, failure } = exchange;
    if (blocked === undefined || blocked === 'agent_blocked' || blocked === 'rate_limited') return;
    if (!this.#wants('blocked')) return;
    this.#write('blocked', exchange, {
      reason: failure?.message ?? blocked,
      action: 'block',
      status_code: status,
      rule_ids: [],
      tags: [blocked],
      metadata: {},
    });
  }

  breakerChanged(upstreamId: string, state: CircuitState): void {
    this.#writeOwn('circuit_breaker_change', `the circuit of upstream ${upstreamId} is ${state}`, {
      upstream: upstreamId,
      state,
    });
  }

  agentBreakerChanged(agentId: string, state: CircuitState): void {
    this.#writeOwn('circuit_breaker_change', `the circuit of agent ${agentId} is ${state}`, { agent: agentId, state });
  }

  certificatesReloaded({ listenerId, result, error }: CertificateReload): void {
    const reason =
      result === 'success'
        ? `listener ${listenerId} shows other certificates`
        : `the certificates of listener ${listenerId} were not reloaded: ${error}`;
    this.#writeOwn('cert_reload', reason, { listener: listenerId, result });
  }

  reloaded({ result, error, restartNeeded }: ReloadOutcome): void {
    const reason = result === 'success' ? 'a new configuration is in use' : `a new configuration was refused: ${error}`;
    this.#writeOwn('config_change', reason, { result, restart_needed: restartNeeded });
  }

  #wants(event: AuditEvent): boolean {
    const { enabled, logBlocked, logAgentDecisions, logWafEvents } = this.#config;
    if (event === 'blocked') return enabled && logBlocked;
    return enabled && (event === 'agent_decision' || event === 'auth_event' ? logAgentDecisions : logWafEvents);
  }

  #write(event: AuditEvent, exchange: Exchange, members: Readonly<Record<string, unknown>>): void {
    this.#line({
      timestamp: rfc3339Millis(Date.now()),
      trace_id: exchange.logTraceId,
      event_type: event,
      method: exchange.method,
      path: exchange.path,
      client_ip: exchange.connection.clientIp,
      route_id: exchange.route?.id,
      correlation_id: exchange.correlationId,
      user_agent: headerOf(exchange.requestHeaders, 'user-agent') || undefined,
      ...members,
    });
  }

  #writeOwn(event: AuditEvent, reason: string, metadata: Readonly<Record<string, unknown>>): void {
    if (!this.#config.enabled) return;
    const timestamp = rfc3339Millis(Date.now());
    this.#line({ timestamp, event_type: event, reason, rule_ids: [], tags: [], metadata });
  }

  #line(members: Readonly<Record<string, unknown>>): void {
    const { line } = this.#sink;
    const start = line.length;
    line.text(jsonLine(members));
    this.#sink.lineWritten(start);
  }
}

function eventOf({ audit, refusal }: AgentVerdict): AuditEvent {
  if (audit.ruleIds.length > 0) return refusal === undefined ? 'waf_match' : 'waf_block';
  if (refusal?.reason === 'challenge') return 'auth_event';
  return refusal?.reason === 'block' || refusal?.reason === 'failure' ? 'blocked' : 'agent_decision';
}

function reasonOf(body: string, error: string | undefined): string {
  return error ?? (body === '' ? 'Blocked by agent' : body.slice(0, MAX_REASON_LENGTH));
}
