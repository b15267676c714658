import { asAgentError } from '../errors.ts';
import type { AgentConnection, AgentHealth, ConnectionListener } from '../dialects/connection.ts';
import { attemptsBeforeDown, reconnectIntervalMs } from '../settings.ts';
import type { CallScope } from './call-scope.ts';
import { WaitingLine } from './call-scope.ts';
import { PooledConnection, stateLost } from './pooled-connection.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** What a pool is made of. */
export interface PoolOptions {
  /** Opens a connection, past its handshake. */
  readonly open: (listener: ConnectionListener) => Promise<AgentConnection>;
  /** Connections kept at most; the first is opened ahead of need. */
  readonly maxConnections: number;
  readonly events: PoolEvents;
}

/** What operators hear of a pool. */
export interface PoolEvents {
  onConnected(connection: AgentConnection): void;
  /** The pool's connection is gone; `left` are still there. */
  onLost(connection: AgentConnection, error: AgentError, left: number): void;
  /** An attempt failed; `attempts` have in a row. */
  onConnectFailed(error: AgentError, attempts: number): void;
  onHealth(health: AgentHealth): void;
  onNotice: ConnectionListener['onNotice'];
}

/** Connections to one agent, opened ahead of need, more under load, and again when lost. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #connections = new Set<PooledConnection>();
  /** Calls that can go to any connection. */
  readonly #line = new WaitingLine<PooledConnection>();
  #opening = 0;
  #failedAttempts = 0;
  /** Before this time no further connection is tried while there are others. */
  #growAfterMs = 0;
  /** A connection that ends before it was of use is not followed by another at once, time and again. */
  #retriedAtOnce = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether the agent could not be reached several times in a row. */
  get down(): boolean {
    return this.#failedAttempts >= attemptsBeforeDown;
  }

  /** Any open connection; undefined when there is none. */
  get any(): PooledConnection | undefined {
    const [first] = this.#connections;
    return first;
  }

  /** The worst the connections' agents say of themselves; undefined without a connection. */
  get health(): AgentHealth['state'] | undefined {
    const order: readonly AgentHealth['state'][] = ['unhealthy', 'draining', 'degraded', 'healthy'];
    return order.find((state) => [...this.#connections].some(({ health }) => health.state === state));
  }

  /** Opens the first connection in the background, and goes on trying until there is one. */
  start(): void {
    if (!this.#closed && this.#connections.size === 0 && this.#opening === 0) void this.#open();
  }

  /**
   * Takes a connection for one call; `pinned` is the one that knows the request. Fails with `connect` and its like when
   * there is none to be had, with `state_lost`, `closed`, or the scope's error. What it returns must be released.
   */
  acquire(scope: CallScope, pinned?: PooledConnection): Promise<PooledConnection> | PooledConnection {
    if (this.#closed) return Promise.reject(new GatewayError('closed', 'the agent is no longer called'));
    if (pinned !== undefined) return this.#acquirePinned(scope, pinned);
    const best = this.#leastBusy();
    if (best !== undefined && best.calls === 0 && !best.draining) return taken(best);
    this.#growIfPossible();
    if (best !== undefined) return taken(best);
    scope.waitingFor = this.#connections.size === 0 ? 'a connection to the agent' : 'a free connection';
    return this.#line.wait(scope);
  }

  #acquirePinned(scope: CallScope, pinned: PooledConnection): Promise<PooledConnection> | PooledConnection {
    if (pinned.connection.closed) return Promise.reject(stateLost());
    scope.waitingFor = 'other calls on the connection that knows the request';
    return pinned.free ? taken(pinned) : pinned.line.wait(scope);
  }

  /** Gives a connection back after a call. */
  release(pooled: PooledConnection): void {
    pooled.end();
    this.#serve(pooled);
  }

  /** Closes everything at once. Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#line.dismiss(new GatewayError('closed', 'the agent is no longer called'));
    for (const { connection } of this.#connections) connection.close();
  }

  /** The connection with the fewest calls; one that the agent drains only when there is no other. */
  #leastBusy(): PooledConnection | undefined {
    let best: PooledConnection | undefined;
    for (const pooled of this.#connections) {
      if (!pooled.free) continue;
      if (best === undefined || cost(pooled) < cost(best)) best = pooled;
    }
    return best;
  }

  #growIfPossible(): void {
    const usable = [...this.#connections].filter(({ draining }) => !draining).length;
    if (usable + this.#opening >= this.#options.maxConnections || this.#opening > this.#line.length) return;
    if (usable > 0 && performance.now() < this.#growAfterMs) return;
    void this.#open();
  }

  #serve(pooled: PooledConnection): void {
    while (pooled.free) {
      pooled.begin();
      if (pooled.line.serve(pooled) || this.#line.serve(pooled)) continue;
      pooled.end();
      return;
    }
  }

  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    this.#opening++;
    let pooled: PooledConnection | undefined;
    let ended: AgentError | undefined;
    try {
      const connection = await this.#options.open({
        onClosed: (error) => {
          ended = error;
          if (pooled !== undefined) this.#onLost(pooled, error);
        },
        onHealth: (health) => {
          if (pooled !== undefined) pooled.health = health;
          this.#options.events.onHealth(health);
        },
        onNotice: (text, fields) => this.#options.events.onNotice(text, fields),
      });
      this.#opening--;
      pooled = new PooledConnection(connection);
      this.#onConnected(pooled);
      // It may have ended between its handshake and now.
      if (ended !== undefined) this.#onLost(pooled, ended);
    } catch (caught) {
      this.#opening--;
      this.#onConnectFailed(asAgentError(caught, 'connect', 'cannot connect to the agent'));
    }
  }

  #onConnected(pooled: PooledConnection): void {
    if (this.#closed) return pooled.connection.close();
    this.#failedAttempts = 0;
    this.#connections.add(pooled);
    this.#options.events.onConnected(pooled.connection);
    this.#serve(pooled);
  }

  #onLost(pooled: PooledConnection, error: AgentError): void {
    pooled.dispose();
    if (!this.#connections.delete(pooled) || this.#closed) return;
    this.#options.events.onLost(pooled.connection, error, this.#connections.size);
    const useful = pooled.connection.proven || performance.now() - pooled.openedMs > reconnectIntervalMs;
    if (this.#connections.size > 0 || this.#opening > 0) return;
    if (this.#retriedAtOnce && !useful) {
      this.#line.dismiss(error);
      return this.#retryLater();
    }
    this.#retriedAtOnce = !useful;
    void this.#open();
  }

  #onConnectFailed(error: AgentError): void {
    if (this.#closed) return;
    this.#failedAttempts++;
    this.#growAfterMs = performance.now() + reconnectIntervalMs;
    this.#options.events.onConnectFailed(error, this.#failedAttempts);
    if (this.#connections.size > 0 || this.#opening > 0) return;
    this.#line.dismiss(error);
    this.#retryLater();
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.start(), reconnectIntervalMs);
    this.#retry.unref();
  }
}

function taken(pooled: PooledConnection): PooledConnection {
  pooled.begin();
  return pooled;
}

function cost(pooled: PooledConnection): number {
  return pooled.calls + (pooled.draining ? 1_000_000 : 0);
}
