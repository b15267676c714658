import http, { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenerConfig } from '../../config/model/listener.ts';
import { Http1Downstream } from '../downstream/http1-downstream.ts';
import type { Http1Extras } from '../downstream/http1-downstream.ts';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { RequestFlow } from '../flow/request-flow.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';
import { connectRefusal } from './http2-server.ts';
import { refuseUnread } from './unread-request.ts';

/** How HTTP/1.1 is served besides what the listener's configuration says. */
export interface Http1Options {
  /** For a whole request head. */
  readonly headTimeoutMs: number;
  /** What the parser takes of a head; limits below that answer by themselves. */
  readonly maxHeadBytes: number;
}

/** What is known of a connection while it is open. */
interface ConnectionState {
  readonly connection: ClientConnection;
  /** The request it is busy with, or was last. */
  flow: RequestFlow | undefined;
}

/** The HTTP/1.1 side of a listener; it is given connections. */
export class Http1Side {
  readonly #server: http.Server;
  readonly #accept: (socket: Socket) => void;
  readonly #listener: ListenerConfig;
  readonly #context: GatewayContext;
  readonly #states = new WeakMap<Duplex, ConnectionState>();

  constructor(listener: ListenerConfig, context: GatewayContext, options: Http1Options) {
    this.#listener = listener;
    this.#context = context;
    const server = http.createServer({
      keepAliveTimeout: listener.keepaliveTimeoutMs,
      headersTimeout: options.headTimeoutMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, Math.max(options.headTimeoutMs / 4, 20)),
      maxHeaderSize: options.maxHeadBytes,
      noDelay: true,
      // Both are checked by ourselves, so that refusals are logged like everything else.
      requireHostHeader: false,
      insecureHTTPParser: false,
      shouldUpgradeCallback: isWebSocketRequest,
    });
    server.maxHeadersCount = 0;
    const native = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    this.#accept = (socket) => {
      for (const listener of native) listener.call(server, socket);
    };
    // It never listens; but by this it begins to look for heads that take too long.
    server.emit('listening');
    server.on('request', (request, response) => this.#serve(request, response));
    server.on('checkContinue', (request, response) => this.#serve(request, response, { expectsContinue: true }));
    server.on('checkExpectation', (request, response) => this.#serve(request, response, {}, expectationFailed));
    server.on('upgrade', (request, socket, first) => this.#serveUpgrade(request, socket as Socket, first));
    server.on('connect', (request, socket) => {
      this.#serve(request, detachedResponse(request, socket as Socket), {}, connectRefusal);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onClientError(error, socket as Socket));
    this.#server = server;
  }

  accept(socket: Socket, connection: ClientConnection): void {
    this.#states.set(socket, { connection, flow: undefined });
    this.#accept(socket);
  }

  /** Closes connections that have no request. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** Ends the search for slow heads, too. */
  close(): void {
    this.#server.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse, extras: Http1Extras = {}, refusal?: GatewayFailure): void {
    const state = this.#states.get(request.socket);
    if (state === undefined) {
      request.destroy();
      return;
    }
    // Sent behind a request whose response is the last: read as a request, but perhaps meant as part of another one.
    const { closing, requests } = state.connection;
    if (closing || requests >= (this.#listener.keepaliveMaxRequests ?? Infinity)) return;
    const downstream = new Http1Downstream(state.connection, request, response, extras);
    const flow = new RequestFlow(downstream, this.#listener, this.#context);
    state.flow = flow;
    flow.start(refusal);
  }

  /** `node:http` hands such connections over whole: responses that are no upgrade need a hand. */
  #serveUpgrade(request: IncomingMessage, socket: Socket, first: Buffer): void {
    const response = detachedResponse(request, socket);
    if (isWebSocketRequest(request)) this.#serve(request, response, { upgrade: { socket, first } });
    else this.#serve(request, response, {}, upgradeRefused);
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const state = this.#states.get(socket);
    if (state === undefined || socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const { flow } = state;
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && flow === undefined && socket.bytesRead === 0) {
      // Opened in advance, as browsers do, and never used: there is nothing to answer.
      socket.destroy();
      return;
    }
    if (state.connection.closing && flow === undefined) return;
    if (flow !== undefined && !flow.over) flow.onBrokenBody(error.code ?? error.message);
    else refuseUnread(socket, state.connection, this.#context, failureOf(error));
  }
}

const expectationFailed: GatewayFailure = {
  status: 417,
  type: 'RequestValidation',
  reason: 'expectation_failed',
  message: 'the request has an Expect field other than 100-continue',
  closeConnection: true,
};

const upgradeRefused: GatewayFailure = {
  status: 400,
  type: 'RequestValidation',
  reason: 'upgrade_not_supported',
  message: 'the client asks for an upgrade to something other than WebSocket',
  closeConnection: true,
};

/** Whether this is the opening of a WebSocket (RFC 6455 section 4.1); other upgrades are ignored, as the protocol allows. */
function isWebSocketRequest(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** A response on a connection that `node:http` does not care for any more. */
function detachedResponse(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('error', () => socket.destroy());
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.end();
    response.emit('close');
  });
  return response;
}

/** What the parser's complaint is answered with. */
function failureOf(error: NodeJS.ErrnoException): GatewayFailure {
  const code = error.code ?? '';
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const reason = status === 431 ? 'header_size' : status === 408 ? 'head_timeout' : 'bad_request';
  const type = status === 431 ? 'LimitExceeded' : status === 408 ? 'Timeout' : 'RequestValidation';
  return { status, type, reason, message: `no request could be read: ${code} ${error.message}`, closeConnection: true };
}
