import type { Telemetry } from '@clew/base';
import type { AgentAnswer } from '../answer.ts';
import type { AgentConnection, AgentDialect, CallContext, ReceivedAnswer } from '../dialects/connection.ts';
import { asAgentError, countsAgainstAgent } from '../errors.ts';
import type { AgentEvent, AgentMessage, RequestMetadata, RequestSummary } from '../message.ts';
import { agentLimits, defaultChunkBytes } from '../settings.ts';
import type { AgentLimitSettings, AgentLimits, AgentSettings } from '../settings.ts';
import { AgentTelemetry } from '../telemetry.ts';
import { AgentSession } from './agent-session.ts';
import type { CallScope } from './call-scope.ts';
import { CallSlots } from './call-slots.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitState } from './circuit-breaker.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Connector } from './connector.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** What all clients of a gateway share. */
export interface AgentClientOptions {
  readonly telemetry: Telemetry;
  /** This gateway's version, for handshakes. */
  readonly proxyVersion: string;
  readonly limits: AgentLimitSettings;
  /** Where the agent's circuit is kept that all threads share. Default: memory of its own. */
  readonly circuit?: SharedArrayBuffer | undefined;
  /** Told when the circuit of an agent opens, is tried or closes. */
  readonly onCircuitChange?: (agentId: string, state: CircuitState) => void;
}

/** Plain data about a client, for people. */
export interface AgentSnapshot {
  readonly id: string;
  readonly dialect: AgentDialect | undefined;
  readonly down: boolean;
  readonly health: string | undefined;
  readonly circuit: CircuitState;
  readonly connections: number;
  readonly activeCalls: number;
  readonly waitingCalls: number;
  readonly openRequests: number;
}

/** One call, seen from inside: what it is about and the time it has. */
export interface ClientCall {
  readonly message: AgentMessage;
  readonly context: CallContext;
  readonly scope: CallScope;
  /** The connection that knows the request. */
  readonly pinned: PooledConnection | undefined;
  /** The event goes out on this connection now. */
  onSent(pooled: PooledConnection): void;
}

/** The end of a request. */
export interface ClientFinish {
  readonly scope: CallScope;
  readonly pinned: PooledConnection | undefined;
  readonly context: CallContext;
  readonly summary: RequestSummary;
}

/** An agent was told of the end of a request. */
export interface ToldEnd {
  /** Resolves when another request may have the request's name. */
  readonly forgotten: Promise<void>;
}

/** The gateway's side of one agent: its connections, limits and circuit breaker. Requests talk through sessions. */
export class AgentClient {
  readonly settings: AgentSettings;
  readonly limitSettings: AgentLimitSettings;
  readonly limits: AgentLimits;
  readonly telemetry: AgentTelemetry;
  readonly #slots: CallSlots;
  readonly #breaker: CircuitBreaker;
  readonly #connector: Connector;
  readonly #pool: ConnectionPool;
  readonly #endObservation: () => void;
  #events: ReadonlySet<AgentEvent>;
  #toldUnsupported = false;
  #chunkBytes = defaultChunkBytes;
  #maxBodyBytes = Infinity;
  #sessions = 0;
  #closing: PromiseWithResolvers<void> | undefined;
  readonly #graceTimers: NodeJS.Timeout[] = [];

  constructor(settings: AgentSettings, options: AgentClientOptions) {
    this.settings = settings;
    this.limitSettings = options.limits;
    this.limits = agentLimits(settings, options.limits);
    this.telemetry = new AgentTelemetry(options.telemetry, settings);
    this.#events = new Set(settings.events);
    this.#slots = new CallSlots(settings.maxConcurrentCalls, this.limits.queuedCalls);
    const onChange = (state: CircuitState): void => {
      this.telemetry.circuitChanged(state);
      options.onCircuitChange?.(settings.id, state);
    };
    this.#breaker = new CircuitBreaker(settings.circuitBreaker, onChange, { memory: options.circuit });
    this.#connector = new Connector(settings);
    this.#pool = this.#makePool(options.proxyVersion);
    this.#endObservation = this.telemetry.observe(() => this.#gauges(), this.limits);
  }

  /** Connects in the background; an agent that is away is a warning, and tried again. */
  start(): void {
    this.#pool.start();
  }

  /** Whether the agent is told of this event: it is configured, and the agent takes it as far as is known. */
  takes(event: AgentEvent): boolean {
    return this.#events.has(event);
  }

  /** Bytes of a body piece the agent likes best. */
  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /** The largest body the agent says it takes. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }

  /** Begins to talk about a request. Every session must be finished. */
  session(metadata: RequestMetadata): AgentSession {
    this.#sessions++;
    return new AgentSession(this, metadata);
  }

  /**
   * Makes one call through circuit breaker, slots and pool. Fails with an `AgentError`. Only for sessions, which see to
   * it that there is one call at a time about a request.
   */
  async call(call: ClientCall): Promise<AgentAnswer> {
    const pass = this.#breaker.enter();
    if (pass === undefined) {
      throw new GatewayError('circuit_open', `agent ${this.settings.id} failed too often in a row and is left alone`);
    }
    try {
      const answer = await this.#callWithSlot(call);
      pass.end('success');
      return answer;
    } catch (caught) {
      const error = asAgentError(caught, 'protocol', 'the call failed');
      pass.end(countsAgainstAgent(error) ? 'failure' : 'neither');
      throw error;
    }
  }

