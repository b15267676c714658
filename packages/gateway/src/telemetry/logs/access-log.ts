import { accessLogFields } from '../../config/model/observability.ts';
import type { AccessLogConfig, AccessLogField } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { headerOf } from '../header.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { LineSink } from './log-sink.ts';
import { commonLogTime, rfc3339Millis } from './time-text.ts';
import { traceIdText } from './trace-text.ts';

/** One line for each request that has ended. Hot path, guarded by `bench/gateway`. */

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** What is on in JSON lines; read once, since looking a name up costs more than writing the field. */
type Shown = Readonly<Record<AccessLogField, boolean>>;

/** Writes access-log lines as the configuration asks for them. */
export class AccessLog {
  readonly #config: AccessLogConfig;
  readonly #sink: LineSink;
  readonly #shown: Shown;
  readonly #instance: string;
  readonly #random: () => number;

  constructor(config: AccessLogConfig, sink: LineSink, instanceId: string, random: () => number = Math.random) {
    this.#config = config;
    this.#sink = sink;
    this.#random = random;
    this.#instance = `,"instance_id":"${instanceId}"`;
    const omitted = new Set(config.omittedFields);
    this.#shown = Object.fromEntries(
      accessLogFields.map((name) => [name, !omitted.has(name) && (name !== 'trace_id' || config.includeTraceId)]),
    ) as Shown;
  }

  requestEnded(exchange: Exchange): void {
    if (!this.#config.enabled || !this.#sampled(exchange.status)) return;
    const { line } = this.#sink;
    const start = line.length;
    if (this.#config.format === 'json') this.#json(line, exchange);
    else this.#combined(line, exchange);
    line.byte(NEWLINE);
    this.#sink.lineWritten(start);
  }

  #sampled(status: number): boolean {
    const { sampleRate, sampleErrorsAlways } = this.#config;
    if (sampleRate >= 1 || (sampleErrorsAlways && status >= 400)) return true;
    return this.#random() < sampleRate;
  }

  #json(line: LineBuffer, exchange: Exchange): void {
    const shown = this.#shown;
    const { connection, requestHeaders } = exchange;
    const start = line.length;
    if (shown.timestamp) asciiField(line, ',"timestamp":"', rfc3339Millis(exchange.startUnixMs));
    if (shown.trace_id) textField(line, ',"trace_id":"', traceIdText(exchange));
    if (shown.method) textField(line, ',"method":"', exchange.method);
    if (shown.path) textField(line, ',"path":"', exchange.path);
    if (shown.status) integerField(line, ',"status":', exchange.status);
    if (shown.latency_ms) integerField(line, ',"duration_ms":', Math.max(0, exchange.durationMs));
    if (shown.trace_id) optionalField(line, ',"span_id":"', exchange.trace.spanId);
    textField(line, ',"correlation_id":"', exchange.correlationId);
    if (shown.query) optionalField(line, ',"query":"', exchange.query);
    if (shown.client_ip) textField(line, ',"client_ip":"', connection.clientIp);
    if (shown.user_agent) optionalField(line, ',"user_agent":"', headerOf(requestHeaders, 'user-agent'));
    if (shown.referer) optionalField(line, ',"referer":"', headerOf(requestHeaders, 'referer'));
    optionalField(line, ',"host":"', exchange.authority);
    asciiField(line, ',"protocol":"HTTP/', exchange.httpVersion);
    integerField(line, ',"body_bytes":', exchange.responseBodyBytes);
    if (shown.body_bytes_sent) integerField(line, ',"body_bytes_sent":', exchange.responseBodyBytes);
    if (exchange.route !== undefined) textField(line, ',"route_id":"', exchange.route.id);
    optionalField(line, ',"upstream":"', exchange.upstreamId);
    this.#upstream(line, exchange);
    if (shown.rate_limit_hit) line.ascii(exchange.rateLimitHit ? ',"rate_limit_hit":true' : ',"rate_limit_hit":false');
    line.ascii(this.#instance);
    line.byte(BRACE_CLOSE);
    // Each field begins with a comma; the first one's becomes the brace.
    line.bytes[start] = BRACE_OPEN;
  }

  #upstream(line: LineBuffer, { lastAttempt, attempts }: Exchange): void {
    if (this.#shown.upstream_addr) optionalField(line, ',"upstream_addr":"', lastAttempt?.remoteAddress ?? '');
    integerField(line, ',"upstream_attempts":', attempts.length);
    if (!this.#shown.connection_reused) return;
    line.ascii(lastAttempt?.connectionReused ? ',"connection_reused":true' : ',"connection_reused":false');
  }

  /** Fields that are switched off show as missing ones do: the format has no other way. */
  #combined(line: LineBuffer, exchange: Exchange): void {
    const shown = this.#shown;
    const { requestHeaders, query } = exchange;
    line.json(shown.client_ip ? exchange.connection.clientIp || '-' : '-');
    line.ascii(' - - [');
    line.ascii(shown.timestamp ? commonLogTime(exchange.startUnixMs) : '-');
    line.ascii('] "');
    line.json(shown.method ? exchange.method || '-' : '-');
    line.ascii(' ');
    line.json(shown.path ? exchange.path || '-' : '-');
    if (shown.query && query !== '') {
      line.ascii('?');
      line.json(query);
    }
    line.ascii(' HTTP/');
    line.ascii(exchange.httpVersion);
    line.ascii('" ');
    line.ascii(shown.status ? String(exchange.status) : '-');
    line.ascii(' ');
    line.ascii(shown.body_bytes_sent ? String(exchange.responseBodyBytes) : '-');
    line.ascii(' "');
    line.json((shown.referer && headerOf(requestHeaders, 'referer')) || '-');
    line.ascii('" "');
    line.json((shown.user_agent && headerOf(requestHeaders, 'user-agent')) || '-');
    line.ascii('" ');
    line.json((shown.trace_id && traceIdText(exchange)) || '-');
    line.ascii(' ');
    line.ascii(shown.latency_ms ? `${Math.max(0, exchange.durationMs)}ms` : '-');
  }
}

/** `prefix` has the field's comma, key, colon and opening quote. */
function textField(line: LineBuffer, prefix: string, value: string): void {
  line.ascii(prefix);
  line.json(value);
  line.byte(QUOTE);
}

function asciiField(line: LineBuffer, prefix: string, value: string): void {
  line.ascii(prefix);
  line.ascii(value);
  line.byte(QUOTE);
}

function optionalField(line: LineBuffer, prefix: string, value: string): void {
  if (value !== '') textField(line, prefix, value);
}

function integerField(line: LineBuffer, prefix: string, value: number): void {
  line.ascii(prefix);
  line.integer(value);
}
