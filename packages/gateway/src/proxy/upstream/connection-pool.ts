// Hot path: finds a connection for every request that goes upstream. Guarded by bench/gateway.
//
// undici's own pool looks through its connections from the front; here the one used last is used first, so that those that
// are not needed grow old and can be closed. Each connection is an undici client that never pipelines.
import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import type { ClientTlsConfig, ConnectionPoolConfig, TargetConfig } from '../../config/model/upstream.ts';
import { ProxyError } from '../errors.ts';
import { connectTarget } from './connect.ts';
import { attemptError } from './failure-reason.ts';
import type { HostResolver } from './resolver.ts';

/** How often idle connections beyond `max-idle` are closed. */
const trimIntervalMs = 1000;

/** The largest head of a response. */
const maxResponseHeadBytes = 64 * 1024;

/** One connection, or the place for one. */
export class UpstreamConnection {
  readonly client: Client;
  /** `ip:port`; '' while not connected. */
  remoteAddress = '';
  /** The address alone. */
  address = '';
  connected = false;
  connectedMs = 0;
  /** Requests sent since it was connected. */
  uses = 0;

  constructor(makeClient: (connection: UpstreamConnection) => Client) {
    this.client = makeClient(this);
  }
}

/** A request for a pool. Also undici's handler; it must hand its connection back when it has ended. */
export interface PooledCall extends Dispatcher.DispatchHandler {
  readonly dispatchOptions: Dispatcher.DispatchOptions;
  /** Set when the call has got a connection. */
  connection: UpstreamConnection | undefined;
  /** No connection became free in time. */
  onNoConnection(error: ProxyError): void;
}

/** What a pool is made of. */
export interface ConnectionPoolOptions {
  readonly target: TargetConfig;
  readonly tls: ClientTlsConfig | undefined;
  readonly resolver: HostResolver;
  readonly pool: ConnectionPoolConfig;
  readonly connectTimeoutMs: number;
}

interface Waiting {
  readonly call: PooledCall;
  readonly timer: NodeJS.Timeout;
}