  /** Tells the agent that a request is over. For sessions. */
  async finish({ scope, pinned, context, summary }: ClientFinish): Promise<ToldEnd | undefined> {
    const known = pinned !== undefined && !pinned.connection.closed ? pinned : this.#pool.any;
    if (known === undefined) return undefined;
    const pooled = await this.#pool.acquire(scope, known);
    try {
      await pooled.connection.finish(context, summary);
    } finally {
      this.#pool.release(pooled);
    }
    return { forgotten: pooled.connection.forgotten(context) };
  }

  /** A session is over. For sessions. */
  sessionEnded(): void {
    this.#sessions--;
    if (this.#sessions === 0 && this.#closing !== undefined) this.#end();
  }

  /** Plain data about this client. */
  snapshot(): AgentSnapshot {
    const { health, connections, waiting, circuit } = this.#gauges();
    return {
      id: this.settings.id,
      dialect: this.#connector.dialect,
      down: this.#pool.down,
      health,
      circuit,
      connections,
      activeCalls: this.#slots.taken,
      waitingCalls: waiting,
      openRequests: this.#sessions,
    };
  }

  /** Waits for running requests for at most `graceMs`, then closes all connections. Asked again, the shorter time counts. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    if (this.#sessions === 0 || graceMs <= 0) this.#end();
    else this.#graceTimers.push(setTimeout(() => this.#end(), graceMs));
    return this.#closing.promise;
  }

  #end(): void {
    for (const timer of this.#graceTimers.splice(0)) clearTimeout(timer);
    this.#pool.close();
    this.#endObservation();
    this.#closing?.resolve();
  }

  async #callWithSlot(call: ClientCall): Promise<AgentAnswer> {
    const waiting = this.#slots.acquire(call.scope);
    if (waiting !== undefined) await waiting;
    try {
      return await this.#callWithConnection(call);
    } catch (caught) {
      if (!mayRepeat(call, caught)) throw caught;
      return await this.#callWithConnection(call);
    } finally {
      this.#slots.release();
    }
  }

  async #callWithConnection(call: ClientCall): Promise<AgentAnswer> {
    const { scope, message } = call;
    if (scope.error !== undefined) throw scope.error;
    const acquired = this.#pool.acquire(scope, call.pinned);
    const pooled = acquired instanceof Promise ? await acquired : acquired;
    if (scope.error !== undefined) {
      this.#pool.release(pooled);
      throw scope.error;
    }
    scope.waitingFor = 'an answer';
    call.onSent(pooled);
    const { answer, answerBytes } = await this.#exchange(call, pooled);
    const { answerBytes: limit } = this.limits;
    if (limit.allows(answerBytes)) return answer;
    const cause = limit.exceeded(answerBytes);
    throw new GatewayError('answer_too_large', `${cause.message} (event ${message.kind})`, { cause });
  }

  /** Sends and waits. The connection is given back when it is free, which may be after the call was given up. */
  #exchange({ message, context, scope }: ClientCall, pooled: PooledConnection): Promise<ReceivedAnswer> {
    return new Promise((resolve, reject) => {
      scope.onEnd((error) => {
        pooled.connection.abandon(context, scope.cancelReason);
        reject(error);
      });
      pooled.connection.call(message, context).then(
        (received) => {
          this.#pool.release(pooled);
          resolve(received);
        },
        (error: unknown) => {
          this.#pool.release(pooled);
          reject(error as AgentError);
        },
      );
    });
  }

  #makePool(proxyVersion: string): ConnectionPool {
    const { settings, telemetry } = this;
    const configJson = settings.config === undefined ? {} : { configJson: JSON.stringify(settings.config) };
    const base = { agentId: settings.id, proxyVersion, ...configJson };
    return new ConnectionPool({
      open: (listener) => this.#connector.open({ ...base, listener }),
      maxConnections: Math.max(1, Math.min(settings.connections, settings.maxConcurrentCalls)),
      events: {
        onConnected: (connection) => {
          telemetry.connected(connection);
          this.#learn(connection);
        },
        onLost: (connection, error, left) => {
          if (!connection.proven) this.#connector.forget();
          telemetry.lost(error, left);
        },
        onConnectFailed: (error, attempts) => telemetry.connectFailed(error, attempts, this.#pool.down),
        onHealth: (health) => telemetry.health(health),
        onNotice: (text, fields) => telemetry.notice(text, fields),
      },
    });
  }

  #learn({ dialect, description }: AgentConnection): void {
    const { events, maxBodyBytes, preferredChunkBytes } = description;
    this.#maxBodyBytes = maxBodyBytes ?? Infinity;
    this.#chunkBytes = Math.min(preferredChunkBytes ?? defaultChunkBytes, defaultChunkBytes);
    const configured = this.settings.events;
    // That a request is over is told to every agent that remembers requests, whatever it lists.
    const missing = configured.filter((event) => event !== 'request_complete' && events?.has(event) === false);
    this.#events = new Set(configured.filter((event) => !missing.includes(event)));
    if (this.#toldUnsupported) return;
    this.#toldUnsupported = true;
    if (missing.length > 0) this.telemetry.unsupportedEvents(missing);
    if (dialect === 'numbered' && this.settings.config !== undefined) this.telemetry.configurationUnsupported();
  }

  #gauges(): {
    readonly circuit: CircuitState;
    readonly health: ConnectionPool['health'];
    readonly connections: number;
    readonly waiting: number;
  } {
    const { health, size } = this.#pool;
    return { circuit: this.#breaker.state, health, connections: size, waiting: this.#slots.waiting };
  }
}

/** Agents restart: a request they have heard nothing of before can be told anew, once. */
function mayRepeat({ message, pinned, scope }: ClientCall, caught: unknown): boolean {
  const lost = caught instanceof GatewayError && caught.code === 'connection_lost';
  return lost && message.kind === 'request_headers' && pinned === undefined && scope.error === undefined;
}
