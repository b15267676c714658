import { observeLimits } from '@clew/base';
import type { LogFields, Telemetry } from '@clew/base';
import type { AgentSettings, AgentLimits } from './settings.ts';
import { errorTypeOf } from './errors.ts';
import type { AgentConnection, AgentHealth } from './dialects/connection.ts';
import type { AgentDecision } from './answer.ts';
import type { AgentEvent } from './message.ts';
import type { CircuitState } from './client/circuit-breaker.ts';
import type { AgentError } from './errors.ts';

/** Seconds; the boundaries dashboards of the reference expect. */
const latencyBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const circuitNumbers: Readonly<Record<CircuitState, number>> = { closed: 0, open: 1, half_open: 2 };

/** What is read from an agent's client when metrics are scraped. */
export interface AgentGauges {
  readonly circuit: CircuitState;
  readonly health: AgentHealth['state'] | undefined;
  readonly connections: number;
  readonly waiting: number;
}

/** Everything operators see of one agent. */
export class AgentTelemetry {
  readonly #telemetry: Telemetry;
  readonly #settings: AgentSettings;
  readonly #latency;
  readonly #timeouts;
  readonly #requests;
  readonly #errors;
  readonly #connectionsLost;
  readonly #rejectedHeaders;

  constructor(telemetry: Telemetry, settings: AgentSettings) {
    this.#telemetry = { ...telemetry, logger: telemetry.logger.child({ agent: settings.id }) };
    this.#settings = settings;
    const { meter } = telemetry;
    this.#latency = meter.histogram({
      name: 'zentinel_agent_latency_seconds',
      help: 'Time until agents answered, or failed to.',
      labels: ['agent', 'event'],
      buckets: latencyBuckets,
    });
    this.#timeouts = meter.counter({
      name: 'zentinel_agent_timeouts_total',
      help: 'Calls that agents did not answer in time.',
      labels: ['agent', 'event'],
    });
    this.#requests = meter.counter({
      name: 'zentinel_agent_requests_total',
      help: 'Calls that agents answered.',
      labels: ['agent', 'decision'],
    });
    this.#errors = meter.counter({
      name: 'zentinel_agent_errors_total',
      help: 'Calls that failed.',
      labels: ['agent', 'error'],
    });
    this.#connectionsLost = meter.counter({
      name: 'clew_gateway_agent_connections_lost_total',
      help: 'Connections to agents that ended without being closed by the gateway.',
      labels: ['agent'],
    });
    this.#rejectedHeaders = meter.counter({
      name: 'clew_gateway_agent_rejected_headers_total',
      help: 'Header changes of agents that were not made because they are not theirs to make, or malformed.',
      labels: ['agent', 'reason'],
    });
  }

  /** Shows what is read on demand; the returned function ends it. */
  observe(read: () => AgentGauges, limits: AgentLimits): () => void {
    const { meter } = this.#telemetry;
    const labels = { agent: this.#settings.id };
    const gauge = (name: string, help: string, value: () => number): (() => void) =>
      meter.observe({ name, help, labels: ['agent'] }, () => [{ value: value(), labels }]);
    const ends = [
      gauge('zentinel_agent_circuit_breaker_state', '0 closed, 1 open, 2 half-open.', () => {
        return circuitNumbers[read().circuit];
      }),
      gauge('zentinel_agent_health', '1 when the agent is connected and does not call itself unhealthy.', () => {
        const { health } = read();
        return health === undefined || health === 'unhealthy' ? 0 : 1;
      }),
      gauge('clew_gateway_agent_connections', 'Open connections to agents.', () => read().connections),
      gauge('clew_gateway_agent_waiting_calls', 'Calls that wait for their turn.', () => read().waiting),
      observeLimits(meter, Object.values(limits)),
    ];
    return () => ends.forEach((end) => end());
  }

  /** A call was answered. */
  answered(event: AgentEvent, decision: AgentDecision['kind'], durationMs: number): void {
    const agent = this.#settings.id;
    this.#latency.record(durationMs / 1000, { agent, event: `on_${event}` });
    this.#requests.add(1, { agent, decision });
  }

  /** A call failed. */
  failed(event: AgentEvent, error: AgentError, durationMs: number): void {
    const agent = this.#settings.id;
    if (error.code === 'aborted') return;
    this.#errors.add(1, { agent, error: errorTypeOf(error) });
    if (error.code === 'circuit_open') return;
    this.#latency.record(durationMs / 1000, { agent, event: `on_${event}` });
    if (error.code === 'timeout') this.#timeouts.add(1, { agent, event: `on_${event}` });
    this.#warn('A call of an agent failed.', { event, code: error.code, reason: error.message });
  }

  /** A request could not be declared over, so that the agent may remember it longer than needed. */
  finishFailed(error: AgentError): void {
    this.#telemetry.logger.debug('An agent could not be told that a request is over.', { reason: error.message });
  }

  /** A change of a header was not made. */
  headerRejected(reason: 'forbidden' | 'malformed', name: string): void {
    this.#rejectedHeaders.add(1, { agent: this.#settings.id, reason });
    this.#warn('A header change of an agent was not made.', { reason, header: JSON.stringify(name.slice(0, 100)) });
  }

  connected({ dialect, description: { name, version } }: AgentConnection): void {
    this.#telemetry.logger.info('Connected to an agent.', {
      dialect,
      ...this.#address(),
      ...(name === undefined ? {} : { agentName: name }),
      ...(version === undefined ? {} : { agentVersion: version }),
    });
  }

  lost(error: AgentError, left: number): void {
    this.#connectionsLost.add(1, { agent: this.#settings.id });
    this.#warn('A connection to an agent was lost.', { reason: error.message, connectionsLeft: left });
  }

  connectFailed(error: AgentError, attempts: number, down: boolean): void {
    const text = down ? 'An agent is down; connecting goes on.' : 'An agent cannot be reached; connecting goes on.';
    this.#warn(text, { ...this.#address(), reason: error.message, attempts });
  }

  health({ state, message }: AgentHealth): void {
    const fields = { state, ...(message === undefined ? {} : { agentMessage: message }) };
    if (state === 'healthy') this.#telemetry.logger.info('An agent says that it is healthy.', fields);
    else this.#warn('An agent says that it is not well.', fields);
  }

  circuitChanged(state: CircuitState): void {
    if (state === 'open') this.#warn('Calls to an agent are suspended after too many failures in a row.', { state });
    else this.#telemetry.logger.info('The circuit of an agent changed.', { state });
  }

  unsupportedEvents(events: readonly AgentEvent[]): void {
    this.#warn('An agent does not take all events it is configured for.', { unsupported: events.join(', ') });
  }

  configurationUnsupported(): void {
    this.#warn('An agent cannot be handed its config block: the dialect it speaks has no message for it.', {});
  }

  notice(text: string, fields?: LogFields): void {
    this.#telemetry.logger.info(text, fields);
  }

  #warn(text: string, fields: LogFields): void {
    this.#telemetry.logger.warn(text, fields);
  }

  #address(): LogFields {
    const { transport } = this.#settings;
    switch (transport.kind) {
      case 'unix':
        return { address: transport.path };
      case 'grpc':
        return { address: transport.address };
      case 'http': {
        // Credentials and queries must not reach a log.
        const { origin, pathname } = new URL(transport.address);
        return { address: origin + pathname };
      }
    }
  }
}