/** The connections to one target. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  /** The one used last is at the end. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  readonly #waiting: Waiting[] = [];
  #trimTimer: NodeJS.Timeout | undefined;
  #retired = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends a call as soon as there is a connection; it is told when there is none in time. */
  send(call: PooledCall): void {
    const connection = this.#take();
    if (connection !== undefined) {
      this.#dispatch(call, connection);
      return;
    }
    const timer = setTimeout(() => {
      this.forget(call);
      call.onNoConnection(this.#exhausted());
    }, this.#options.connectTimeoutMs);
    this.#waiting.push({ call, timer });
  }

  /** A call that waits is not wanted any more. Returns false when it waits no longer. */
  forget(call: PooledCall): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.call === call);
    if (at < 0) return false;
    clearTimeout(this.#waiting.splice(at, 1)[0]!.timer);
    return true;
  }

  /** A call is over and its connection free. */
  release(connection: UpstreamConnection): void {
    if (this.#retired || this.#isOutdated(connection)) {
      this.#drop(connection);
      this.#serveWaiting();
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) {
      clearTimeout(next.timer);
      this.#dispatch(next.call, connection);
      return;
    }
    this.#idle.push(connection);
    if (this.#idle.length > this.#options.pool.maxIdle) this.#trimSoon();
  }

  /** An upgrade took the socket: the place is free. */
  surrender(connection: UpstreamConnection): void {
    this.#drop(connection);
    this.#serveWaiting();
  }

  /**
   * Keeps no connection longer than a call needs it: requests of an earlier configuration may still come. Resolves when
   * there is none.
   */
  async retire(): Promise<void> {
    this.#retired = true;
    clearTimeout(this.#trimTimer);
    for (const connection of this.#idle.splice(0)) this.#drop(connection);
    if (this.#all.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Ends everything, running calls included. */
  async destroy(): Promise<void> {
    this.#retired = true;
    clearTimeout(this.#trimTimer);
    for (const { timer } of this.#waiting.splice(0)) clearTimeout(timer);
    this.#idle.length = 0;
    await Promise.allSettled([...this.#all].map(({ client }) => client.destroy()));
    this.#all.clear();
    this.#onEmpty?.();
  }

  #take(): UpstreamConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!this.#isOutdated(idle)) return idle;
      this.#drop(idle);
    }
    if (this.#all.size >= this.#options.pool.maxConnections) return undefined;
    const connection = new UpstreamConnection((own) => this.#makeClient(own));
    this.#all.add(connection);
    return connection;
  }

  #dispatch(call: PooledCall, connection: UpstreamConnection): void {
    call.connection = connection;
    connection.client.dispatch(call.dispatchOptions, call);
  }

  #serveWaiting(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    const connection = this.#take();
    if (connection === undefined) return;
    this.#waiting.shift();
    clearTimeout(next.timer);
    this.#dispatch(next.call, connection);
  }

  /** Too old, or at an address the name does not have any more. */
  #isOutdated({ connected, connectedMs, address }: UpstreamConnection): boolean {
    if (!connected) return false;
    const { pool, resolver, target } = this.#options;
    if (pool.maxLifetimeMs !== undefined && performance.now() - connectedMs > pool.maxLifetimeMs) return true;
    return !resolver.knows(target.host, address);
  }

  #drop(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    if (this.#all.size === 0) this.#onEmpty?.();
    const { client } = connection;
    if (!client.closed && !client.destroyed) void client.close();
  }

  #makeClient(connection: UpstreamConnection): Client {
    const { tls, pool, connectTimeoutMs } = this.#options;
    const client = new Client(tls === undefined ? 'http://upstream' : 'https://upstream', {
      pipelining: 1,
      keepAliveTimeout: Math.max(pool.idleTimeoutMs, 1),
      keepAliveMaxTimeout: Math.max(pool.idleTimeoutMs, 1),
      maxHeaderSize: maxResponseHeadBytes,
      strictContentLength: true,
      connect: (_options, callback) => {
        const connecting = connectTarget(this.#options, connectTimeoutMs);
        void this.#tell(connection, connecting, callback);
      },
    });
    client.on('disconnect', () => {
      connection.connected = false;
      connection.remoteAddress = '';
      const at = this.#idle.indexOf(connection);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      this.#drop(connection);
    });
    return client;
  }

  /** Tells undici, which wants a callback, what became of a connection. */
  async #tell(
    connection: UpstreamConnection,
    connecting: Promise<Socket>,
    callback: (...outcome: [null, Socket] | [Error, null]) => void,
  ): Promise<void> {
    let socket: Socket;
    try {
      socket = await connecting;
    } catch (caught) {
      callback(attemptError(caught, this.#options.target.host, false), null);
      return;
    }
    onConnected(connection, socket);
    callback(null, socket);
  }

  #trimSoon(): void {
    this.#trimTimer ??= setTimeout(() => {
      this.#trimTimer = undefined;
      const excess = this.#idle.length - this.#options.pool.maxIdle;
      if (excess > 0) for (const connection of this.#idle.splice(0, excess)) this.#drop(connection);
    }, trimIntervalMs).unref();
  }

  #exhausted(): ProxyError {
    const { pool, target } = this.#options;
    return new ProxyError(
      'pool_exhausted',
      `all ${pool.maxConnections} connections to ${target.host}:${target.port} stayed busy; raise connection-pool.max-connections to allow more`,
    );
  }
}

function onConnected(connection: UpstreamConnection, socket: Socket): void {
  connection.connected = true;
  connection.connectedMs = performance.now();
  connection.uses = 0;
  connection.address = socket.remoteAddress ?? '';
  const { address } = connection;
  connection.remoteAddress = `${address.includes(':') ? `[${address}]` : address}:${socket.remotePort}`;
}
