import http2 from 'node:http2';
import type { Http2Server, Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../../config/model/listener.ts';
import { Http2Downstream } from '../downstream/http2-downstream.ts';
import type { ClientConnection } from '../exchange.ts';
import { RequestFlow } from '../flow/request-flow.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';

/** What clients may send ahead on one stream, and on one connection. */
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 1024 * 1024;

/** How HTTP/2 is served besides what the listener's configuration says: header lists beyond this end their stream before limits are asked. */
export interface Http2Options {
  readonly maxHeadBytes: number;
  readonly maxHeadFields: number;
}

/** The HTTP/2 side of a listener; it is given connections whose handshake chose `h2`. */
export class Http2Side {
  readonly #server: Http2Server;
  readonly #listener: ListenerConfig;
  readonly #context: GatewayContext;
  readonly #connections = new WeakMap<Http2Session, ClientConnection>();
  readonly #sessions = new Set<Http2Session>();
  #accepting: ClientConnection | undefined;

  constructor(listener: ListenerConfig, context: GatewayContext, { maxHeadBytes, maxHeadFields }: Http2Options) {
    this.#listener = listener;
    this.#context = context;
    this.#server = http2.createServer({
      settings: {
        maxConcurrentStreams: listener.maxConcurrentStreams,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: maxHeadBytes,
        enablePush: false,
      },
      maxHeaderListPairs: maxHeadFields,
      // Backends that say something twice are no reason to keep their answer back.
      strictSingleValueFields: false,
    });
    this.#server.on('session', (session) => this.#onSession(session));
    this.#server.on('stream', (stream, headers, _flags, rawHeaders) => {
      const connection = stream.session === undefined ? undefined : this.#connections.get(stream.session);
      if (connection === undefined) {
        stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      const downstream = new Http2Downstream(connection, stream, headers, rawHeaders);
      const flow = new RequestFlow(downstream, this.#listener, this.#context);
      if (downstream.method === 'CONNECT') flow.start(connectRefusal);
      else flow.start();
    });
    // What a session dies of shows in its streams.
    this.#server.on('sessionError', () => {});
  }

  accept(socket: TLSSocket, connection: ClientConnection): void {
    this.#accepting = connection;
    this.#server.emit('connection', socket);
    this.#accepting = undefined;
  }

  /** Lets running streams end and takes no new ones. */
  closeGracefully(): void {
    for (const session of this.#sessions) session.close();
  }

  #onSession(session: Http2Session): void {
    if (this.#accepting !== undefined) this.#connections.set(session, this.#accepting);
    this.#sessions.add(session);
    session.setLocalWindowSize(connectionWindowBytes);
    session.setTimeout(this.#listener.keepaliveTimeoutMs, () => session.close());
    session.on('close', () => this.#sessions.delete(session));
  }
}

/** Tunnels are not what a gateway is for. */
export const connectRefusal = Object.freeze({
  status: 501,
  type: 'RequestValidation',
  reason: 'connect_not_supported',
  message: 'the client asked for a tunnel (CONNECT)',
  closeConnection: true,
});
