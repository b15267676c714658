import type { AccessLogConfig } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { headerOf } from '../header.ts';
import { JsonAccessLine, shownFields } from './json-access-line.ts';
import type { ShownFields } from './json-access-line.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { LineSink } from './log-sink.ts';
import { commonLogTime } from './time-text.ts';

/** One line for each request that has ended. Hot path, guarded by `bench/gateway-telemetry`. */

const NEWLINE = 0x0a;

/** Writes access-log lines as the configuration asks for them. */
export class AccessLog {
  readonly #config: AccessLogConfig;
  readonly #sink: LineSink;
  readonly #shown: ShownFields;
  readonly #jsonLine: JsonAccessLine;
  readonly #random: () => number;

  constructor(config: AccessLogConfig, sink: LineSink, instanceId: string, random: () => number = Math.random) {
    this.#config = config;
    this.#sink = sink;
    this.#random = random;
    this.#shown = shownFields(config);
    this.#jsonLine = new JsonAccessLine(this.#shown, instanceId);
  }

  requestEnded(exchange: Exchange): void {
    if (!this.#config.enabled || !this.#sampled(exchange.status)) return;
    const { line } = this.#sink;
    const start = line.length;
    if (this.#config.format === 'json') this.#jsonLine.write(line, exchange);
    else this.#combined(line, exchange);
    line.byte(NEWLINE);
    this.#sink.lineWritten(start);
  }

  #sampled(status: number): boolean {
    const { sampleRate, sampleErrorsAlways } = this.#config;
    if (sampleRate >= 1 || (sampleErrorsAlways && status >= 400)) return true;
    return this.#random() < sampleRate;
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
    line.json((shown.trace_id && exchange.logTraceId) || '-');
    line.ascii(' ');
    line.ascii(shown.latency_ms ? `${Math.max(0, exchange.durationMs)}ms` : '-');
  }
}
