import { constants } from 'node:http2';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { ByteBudget } from '../byte-budget.ts';
import type { RejectHook, RejectReason } from '../exchange.ts';
import { createTlsServer } from '../tls/server.ts';
import { resolveConnectionSettings } from './connection-defaults.ts';
import type { ResolvedConnectionSettings } from './connection-defaults.ts';
import { formatAddress } from './endpoint.ts';
import { bind, checkFree, listenError } from './bind.ts';
import { InFlight } from './in-flight.ts';
import { Mounts } from './mounts.ts';
import { createHttp1Server, createHttp2Server } from './protocol-servers.ts';
import type { Http1Server } from './protocol-servers.ts';
import { Responder } from './responder.ts';
import { SessionKeeper } from './session-keeper.ts';
import { portSharing } from './sharing.ts';
import { sniff } from './sniff.ts';
import type { Spoken } from './sniff.ts';
import type { BoundAddress, ListenerOptions, ListenerSnapshot } from './types.ts';

/** After the last reply, connections get this long to flush it before they are destroyed. */
const flushMs = 1000;

type State = 'listening' | 'draining' | 'closed';

/** One listening socket that speaks HTTP/1.1 and HTTP/2, plaintext or TLS, for any number of owners. */
export class SharedListener {
  readonly mounts = new Mounts();
  readonly settings: ResolvedConnectionSettings;
  readonly secure: boolean;
  readonly #owners: string[] = [];
  readonly #inFlight = new Set<InFlight>();
  readonly #hooks: { readonly onRejected?: RejectHook; readonly onNotice?: (text: string) => void }[] = [];
  readonly #noticed = new Set<string>();
  readonly #budget: ByteBudget;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #tls: { readonly server: TlsServer; readonly close: () => void } | undefined;
  readonly #responder: Responder;
  readonly #sockets = new Set<Socket>();
  readonly #sniffing = new Set<Socket>();
  readonly #keepers = new Map<ServerHttp2Session, SessionKeeper>();
  readonly #rejected: Record<string, number> = {};
  #address: BoundAddress;
  #state: State = 'listening';

