import { Agent, ProxyAgent, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { NetError } from '../errors.ts';
import { tlsConnectOptions } from '../tls/client.ts';
import type { TlsClientSettings } from '../tls/settings.ts';

/** How an HTTP client keeps connections. */
export interface HttpClientOptions {
  readonly tls?: TlsClientSettings;
  /** Connections per origin (`max_conns_per_host`). Default 100. */
  readonly maxConnectionsPerHost?: number;
  /** Unused connections are closed after this (`idle_conn_timeout`). Default 90,000. */
  readonly idleConnectionTimeoutMs?: number;
  /** Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** One request per connection (`disable_keep_alives`). Default false. */
  readonly disableKeepAlives?: boolean;
  /** `http://` or `https://` proxy. */
  readonly proxyUrl?: string;
}

/** One request. */
export interface HttpClientRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For the whole exchange; 0 = none. Default 30,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Bytes of the reply that are read; the rest is dropped. Default 4 MiB. */
  readonly maxResponseBytes?: number;
}

/** A reply, read to its end or to the limit. */
export interface HttpClientResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  /** True when the reply was longer than `maxResponseBytes`. */
  readonly truncated: boolean;
}

const defaultTimeoutMs = 30_000;
const defaultMaxResponseBytes = 4 * 1024 * 1024;

/** Sends HTTP/1.1 requests over kept connections. Redirects are not followed, whatever the status is it is returned. */
export class HttpClient {
  readonly #dispatcher: Dispatcher;

  /** Fails with `tls_config`. */
  constructor(options: HttpClientOptions = {}) {
    const tls = options.tls ?? {};
    if (!tls.insecure) tlsConnectOptions(tls); // A broken file is an error of configuration, not of the first request.
    const timeout = options.connectTimeoutMs ?? 10_000;
    const shared = {
      connections: options.maxConnectionsPerHost ?? 100,
      keepAliveTimeout: options.idleConnectionTimeoutMs ?? 90_000,
      pipelining: options.disableKeepAlives ? 0 : 1,
      allowH2: false,
      // Requests carry one deadline for everything; these would be further, unnamed ones.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#dispatcher = options.proxyUrl
      ? new ProxyAgent({ ...shared, uri: options.proxyUrl, requestTls: { ...tlsConnectOptions(tls), timeout } })
      : new Agent({ ...shared, connect: freshConnector(tls, timeout) });
  }

  /** Sends one request. Fails with `connect_failed`, `timed_out`, `aborted`, `closed`. */
  async request(request: HttpClientRequest): Promise<HttpClientResponse> {
    const { origin, pathname, search } = new URL(request.url);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const timeout = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
    const signals = [timeout, request.signal].filter((signal) => signal !== undefined);
    try {
      const response = await this.#dispatcher.request({
        origin,
        path: pathname + search,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
      });
      const { body, truncated } = await readUpTo(response.body, request.maxResponseBytes ?? defaultMaxResponseBytes);
      return { status: response.statusCode, headers: response.headers, body, truncated };
    } catch (caught) {
      throw failure(request, timeoutMs, timeout?.aborted ?? false, caught);
    }
  }

  /** Lets running requests finish, then closes connections. Idempotent. */
  async close(): Promise<void> {
    // undici refuses to close twice; the second caller only wants it closed.
    if (!isShut(this.#dispatcher)) await this.#dispatcher.close();
  }
}

function isShut(dispatcher: Dispatcher): boolean {
  return 'closed' in dispatcher && dispatcher.closed === true;
}

/** Reads certificates for every new connection, so that renewed files are used. */
function freshConnector(tls: TlsClientSettings, timeout: number): buildConnector.connector {
  if (tls.reloadIntervalMs === undefined || tls.reloadIntervalMs <= 0) {
    return buildConnector({ ...(tls.insecure ? {} : tlsConnectOptions(tls)), timeout, allowH2: false });
  }
  return (options, callback) =>
    buildConnector({ ...tlsConnectOptions(tls), timeout, allowH2: false })(options, callback);
}

async function readUpTo(
  source: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<{ body: Uint8Array; truncated: boolean }> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of source) {
    pieces.push(piece);
    size += piece.length;
    // Leaving the loop destroys the stream and its connection: cheaper than reading a reply of unknown length.
    if (size > maxBytes) return { body: Buffer.concat(pieces, maxBytes), truncated: true };
  }
  return { body: Buffer.concat(pieces, size), truncated: false };
}

function failure(request: HttpClientRequest, timeoutMs: number, timedOut: boolean, cause: unknown): NetError {
  const what = `${request.method} ${redactedUrl(request.url)}`;
  if (timedOut) return new NetError('timed_out', `${what} was not answered within ${timeoutMs} ms`, { cause });
  if (request.signal?.aborted) return new NetError('aborted', `${what} was given up by its caller`, { cause });
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') {
    return new NetError('closed', `${what} failed: the client is closed`, { cause });
  }
  return new NetError('connect_failed', `${what} failed: ${why || code}`, { cause });
}

/** Credentials in a URL must not reach a log. */
function redactedUrl(url: string): string {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.toString();
}
