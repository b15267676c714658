import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Authenticate, HttpHandler, HttpReply, RejectHook, ReplyHeaders, RequestHead } from '../exchange.ts';
import type { GrpcService } from '../grpc/service.ts';
import type { CorsSettings } from '../http/cors.ts';
import type { TlsServerSettings } from '../tls/settings.ts';

/** Where to listen. Port 0 takes any free port and is never shared. */
export type ListenEndpoint =
  | { readonly transport: 'tcp' | 'tcp4' | 'tcp6'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

/** Times and limits of a listener's connections. Every one has a default; 0 switches a time limit off. */
export interface ConnectionSettings {
  /** Connections at once. Default 10,000; beyond them new ones are closed. */
  readonly maxConnections?: number;
  /** Time to say the first byte. Default 60,000. */
  readonly firstByteTimeoutMs?: number;
  /** HTTP/1.1: time for a request's head. Default 60,000 (`read_header_timeout`). */
  readonly headerTimeoutMs?: number;
  /** HTTP/1.1: time for a whole request. Default 0 = none (`read_timeout`); bodies have their own idle timeout. */
  readonly requestTimeoutMs?: number;
  /** Idle time between requests before a connection is closed. Default 60,000 (`idle_timeout`). */
  readonly idleTimeoutMs?: number;
  /** A client that takes nothing of its reply for this long is cut off. Default 30,000 (`write_timeout`). */
  readonly writeIdleTimeoutMs?: number;
  /** HTTP/1.1: keep connections for further requests. Default true (`keep_alives_enabled`). */
  readonly keepAlive?: boolean;
  /** Size of a request's head. Default 16 KiB on HTTP/1.1 and HTTP/2. */
  readonly maxHeaderBytes?: number;
  /** HTTP/2 streams per connection. Default 0 = 4,294,967,295, as far as memory allows. */
  readonly maxConcurrentStreams?: number;
  /** HTTP/2: streams a peer may reset at once before it counts as an attack. Default 1,000. */
  readonly streamResetBurst?: number;
  /** HTTP/2: streams a peer may reset per second besides the burst. Default 33. */
  readonly streamResetsPerSecond?: number;
  /** Bytes of request bodies held at once over all connections. Default 512 MiB. */
  readonly maxInFlightBodyBytes?: number;
  readonly keepalive?: KeepaliveSettings;
}

/** gRPC's server keepalive block. Absent or 0 means "for ever" unless a default is given. */
export interface KeepaliveSettings {
  readonly maxConnectionIdleMs?: number;
  readonly maxConnectionAgeMs?: number;
  readonly maxConnectionAgeGraceMs?: number;
  /** Ping a silent client after this. Default 7,200,000. */
  readonly timeMs?: number;
  /** Wait for the ping's answer. Default 20,000. */
  readonly timeoutMs?: number;
  /** Clients that ping more often are sent away. Default 300,000. */
  readonly minTimeMs?: number;
  /** Allow pings while no stream is open. Default false. */
  readonly permitWithoutStream?: boolean;
}

/** What an owner asks of a listener. */
export interface ListenerOptions {
  readonly endpoint: ListenEndpoint;
  /** Names the owner in errors and snapshots, such as `otlp/grpc`. */
  readonly owner: string;
  readonly tls?: TlsServerSettings;
  /** The first owner's settings hold for a shared listener; a later owner's differing ones are a notice. */
  readonly connections?: ConnectionSettings;
  /** Let several threads or processes listen on the same port (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean;
  /** Told of rejections made before a mount was chosen. */
  readonly onRejected?: RejectHook;
  /** Told once of each thing worth a log line, such as a client that speaks TLS to a plaintext port. */
  readonly onNotice?: (text: string) => void;
}

/** Routes of one owner, and what holds for all of them. */
export interface HttpMount {
  /** Exact paths (`/v1/traces`), or prefixes that end in `*` (`/api/*`). The longest match wins. */
  readonly paths: readonly string[];
  readonly handler: HttpHandler;
  readonly cors?: CorsSettings;
  /** Added to every reply. */
  readonly responseHeaders?: ReplyHeaders;
  readonly authenticate?: Authenticate;
  /** Runs on the headers, before the body is read: a reply refuses the request at once. */
  admit?(head: RequestHead): HttpReply | undefined;
  readonly onRejected?: RejectHook;
}

/** Requests handed on as Node's own objects, for frameworks that want them. */
export interface NodeMount {
  /** As in `HttpMount`. */
  readonly paths: readonly string[];
  readonly handle: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => void;
}

/** A bound address. */
export type BoundAddress =
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

/** A listener, seen from outside. */
export interface ListenerSnapshot {
  readonly state: 'listening' | 'draining' | 'closed';
  readonly address: BoundAddress;
  readonly secure: boolean;
  readonly owners: readonly string[];
  readonly paths: readonly string[];
  readonly services: readonly string[];
  readonly connections: { readonly sniffing: number; readonly http1: number; readonly http2: number };
  readonly inFlightRequests: number;
  readonly inFlightBodyBytes: number;
  readonly requestsTotal: number;
  readonly rejectedTotal: Readonly<Record<string, number>>;
}

/** One owner's share of a listener. */
export interface ListenerLease {
  readonly address: BoundAddress;
  /** Fails with `route_conflict` when another owner has the path. The returned function removes the routes. */
  mountHttp(mount: HttpMount): () => void;
  mountNode(mount: NodeMount): () => void;
  /** Fails with `route_conflict` when another owner has the service. */
  mountGrpc(service: GrpcService): () => void;
  /**
   * Stops answering for this owner and waits for its requests; the last owner's release also stops accepting,
   * tells HTTP/2 peers with GOAWAY and closes. Requests still running after `graceMs` are destroyed. Idempotent.
   */
  release(options?: { readonly graceMs?: number }): Promise<void>;
  snapshot(): ListenerSnapshot;
}
