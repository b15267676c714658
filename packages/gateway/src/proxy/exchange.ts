import { TraceContext, extractW3c, rawHeaders } from '@clew/wire/propagation';
import type { AgentCallEnd, AgentCallStart } from '../agents/index.ts';
import type { RouteConfig, ServiceType } from '../config/model/route.ts';
import type { GatewayFailure } from './failure.ts';
import type { AttemptErrorCode } from '../errors.ts';

/** Filled anew for each look at an inbound trace. */
const inbound = new TraceContext();

/** Who made the response that the client got. */
export type AnsweredBy = 'upstream' | 'builtin' | 'static' | 'filter' | 'agent' | 'gateway';

/**
 * How a request ended.
 *
 * - `complete`: the client got the whole response (which may be an error of the gateway's own).
 * - `client_gone`: the client went away before; logged as 499 when no response had begun.
 * - `cut`: the response had begun and could not be finished, so that the client's connection was cut.
 */
export type ExchangeEnd = 'complete' | 'client_gone' | 'cut';

/** Why a request was not let through, as metrics and the audit log say it. */
export type BlockReason =
  | 'agent_blocked'
  | 'rate_limited'
  | 'websocket_not_enabled'
  | 'header_count_exceeded'
  | 'header_size_exceeded'
  | 'body_size_exceeded'
  | 'connection_limit'
  | 'in_flight_limit'
  | 'malformed_request';

/** TLS as the client's connection has it. */
export interface ClientTls {
  /** `TLSv1.3` and the like. */
  readonly version: string;
  readonly cipher: string;
  /** The server name the client asked for; '' when it named none. */
  readonly serverName: string;
  /** How long agreeing on all that took. */
  readonly handshakeMs: number;
}

/** Where a request came from. One object for all requests of a connection. */
export interface ClientConnection {
  readonly listenerId: string;
  /** The peer's address alone, IPv4 in its own form. */
  readonly clientIp: string;
  readonly clientPort: number;
  /** Port this connection was accepted on. */
  readonly localPort: number;
  /** Absent on plain connections. */
  readonly tls?: ClientTls;
  /** Requests begun on it so far, the present one included. */
  requests: number;
  /** It ends with the response under way: whatever else the client has sent is not served. */
  closing: boolean;
}

/** Why an attempt failed, as metrics say it; `invalid_response` and `connection_closed` are of Clew's own. */
export type AttemptFailureReason = AttemptErrorCode;

/** One try to get a response from an upstream. Times are `performance.now()` milliseconds. */
export class Attempt {
  readonly upstreamId: string;
  /** As configured. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** From 0; the n-th is resent n times. */
  readonly index: number;
  readonly startMs: number;
  /** The id sent to the backend in `traceparent`; '' without tracing. */
  spanId = '';
  /** The address connected to, `ip:port`; '' as long as there is none. */
  remoteAddress = '';
  connectionReused = false;
  /** The path that was asked for; '' = the client's. */
  path = '';
  /** When the response head came; 0 = it did not. */
  headMs = 0;
  /** 0 while it runs. */
  endMs = 0;
  /** 0 without a response. */
  status = 0;
  failure: AttemptFailureReason | undefined;
  failureMessage = '';

  constructor(upstreamId: string, host: string, port: number, tls: boolean, index: number, startMs: number) {
    this.upstreamId = upstreamId;
    this.host = host;
    this.port = port;
    this.tls = tls;
    this.index = index;
    this.startMs = startMs;
  }
}

/** One call of an agent. Times are `performance.now()` milliseconds. */
export class AgentCall {
  readonly start: AgentCallStart;
  readonly startMs: number;
  /** The id the agent gets in `traceparent`; '' without tracing. */
  spanId = '';
  endMs = 0;
  /** Absent while it runs. */
  end: AgentCallEnd | undefined;

  constructor(start: AgentCallStart, startMs: number) {
    this.start = start;
    this.startMs = startMs;
  }
}

/**
 * Everything there is to know about one request, from its head to its last byte. The proxy writes it, observers read it.
 * Every field exists from the start, so that all exchanges have one shape.
 *
 * Times are `performance.now()` milliseconds: add `performance.timeOrigin` for a time of day.
 */
export class Exchange {
  readonly connection: ClientConnection;
  readonly startMs: number;
  /** `Date.now()` at the start, for logs. */
  readonly startUnixMs: number;
  /** '' when the request could not be read at all. */
  method = '';
  /** The target as sent; '' when the request could not be read at all. */
  target = '';
  /** Undecoded, without query. */
  path = '';
  /** Undecoded, without its question mark; '' when there is none. */
  query = '';
  /** `:authority` or Host as sent; '' when there is none. */
  authority = '';
  httpVersion: '1.0' | '1.1' | '2.0' = '1.1';
  /** As received: name, value, name, value, … Never changed. */
  requestHeaders: readonly string[] = [];
  /** Text safe for logs and headers; also the id sent downstream. */
  correlationId = '';
  /**
   * The request's own span: `spanId` is the request span's id, `parentSpanId` the inbound one ('' = root), `flags` the decision.
   * Empty ids without tracing.
   */
  readonly trace = new TraceContext();
  route: RouteConfig | undefined;
  /** The path condition that matched, as written; '' without one. */
  routePattern = '';
  /** The prefix that matched; '' when the route was found otherwise. */
  matchedPrefix = '';
  serviceType: ServiceType = 'web';
  /** The upstream the route leads to; '' for other destinations. */
  upstreamId = '';
  readonly attempts: Attempt[] = [];
  readonly agentCalls: AgentCall[] = [];
  /** Body bytes received from the client, as far as they were read. */
  requestBodyBytes = 0;
  /** Body bytes handed to the client's connection. */
  responseBodyBytes = 0;
  /** The status sent; 499 when the client went away before one was; 0 while there is none. */
  status = 0;
  answeredBy: AnsweredBy = 'gateway';
  blocked: BlockReason | undefined;
  /** The agent that refused; '' when none did. */
  blockedByAgent = '';
  /** Whether the gateway itself answered with a rate limit's refusal. */
  rateLimitHit = false;
  /** Whether this was upgraded to WebSocket. */
  upgraded = false;
  /** What went wrong on the gateway's side or behind it. */
  failure: GatewayFailure | undefined;
  end: ExchangeEnd = 'complete';
  /** 0 while it runs. */
  endMs = 0;

  constructor(connection: ClientConnection, startMs: number, startUnixMs: number) {
    this.connection = connection;
    this.startMs = startMs;
    this.startUnixMs = startUnixMs;
  }

  /** The last attempt's, if there was one. */
  get lastAttempt(): Attempt | undefined {
    return this.attempts[this.attempts.length - 1];
  }

  /** What logs and error bodies call the trace id: the trace's, else an inbound one that is valid, else the correlation id. */
  get logTraceId(): string {
    if (this.trace.traceId !== '') return this.trace.traceId;
    // Extracting only reads the list.
    return extractW3c(this.requestHeaders as string[], rawHeaders, inbound) ? inbound.traceId : this.correlationId;
  }

  /** Whole milliseconds from the head to the last byte. */
  get durationMs(): number {
    return Math.round(this.endMs - this.startMs);
  }
}
