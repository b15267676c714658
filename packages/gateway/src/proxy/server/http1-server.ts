import type { Socket } from 'node:net';
import type { ListenerConfig } from '../../config/model/listener.ts';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';
import { Http1Connection } from './http1-connection.ts';
import type { Http1Options, Http1Owner } from './http1-connection.ts';

/** The HTTP/1.1 side of a listener; it is given connections. */
export class Http1Side implements Http1Owner {
  readonly listener: ListenerConfig;
  readonly context: GatewayContext;
  readonly options: Http1Options;
  readonly #connections = new Set<Http1Connection>();
  readonly #sweep: NodeJS.Timeout;

  constructor(listener: ListenerConfig, context: GatewayContext, options: Http1Options) {
    this.listener = listener;
    this.context = context;
    this.options = options;
    // One timer for all connections: none has to be set and cleared for a request.
    const keepaliveMs = listener.keepaliveTimeoutMs > 0 ? listener.keepaliveTimeoutMs : Infinity;
    const intervalMs = Math.min(1000, Math.max(Math.min(options.headTimeoutMs, keepaliveMs) / 4, 20));
    this.#sweep = setInterval(() => this.#checkAll(), intervalMs).unref();
  }

  accept(socket: Socket, connection: ClientConnection): void {
    this.#connections.add(new Http1Connection(socket, connection, this));
  }

  onConnectionOver(connection: Http1Connection): void {
    this.#connections.delete(connection);
  }

  /** Closes connections that have no request. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }

  /** Ends the search for slow heads, too. */
  close(): void {
    clearInterval(this.#sweep);
    this.closeIdle();
  }

  #checkAll(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.check(nowMs);
  }
}