  private constructor(options: ListenerOptions) {
    this.settings = resolveConnectionSettings(options.connections);
    this.secure = options.tls !== undefined;
    this.#address =
      options.endpoint.transport === 'unix' ? options.endpoint : { ...options.endpoint, transport: 'tcp' };
    this.#budget = new ByteBudget(this.settings.maxInFlightBodyBytes);
    this.#http1 = createHttp1Server(this.settings);
    this.#http2 = createHttp2Server(this.settings);
    this.#tls = options.tls && createTlsServer(options.tls, (text) => this.#notice(text));
    this.#responder = new Responder({
      mounts: this.mounts,
      budget: this.#budget,
      keepAlive: this.settings.keepAlive,
      writeIdleTimeoutMs: this.settings.writeIdleTimeoutMs,
      isDraining: () => this.#state !== 'listening',
      reject: (reason, detail, hook) => this.#reject(reason, detail, hook),
      onFailure: (path, caught) => this.#onFailure(path, caught),
    });
    this.#wireHttp1(this.#http1.server);
    this.#wireHttp2();
    this.#wireTls();
  }

  /** Binds. Fails with `port_in_use`, `listen_failed`, `tls_config`. */
  static async open(options: ListenerOptions): Promise<SharedListener> {
    const listener = new SharedListener(options);
    try {
      await listener.#listen(options);
    } catch (caught) {
      listener.#tls?.close();
      throw await listenError(options, caught);
    }
    return listener;
  }

  get address(): BoundAddress {
    return this.#address;
  }

  get state(): State {
    return this.#state;
  }

  /** Adds an owner and makes the place where its running requests are counted. */
  join(options: ListenerOptions): InFlight {
    this.#owners.push(options.owner);
    this.#hooks.push(options);
    const inFlight = new InFlight();
    this.#inFlight.add(inFlight);
    return inFlight;
  }

  /** Removes an owner; true when it was the last. */
  leave(options: ListenerOptions): boolean {
    this.#owners.splice(this.#owners.indexOf(options.owner), 1);
    const last = this.#owners.length === 0;
    // The last owner hears of rejections until the listener is closed.
    if (!last) this.#hooks.splice(this.#hooks.indexOf(options), 1);
    else this.#state = 'draining';
    return last;
  }

  forget(inFlight: InFlight): void {
    this.#inFlight.delete(inFlight);
  }

  /** Stops accepting, lets running requests finish for `graceMs`, then destroys what is left. */
  async close(graceMs: number): Promise<void> {
    this.#state = 'draining';
    const { server } = this.#http1;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const keeper of this.#keepers.values()) keeper.goAway();
    for (const socket of this.#sniffing) socket.destroy();
    await Promise.all([...this.#inFlight].map((inFlight) => inFlight.drain(graceMs)));
    server.closeIdleConnections();
    const flush = setTimeout(() => this.#destroySockets(), Math.min(flushMs, graceMs));
    await closed;
    clearTimeout(flush);
    this.#destroySockets();
    this.#sockets.clear();
    this.#keepers.clear();
    this.#tls?.close();
    this.#state = 'closed';
  }

  snapshot(): ListenerSnapshot {
    const http2 = this.#keepers.size;
    return {
      state: this.#state,
      address: this.#address,
      secure: this.secure,
      owners: [...this.#owners],
      paths: this.mounts.paths,
      services: this.mounts.services,
      connections: { sniffing: this.#sniffing.size, http1: this.#sockets.size - this.#sniffing.size - http2, http2 },
      inFlightRequests: [...this.#inFlight].reduce((sum, inFlight) => sum + inFlight.size, 0),
      inFlightBodyBytes: this.#budget.usedBytes,
      requestsTotal: this.#responder.requestsTotal,
      rejectedTotal: { ...this.#rejected },
    };
  }

  #destroySockets(): void {
    for (const keeper of this.#keepers.values()) keeper.session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen({ endpoint, reusePort }: ListenerOptions): Promise<void> {
    const { server } = this.#http1;
    const sharing = portSharing();
    const shareable = endpoint.transport !== 'unix' && endpoint.port !== 0;
    // Another thread listens there for all of them.
    if (sharing !== undefined && !shareable && !sharing.ownsUnshareable) return;
    if (sharing?.checkFree === true) await checkFree(endpoint);
    await bind(server, endpoint, reusePort ?? (sharing !== undefined && shareable));
    server.on('error', (error) => this.#notice(`listener ${formatAddress(this.#address)}: ${error.message}`));
    const bound = server.address() as AddressInfo | string;
    if (typeof bound !== 'string') this.#address = { transport: 'tcp', host: bound.address, port: bound.port };
  }

  #wireHttp1(server: Server): void {
    server.on('connection', (socket: Socket) => this.#onConnection(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#responder.http1(request, response, false),
    );
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#responder.http1(request, response, true),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#onHttp1Error(error, socket));
  }

  #wireHttp2(): void {
    const server = this.#http2;
    server.on('session', (session) => this.#onSession(session));
    server.on('stream', (stream, headers, _flags, rawHeaders) => this.#onStream(stream, headers, rawHeaders));
    server.on('sessionError', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') this.#reject('protocol_flood', error.message);
    });
  }

  #wireTls(): void {
    const server = this.#tls?.server;
    if (!server) return;
    server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') this.#http2.emit('connection', socket);
      else this.#acceptHttp1(socket); // a client that negotiated no HTTP/2 speaks HTTP/1.1
    });
    server.on('tlsClientError', (error, socket) => {
      this.#reject('tls_handshake', error.message);
      socket.destroy();
    });
  }

  #onConnection(socket: Socket): void {
    if (this.#state !== 'listening') return void socket.destroy();
    if (this.#sockets.size >= this.settings.maxConnections) {
      this.#reject('max_connections', `more than ${this.settings.maxConnections} connections (max_connections)`);
      return void socket.destroy();
    }
    this.#sockets.add(socket);
    this.#sniffing.add(socket);
    // node:http's server leaves connections half open when the client ends; only HTTP/1.1 knows what to do then.
    socket.allowHalfOpen = false;
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#sniffing.delete(socket);
    });
    // A socket may fail before any protocol listens for it; failing also closes it, which is handled above.
    socket.on('error', () => undefined);
    sniff(socket, this.settings.firstByteTimeoutMs, (spoken) => {
      this.#sniffing.delete(socket);
      this.#handOver(socket, spoken);
    });
  }

  #handOver(socket: Socket, spoken: Spoken | 'silent'): void {
    if (spoken === 'silent') return this.#refuse(socket, 'silent_connection', 'a client connected and said nothing');
    if (spoken === 'unknown') return this.#refuse(socket, 'unknown_protocol', 'a client speaks neither HTTP nor TLS');
    if (spoken === 'tls') {
      if (this.#tls) this.#tls.server.emit('connection', socket);
      else
        this.#refuse(
          socket,
          'tls_unexpected',
          this.#hint(
            'a client speaks TLS to a plaintext port: configure tls, or let the client use an insecure connection',
          ),
        );
    } else if (this.#tls) {
      this.#refuse(
        socket,
        'tls_expected',
        this.#hint('a client speaks plaintext to a TLS port: let the client use TLS'),
      );
    } else if (spoken === 'http2') this.#http2.emit('connection', socket);
    else this.#acceptHttp1(socket);
  }

  #acceptHttp1(socket: Socket): void {
    socket.allowHalfOpen = true;
    this.#http1.accept(socket);
  }

  #refuse(socket: Socket, reason: RejectReason, detail: string): void {
    this.#reject(reason, detail);
    socket.destroy();
  }

  #hint(text: string): string {
    const full = `${text} (${formatAddress(this.#address)})`;
    this.#notice(full);
    return full;
  }

  #onSession(session: ServerHttp2Session): void {
    const { keepalive, streamResetBurst, streamResetsPerSecond } = this.settings;
    const reject = (reason: RejectReason, detail: string): void => this.#reject(reason, detail);
    this.#keepers.set(
      session,
      new SessionKeeper(session, { keepalive, streamResetBurst, streamResetsPerSecond, reject }),
    );
    session.on('close', () => this.#keepers.delete(session));
    if (this.#state !== 'listening') session.close();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    const { session } = stream;
    const keeper = session && this.#keepers.get(session as ServerHttp2Session);
    if (!keeper) return void stream.destroy();
    keeper.watch(stream);
    // Until the peer has acknowledged our settings node:http2 does not hold it to their header limit.
    if (keeper.session.pendingSettingsAck && textLength(rawHeaders) > this.settings.maxHeaderBytes) {
      this.#reject('header_too_large', `request headers exceed ${this.settings.maxHeaderBytes} bytes`);
      return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
    this.#responder.http2(stream, headers, rawHeaders);
  }

  #onHttp1Error(error: NodeJS.ErrnoException, socket: Socket): void {
    if (isGone(error.code) || !socket.writable) return void socket.destroy();
    const [status, reason] = http1Failure(error.code);
    this.#reject(reason, error.message);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  #onFailure(path: string, caught: unknown): void {
    const text = caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
    for (const { onNotice } of this.#hooks) onNotice?.(`answering ${path} failed unexpectedly: ${text}`);
  }

  #reject(reason: RejectReason, detail: string, hook?: RejectHook): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
    if (hook) hook(reason, detail);
    else for (const { onRejected } of this.#hooks) onRejected?.(reason, detail);
  }

  /** Every text is told once: a client that does something wrong does it again and again. */
  #notice(text: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    for (const { onNotice } of this.#hooks) onNotice?.(text);
  }
}

function textLength(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** A client that leaves in the middle of a request is no malformed request. */
function isGone(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'HPE_INVALID_EOF_STATE';
}

function http1Failure(code: string | undefined): [string, RejectReason] {
  if (code === 'HPE_HEADER_OVERFLOW') return ['431 Request Header Fields Too Large', 'header_too_large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['408 Request Timeout', 'header_timeout'];
  return ['400 Bad Request', 'malformed_request'];
}
