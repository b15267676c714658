// The narrow waist of every server in this package: HTTP/1.1 and HTTP/2 adapt to these few types, and nothing
// that answers a request sees a socket.

/** Headers of a request as they arrived: lower-case names; only repeated headers of a few kinds are lists. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers of a reply; names in lower case. */
export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** The other end of a connection. */
export interface Peer {
  /** IP address, or the empty string on a Unix socket. */
  readonly address: string;
  /** TCP port, or 0 on a Unix socket. */
  readonly port: number;
  /** True when the connection is encrypted. */
  readonly secure: boolean;
  /** Subject common name of a client certificate that was verified. */
  readonly certificateSubject?: string;
}

/** What is known of a request before its body is read. */
export interface RequestHead {
  readonly protocol: 'http/1.1' | 'h2';
  /** Upper-case method. */
  readonly method: string;
  /** Path without the query, as sent (percent-encoding kept). */
  readonly path: string;
  /** What follows the `?`, without it; empty when there is none. */
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  /** One header by its lower-case name; repeated ones are joined by `, `. */
  header(name: string): string | undefined;
}

/** How a body is read. */
export interface ReadBodyOptions {
  /** Bytes allowed on the wire. Beyond them the promise fails with `body_too_large`. */
  readonly maxBytes: number;
  /** The setting that the error names, such as `max_request_body_size`. */
  readonly limitSetting: string;
  /** Longest silence between two pieces of the body. Default 30,000; 0 waits for ever. Fails with `slow_body`. */
  readonly idleTimeoutMs?: number;
  /** Longest time for the whole body. Default 0 = no limit. Fails with `slow_body`. */
  readonly totalTimeoutMs?: number;
}

/** A request whose body has not been read yet. */
export interface ServerRequest extends RequestHead {
  /** What the mount's `authenticate` found out about the sender. */
  readonly authAttributes?: Readonly<Record<string, string>> | undefined;
  /** Aborts when the peer goes away or its connection is torn down before the reply was written. */
  readonly signal: AbortSignal;
  /**
   * The whole body as it came over the wire, in one piece; may be asked for once. The bytes may be a view of a
   * larger buffer, so copy before transferring them to another thread.
   *
   * Fails with `NetError`: `body_too_large`, `slow_body`, `aborted`, `budget_exhausted`.
   */
  readBody(options: ReadBodyOptions): Promise<Uint8Array>;
}

/** What a request is answered with. Content-Length is added by the server. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** Absent means empty; an iterable is streamed piece by piece under back-pressure. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/**
 * Answers one request. A reply given without reading the body reaches the client at once, whatever it is still
 * sending: the rest is discarded up to a bound and then the connection is closed.
 */
export type HttpHandler = (request: ServerRequest) => HttpReply | Promise<HttpReply>;

/** Why a connection or request was turned away before its owner saw it; labels of a counter. */
export type RejectReason =
  | 'max_connections'
  | 'unknown_protocol'
  | 'tls_expected'
  | 'tls_unexpected'
  | 'tls_handshake'
  | 'silent_connection'
  | 'malformed_request'
  | 'header_too_large'
  | 'header_timeout'
  | 'rapid_reset'
  | 'too_many_pings'
  | 'protocol_flood'
  | 'body_too_large'
  | 'inflated_too_large'
  | 'slow_body'
  | 'slow_reader'
  | 'budget_exhausted'
  | 'malformed_encoding'
  | 'unsupported_encoding'
  | 'malformed_frame'
  | 'unauthenticated'
  | 'not_admitted'
  | 'draining';

/** Told of every rejection, for metrics; must not throw. `detail` is for a log line. */
export type RejectHook = (reason: RejectReason, detail: string) => void;

/** The outcome of checking credentials. */
export type AuthOutcome =
  | { readonly ok: true; readonly attributes?: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly status: 401 | 403; readonly text: string; readonly headers?: ReplyHeaders };

/** Checks credentials on the headers alone, before a body is read. */
export type Authenticate = (head: RequestHead) => AuthOutcome | Promise<AuthOutcome>;
