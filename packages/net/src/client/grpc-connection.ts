import http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectNet } from 'node:net';
import { NetError } from '../errors.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import { tlsConnectOptions } from '../tls/client.ts';
import type { TlsClientSettings } from '../tls/settings.ts';
import { Backoff } from './backoff.ts';
import type { GrpcTarget } from './endpoint.ts';

/** How a gRPC client pings. Off unless `timeMs` is set. */
export interface ClientKeepaliveSettings {
  /** Ping after this long without an answer; servers send away those below their minimum. */
  readonly timeMs?: number;
  /** Wait for the ping's answer. Default 20,000. */
  readonly timeoutMs?: number;
  /** Ping also while no call is running. Default false. */
  readonly permitWithoutStream?: boolean;
}

/** How a connection is made and kept. */
export interface ConnectionOptions {
  readonly target: GrpcTarget;
  readonly tls: TlsClientSettings;
  readonly secure: boolean;
  readonly connectTimeoutMs: number;
  readonly keepalive: ClientKeepaliveSettings;
  /** Waits between attempts to connect grow up to this. Default 120,000. */
  readonly maxReconnectDelayMs?: number | undefined;
}

/** What a connection is doing. */
export type ConnectionState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly session: Promise<ClientHttp2Session> }
  | { readonly kind: 'ready'; readonly session: ClientHttp2Session }
  /** Waiting after a failure: calls fail with it at once instead of piling up. */
  | { readonly kind: 'backoff'; readonly untilMs: number; readonly error: NetError }
  | { readonly kind: 'closed' };

/** grpc/doc/connection-backoff.md. */
const reconnect = { initialMs: 1000, multiplier: 1.6, maxMs: 120_000, jitter: 0.2 };
const defaultPingTimeoutMs = 20_000;

/** One HTTP/2 connection that is made when first needed and made again after it is lost. */
export class GrpcConnection {
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  #state: ConnectionState = { kind: 'idle' };

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const maxMs = options.maxReconnectDelayMs ?? reconnect.maxMs;
    this.#backoff = new Backoff({ ...reconnect, initialMs: Math.min(reconnect.initialMs, maxMs), maxMs });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** A session that takes calls. Fails with `connect_failed` (status UNAVAILABLE) or `closed`. */
  async session(): Promise<ClientHttp2Session> {
    const state = this.#state;
    if (state.kind === 'ready') return state.session;
    if (state.kind === 'connecting') return state.session;
    if (state.kind === 'closed') throw closedError();
    if (state.kind === 'backoff' && performance.now() < state.untilMs) throw state.error;
    const session = this.#open();
    this.#state = { kind: 'connecting', session };
    return session;
  }

  /** Lets running calls finish and closes. Idempotent. */
  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'ready') await closeSession(state.session);
    if (state.kind === 'connecting') {
      // Whoever asked for the connection hears that it failed; here it only has to be gone.
      const session = await state.session.catch(() => undefined);
      if (session) await closeSession(session);
    }
  }

  async #open(): Promise<ClientHttp2Session> {
    try {
      const session = await connectSession(this.#options);
      if (this.#state.kind === 'closed') {
        session.close();
        throw closedError();
      }
      this.#state = { kind: 'ready', session };
      this.#backoff.reset();
      const lost = (): void => {
        if (this.#state.kind === 'ready' && this.#state.session === session) this.#state = { kind: 'idle' };
      };
      session.on('goaway', lost);
      session.on('close', lost);
      keepAlive(session, this.#options.keepalive);
      return session;
    } catch (caught) {
      if (this.#state.kind === 'closed') throw closedError();
      const error = connectError(this.#options, caught);
      this.#state = { kind: 'backoff', untilMs: performance.now() + this.#backoff.nextMs(), error };
      throw error;
    }
  }
}

function connectSession({ target, tls, secure, connectTimeoutMs }: ConnectionOptions): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const host = target.kind === 'unix' ? 'localhost' : target.host.includes(':') ? `[${target.host}]` : target.host;
    const port = target.kind === 'unix' ? '' : `:${target.port}`;
    const session = http2.connect(`${secure ? 'https' : 'http'}://${host}${port}`, {
      ...(secure ? tlsConnectOptions(tls) : {}),
      ...(target.kind === 'unix' ? { createConnection: () => connectNet(target.path) } : {}),
    });
    const timer = setTimeout(() => {
      session.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    session.once('connect', () => {
      clearTimeout(timer);
      resolve(session);
    });
    // Later failures end the running calls, each of which tells its caller; the session itself only closes.
    session.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    session.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed before it was ready'));
    });
  });
}

function keepAlive(session: ClientHttp2Session, settings: ClientKeepaliveSettings): void {
  const { timeMs = 0, timeoutMs = defaultPingTimeoutMs, permitWithoutStream = false } = settings;
  if (timeMs <= 0) return;
  let open = 0;
  const timer = setInterval(() => {
    if (open === 0 && !permitWithoutStream) return;
    const overdue = setTimeout(
      () => session.destroy(new Error(`a ping was not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
    session.ping((error) => {
      clearTimeout(overdue);
      if (error) session.destroy();
    });
  }, timeMs);
  timer.unref();
  callCounters.set(session, (change) => (open += change));
  session.once('close', () => clearInterval(timer));
}

/** Lets the pinger of a session know how many calls run; sessions without a pinger have none. */
const callCounters = new WeakMap<ClientHttp2Session, (change: 1 | -1) => void>();

/** Counts a call that begins (1) or ends (-1) on a session. */
export function countCall(session: ClientHttp2Session, change: 1 | -1): void {
  callCounters.get(session)?.(change);
}

function closeSession(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.destroyed) resolve();
    else session.close(() => resolve());
  });
}

function connectError({ target }: ConnectionOptions, cause: unknown): NetError {
  if (cause instanceof NetError) return cause;
  const where = target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;
  const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  const message = `cannot connect to ${where}: ${why}`;
  return new NetError('connect_failed', message, { cause, status: rpcStatus(GrpcCode.unavailable, message) });
}

function closedError(): NetError {
  const message = 'the gRPC client is closed';
  return new NetError('closed', message, { status: rpcStatus(GrpcCode.cancelled, message) });
}
