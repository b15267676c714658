import type { ErrorLogConfig } from '../../config/model/observability.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import type { LineSink } from './log-sink.ts';
import { jsonLine } from './json-line.ts';
import { rfc3339Millis } from './time-text.ts';

/** Requests that ended badly: those answered with 500 and above, and failures of the gateway's own. */
export class ErrorLog {
  readonly #config: ErrorLogConfig;
  readonly #sink: LineSink;

  constructor(config: ErrorLogConfig, sink: LineSink) {
    this.#config = config;
    this.#sink = sink;
  }

  requestEnded(exchange: Exchange): void {
    const { status, failure, end } = exchange;
    const severe = status >= 500 || end === 'cut';
    // Who asks for what does not exist has made the mistake, and often on purpose: the access log has it.
    const remarkable = severe || (failure !== undefined && failure.type !== 'NotFound');
    if (!this.#config.enabled || !remarkable) return;
    if (this.#config.level === 'error' && !severe) return;
    this.#write(severe ? 'error' : 'warn', exchange);
  }

  #write(level: 'error' | 'warn', exchange: Exchange): void {
    const { line } = this.#sink;
    const start = line.length;
    const { failure, lastAttempt, upstreamId } = exchange;
    line.text(
      jsonLine({
        timestamp: rfc3339Millis(Date.now()),
        trace_id: exchange.logTraceId,
        level,
        message: messageOf(exchange),
        route_id: exchange.route?.id,
        upstream: upstreamId === '' ? undefined : upstreamId,
        correlation_id: exchange.correlationId,
        details: {
          status: exchange.status,
          error_type: failure?.type,
          reason: failure?.reason,
          method: exchange.method,
          path: exchange.path,
          upstream_addr: lastAttempt?.remoteAddress || undefined,
          attempts: exchange.attempts.length,
          attempt_failure: lastAttempt?.failure,
        },
      }),
    );
    this.#sink.lineWritten(start);
  }
}

function messageOf({ failure, end, status, answeredBy }: Exchange): string {
  if (failure !== undefined) return failure.message;
  if (end === 'cut') return 'the response could not be finished';
  return `${answeredBy === 'upstream' ? 'the upstream' : `the ${answeredBy}`} answered with status ${status}`;
}
