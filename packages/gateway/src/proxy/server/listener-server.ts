import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { errorMessage } from '@clew/base';
import type { Logger } from '@clew/base';
import { findPortHolder } from '@clew/net';
import type { ListenerConfig, ListenerTlsConfig } from '../../config/model/listener.ts';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';
import { readBytes, shareAccepted } from '../http1/socket-bytes.ts';
import { CertificateStore } from './certificates.ts';
import { OcspStapler } from './ocsp/ocsp-stapler.ts';
import { describeConnection, describeTlsConnection, plainAddress } from './connections.ts';
import type { ConnectionCounter } from './connections.ts';
import { Handshakes, handshakeFailureReason } from './handshakes.ts';
import { Http1Side } from './http1-server.ts';
import type { Http1Options } from './http1-connection.ts';
import type { Http2Options } from './http2-server.ts';
import { Http2Side } from './http2-server.ts';
import { refuseUnread } from './unread-request.ts';
import { GatewayError } from '../../errors.ts';

const backlog = 4096;

/** What a listener is made of. */
export interface ListenerServerOptions extends Http1Options, Http2Options {
  readonly config: ListenerConfig;
  readonly context: GatewayContext;
  readonly counter: ConnectionCounter;
  readonly logger: Logger;
  /** Whether other processes listen on the same address. */
  readonly reusePort: boolean;
  /** What keys of TLS tickets are made from. */
  readonly ticketSecret: Uint8Array;
}

/** One listener: takes connections, finds out what they speak, and gives them to the side that speaks it. */
export class ListenerServer {
  readonly config: ListenerConfig;
  readonly #options: ListenerServerOptions;
  readonly #server: Server;
  readonly #http1: Http1Side;
  readonly #http2: Http2Side | undefined;
  readonly #certificates: CertificateStore | undefined;
  readonly #stapler: OcspStapler | undefined;
  readonly #endFollowing: (() => void) | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #handshakes = new Handshakes();

  /** Reads certificates. Fails with `tls_config`. */
  constructor(options: ListenerServerOptions) {
    const { config, context, logger } = options;
    this.config = config;
    this.#options = options;
    this.#http1 = new Http1Side(config, context, options);
    if (config.tls === undefined)
      this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
        this.#onPlain(shareAccepted(socket, true)),
      );
    else {
      const certificates = new CertificateStore(config.id, config.tls, options.ticketSecret);
      this.#certificates = certificates;
      if (config.tls.ocspStapling) this.#stapler = new OcspStapler({ logger: logger.child({ listener: config.id }) });
      this.#http2 = new Http2Side(config, context, options);
      const server = this.#tlsServer(config.tls, certificates);
      this.#server = server;
      this.#endFollowing = certificates.follow({
        onReloaded: (changed) => {
          server.setSecureContext(certificates.defaultOptions);
          this.#stapler?.update(certificates.chains);
          if (changed) context.observer.certificatesReloaded({ listenerId: config.id, result: 'success' });
        },
        onProblem: (text) => logger.warn(text, { listener: config.id }),
        onReloadFailed: (error) => {
          context.observer.certificatesReloaded({ listenerId: config.id, result: 'failure', error });
        },
      });
    }
  }

  /** Where it listens; the port is the one bound. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Begins to listen. Fails with `bind_failed`, naming who has the address if that can be found out. */
  async bind(): Promise<void> {
    const { host, port } = this.config.address;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen({ host, port, backlog, ...(this.#options.reusePort ? { reusePort: true } : {}) }, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      const holder = inUse ? await findPortHolder(port) : undefined;
      const by = holder === undefined ? '' : `, which ${holder} has`;
      const text = `listener ${this.config.id} cannot listen on ${host}:${port}${by}: ${errorMessage(cause)}`;
      throw new GatewayError('bind_failed', text, { cause, details: holder === undefined ? {} : { holder } });
    }
    this.#stapler?.update(this.#certificates!.chains);
    this.#server.on('error', (error) => {
      this.#options.logger.warn('A connection could not be accepted.', { reason: errorMessage(error) });
    });
  }

  /** Reads certificates anew. Fails with `tls_config`; the old ones then stay. */
  reloadCertificates(): void {
    this.#certificates?.reload();
  }

  /** Takes no new connections, and ends those that have no request. */
  stopAccepting(): void {
    this.#endFollowing?.();
    this.#stapler?.stop();
    if (this.#server.listening) this.#server.close();
    this.#http1.closeIdle();
    this.#http2?.closeGracefully();
  }

  /** Ends every connection. */
  destroy(): void {
    this.stopAccepting();
    this.#http1.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #tlsServer(tls: ListenerTlsConfig, certificates: CertificateStore): TlsServer {
    const server = createTlsServer({
      ...certificates.defaultOptions,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: this.config.handshakeTimeoutMs,
      requestCert: tls.clientAuth,
      rejectUnauthorized: tls.clientAuth,
      SNICallback: (name, callback) => callback(null, certificates.contextFor(name)),
    });
    const native = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.#admit(socket, undefined)) return;
      this.#handshakes.begin(socket);
      for (const listener of native) listener.call(server, socket);
    });
    const stapler = this.#stapler;
    if (stapler !== undefined) {
      server.on('OCSPRequest', (shown, _issuer, answer) => answer(null, stapler.stapleFor(shown) ?? null));
    }
    server.on('secureConnection', (socket) => this.#onSecure(socket));
    server.on('tlsClientError', (error, socket) => {
      const { logger, context } = this.#options;
      logger.debug('A TLS handshake failed.', { listener: this.config.id, reason: errorMessage(error) });
      context.observer.handshakeFailed(this.config.id, handshakeFailureReason(error));
      socket.destroy();
    });
    return server;
  }

  #onPlain(socket: Socket): void {
    const connection = describeConnection(this.config.id, socket);
    if (!this.#admit(socket, connection)) return;
    this.#open(socket, connection);
    this.#http1.accept(socket, connection);
  }

  #onSecure(socket: TLSSocket): void {
    const connection = describeTlsConnection(this.config.id, socket, this.#handshakes.end(socket));
    this.#open(socket, connection);
    if (socket.alpnProtocol === 'h2') this.#http2!.accept(socket, connection);
    else this.#http1.accept(socket, connection);
  }

  #open(socket: Socket, connection: ClientConnection): void {
    const { observer } = this.#options.context;
    observer.connectionOpened(connection);
    socket.once('close', () => observer.connectionClosed(connection));
  }

  /** Counts a connection, or ends it; `connection` where it can be told why. */
  #admit(socket: Socket, connection: ClientConnection | undefined): boolean {
    const { context, counter } = this.#options;
    const clientIp = plainAddress(socket.remoteAddress);
    const excess = counter.admit(clientIp, context.generation.limits);
    if (excess === undefined) {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        counter.release(clientIp);
      });
      return true;
    }
    socket.on('error', () => socket.destroy());
    if (connection === undefined) socket.destroy();
    else {
      readBytes(socket, () => {});
      refuseUnread(socket, connection, context, {
        status: 503,
        type: 'LimitExceeded',
        reason: 'connection_limit',
        message: excess,
        retryAfterSeconds: 1,
        closeConnection: true,
      });
    }
    return false;
  }
}
