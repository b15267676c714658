// Hot path: finds a connection for every request that goes upstream. Guarded by bench/gateway.
//
// The connection used last is used first, so that those that are not needed grow old and can be closed.
import type { ClientTlsConfig, ConnectionPoolConfig, TargetConfig } from '../../config/model/upstream.ts';
import { connectTarget } from './connect.ts';
import { attemptError } from './failure-reason.ts';
import type { HostResolver } from './resolver.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { CallHandler, ConnectionOwner } from './upstream-connection.ts';
import { GatewayError } from '../../errors.ts';

/** How often connections that nobody needs are looked for. */
const trimIntervalMs = 1000;

/** A request for a pool. */
export interface PooledCall extends CallHandler {
  /** It has got a connection, on which it is written next. */
  onConnection(connection: UpstreamConnection): void;
}

/** What a pool is made of. */
export interface ConnectionPoolOptions {
  readonly target: TargetConfig;
  readonly tls: ClientTlsConfig | undefined;
  readonly resolver: HostResolver;
  readonly pool: ConnectionPoolConfig;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  /** The largest head of a response. */
  readonly maxHeadBytes: number;
}

interface Waiting {
  readonly call: PooledCall;
  readonly timer: NodeJS.Timeout;
}

/** A connection that is being made, and the call it is made for, as long as that wants it. */
interface Connecting {
  call: PooledCall | undefined;
}

/** The connections to one target. */
export class ConnectionPool implements ConnectionOwner {
  readonly name: string;
  readonly readTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly #options: ConnectionPoolOptions;
  /** The one used last is at the end. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  readonly #connecting = new Set<Connecting>();
  readonly #waiting: Waiting[] = [];
  #trimTimer: NodeJS.Timeout | undefined;
  #retired = false;
  #destroyed = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    this.name = `${options.target.host}:${options.target.port}`;
    this.readTimeoutMs = options.readTimeoutMs;
    this.maxHeadBytes = options.maxHeadBytes;
  }

  /** Connections there are and those that are being made. */
  get size(): number {
    return this.#open.size + this.#connecting.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends a call, at `nowMs` or as soon as there is a connection; it is told when there is none in time. */
  send(call: PooledCall, nowMs: number): void {
    const connection = this.#take(nowMs);
    if (connection !== undefined) this.#run(call, connection, nowMs);
    else if (this.size < this.#options.pool.maxConnections) this.#connect(call);
    else {
      const timer = setTimeout(() => {
        this.forget(call);
        call.onFailed(this.#exhausted());
      }, this.#options.connectTimeoutMs);
      this.#waiting.push({ call, timer });
    }
  }

  /** A call that has no connection yet does not want one any more; one that is being made for it will serve others. */
  forget(call: PooledCall): void {
    const at = this.#waiting.findIndex((waiting) => waiting.call === call);
    if (at >= 0) clearTimeout(this.#waiting.splice(at, 1)[0]!.timer);
    for (const connecting of this.#connecting) if (connecting.call === call) connecting.call = undefined;
  }

  onFree(connection: UpstreamConnection): void {
    if (this.#retired || this.#isOutdated(connection)) connection.destroy();
    else {
      const next = this.#nextWaiting();
      if (next === undefined) {
        this.#idle.push(connection);
        this.#trimSoon();
      } else this.#run(next, connection, performance.now());
    }
  }

  onLost(connection: UpstreamConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#onPlace();
  }

  /**
   * Keeps no connection longer than a call needs it: requests of an earlier configuration may still come. Resolves when
   * there is none.
   */
  async retire(): Promise<void> {
    this.#retired = true;
    this.#endIdle();
    if (this.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Ends everything; running calls are not told. */
  destroy(): void {
    this.#retired = true;
    this.#destroyed = true;
    for (const { timer } of this.#waiting.splice(0)) clearTimeout(timer);
    this.#endIdle();
    for (const connection of this.#open) connection.destroy();
    this.#onEmpty?.();
  }

  #endIdle(): void {
    clearTimeout(this.#trimTimer);
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #take(nowMs: number): UpstreamConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!this.#isOutdated(idle) && !this.#isStale(idle, nowMs)) return idle;
      idle.destroy();
    }
    return undefined;
  }

  #run(call: PooledCall, connection: UpstreamConnection, nowMs: number): void {
    call.onConnection(connection);
    connection.run(call, nowMs);
  }

  #nextWaiting(): PooledCall | undefined {
    const next = this.#waiting.shift();
    clearTimeout(next?.timer);
    return next?.call;
  }

  #connect(call: PooledCall): void {
    const connecting: Connecting = { call };
    this.#connecting.add(connecting);
    connectTarget({ ...this.#options, shared: true }, this.#options.connectTimeoutMs).then(
      (socket) => {
        this.#connecting.delete(connecting);
        if (this.#destroyed) {
          socket.destroy();
          return;
        }
        const connection = new UpstreamConnection(socket, this);
        this.#open.add(connection);
        connection.open();
        if (connection.lost) connecting.call?.onFailed(this.#spokeFirst());
        else if (connecting.call === undefined) this.onFree(connection);
        else this.#run(connecting.call, connection, performance.now());
      },
      (caught: unknown) => {
        this.#connecting.delete(connecting);
        this.#onPlace();
        connecting.call?.onFailed(attemptError(caught, this.name));
      },
    );
  }

  /** There is room for another connection. */
  #onPlace(): void {
    const next = this.size < this.#options.pool.maxConnections ? this.#nextWaiting() : undefined;
    if (next !== undefined) this.#connect(next);
    else if (this.size === 0) this.#onEmpty?.();
  }

  /** Too old, or at an address the name does not have any more. */
  #isOutdated({ connectedMs, address }: UpstreamConnection): boolean {
    const { pool, resolver, target } = this.#options;
    if (pool.maxLifetimeMs !== undefined && performance.now() - connectedMs > pool.maxLifetimeMs) return true;
    return !resolver.knows(target.host, address);
  }

  /** Idle for longer than either side wants. */
  #isStale({ idleMs, keepMs }: UpstreamConnection, nowMs: number): boolean {
    return nowMs - idleMs > Math.min(Math.max(this.#options.pool.idleTimeoutMs, 1), keepMs);
  }

  #trimSoon(): void {
    this.#trimTimer ??= setTimeout(() => {
      this.#trimTimer = undefined;
      const nowMs = performance.now();
      const excess = Math.max(this.#idle.length - this.#options.pool.maxIdle, 0);
      // Those that have been idle for the longest time are in front.
      const surplus = this.#idle.filter((connection, index) => index < excess || this.#isStale(connection, nowMs));
      for (const connection of surplus) connection.destroy();
      if (this.#idle.length > 0) this.#trimSoon();
    }, trimIntervalMs).unref();
  }

  #spokeFirst(): GatewayError {
    return new GatewayError('invalid_response', `${this.name} sent something before it was asked anything`);
  }

  #exhausted(): GatewayError {
    const { pool, target } = this.#options;
    return new GatewayError(
      'pool_exhausted',
      `all ${pool.maxConnections} connections to ${target.host}:${target.port} stayed busy; raise connection-pool.max-connections to allow more`,
    );
  }
}
