import { accessLogFields } from '../../config/model/observability.ts';
import type { AccessLogConfig, AccessLogField } from '../../config/model/observability.ts';
import type { Attempt, Exchange } from '../../proxy/exchange.ts';
import { ConnectionBytes } from '../connection-bytes.ts';
import { headerOf } from '../header.ts';
import { LineBuffer } from './line-buffer.ts';
import { RouteLines } from './route-lines.ts';
import { Rfc3339Millis } from './time-text.ts';

/**
 * Lines of the access log as JSON. Hot path, guarded by `bench/gateway-telemetry`: what requests have in common is kept as bytes, and
 * their own texts go straight into the line.
 */

/** What is on; read once, since looking a name up costs more than writing the field. */
export type ShownFields = Readonly<Record<AccessLogField, boolean>>;

/** The fields that `config` leaves on. */
export function shownFields({ omittedFields, includeTraceId }: AccessLogConfig): ShownFields {
  const omitted = new Set(omittedFields);
  return Object.fromEntries(
    accessLogFields.map((name) => [name, !omitted.has(name) && (name !== 'trace_id' || includeTraceId)]),
  ) as ShownFields;
}

const BRACE_OPEN = 0x7b;
const QUOTE = 0x22;

/** Beginnings of fields: comma, name, colon, and the quote of a text. */
const timestamp = Buffer.from(',"timestamp":"');
const traceId = Buffer.from(',"trace_id":"');
const path = Buffer.from(',"path":"');
const status = Buffer.from(',"status":');
const duration = Buffer.from(',"duration_ms":');
const spanId = Buffer.from(',"span_id":"');
const correlationId = Buffer.from(',"correlation_id":"');
const query = Buffer.from(',"query":"');
const clientIp = Buffer.from(',"client_ip":"');
const userAgentField = Buffer.from(',"user_agent":"');
const refererField = Buffer.from(',"referer":"');
const host = Buffer.from(',"host":"');
const protocol = Buffer.from(',"protocol":"HTTP/');
const bodyBytes = Buffer.from(',"body_bytes":');
const upstreamDuration = Buffer.from(',"upstream_duration_ms":');
const bodyBytesSent = Buffer.from(',"body_bytes_sent":');

/** Writes lines of one log. */
export class JsonAccessLine {
  readonly #shown: ShownFields;
  readonly #time = new Rfc3339Millis();
  readonly #clients: ConnectionBytes;
  readonly #routes: RouteLines;

  constructor(shown: ShownFields, instanceId: string) {
    this.#shown = shown;
    this.#routes = new RouteLines(shown, instanceId);
    const scratch = new LineBuffer();
    this.#clients = new ConnectionBytes((exchange, userAgent, referer) => {
      scratch.length = 0;
      this.#client(scratch, exchange, userAgent, referer);
      return scratch.copy();
    });
  }

  /** Appends a line, without its line break. */
  write(line: LineBuffer, exchange: Exchange): void {
    const shown = this.#shown;
    const start = line.length;
    const common = this.#routes.find(exchange);
    if (shown.timestamp) {
      line.append(timestamp);
      line.append(this.#time.of(exchange.startUnixMs));
      line.byte(QUOTE);
    }
    if (shown.trace_id) line.quoted(traceId, exchange.logTraceId);
    if (shown.method) line.append(common.method);
    if (shown.path) line.quoted(path, exchange.path);
    if (shown.status) line.number(status, exchange.status);
    if (shown.latency_ms) line.number(duration, Math.max(0, exchange.durationMs));
    if (shown.trace_id && exchange.trace.spanId !== '') line.quoted(spanId, exchange.trace.spanId);
    line.quoted(correlationId, exchange.correlationId);
    if (shown.query && exchange.query !== '') line.quoted(query, exchange.query);
    this.#clientOf(line, exchange);
    line.number(bodyBytes, exchange.responseBodyBytes);
    if (shown.body_bytes_sent) line.number(bodyBytesSent, exchange.responseBodyBytes);
    if (shown.upstream_duration_ms) this.#upstreamDuration(line, exchange.lastAttempt);
    line.append(common.end);
    // Each field begins with a comma; the first one's becomes the brace.
    line.bytes[start] = BRACE_OPEN;
  }

  /** Until the head of the response that counts came. */
  #upstreamDuration(line: LineBuffer, attempt: Attempt | undefined): void {
    if (attempt === undefined || attempt.headMs === 0) return;
    line.number(upstreamDuration, Math.max(0, Math.round(attempt.headMs - attempt.startMs)));
  }

  #clientOf(line: LineBuffer, exchange: Exchange): void {
    const { requestHeaders } = exchange;
    const userAgent = this.#shown.user_agent ? headerOf(requestHeaders, 'user-agent') : '';
    const referer = this.#shown.referer ? headerOf(requestHeaders, 'referer') : '';
    const known = this.#clients.find(exchange, userAgent, referer);
    if (known === undefined) this.#client(line, exchange, userAgent, referer);
    else line.append(known);
  }

  #client(line: LineBuffer, exchange: Exchange, userAgent: string, referer: string): void {
    if (this.#shown.client_ip) line.quoted(clientIp, exchange.connection.clientIp);
    if (userAgent !== '') line.quoted(userAgentField, userAgent);
    if (referer !== '') line.quoted(refererField, referer);
    if (exchange.authority !== '') line.quoted(host, exchange.authority);
    line.quoted(protocol, exchange.httpVersion);
  }
}
