import type { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import type { SpanExporter } from '../exporter/span-exporter.ts';
import type { SpanNaming } from './route-bytes.ts';
import { SpanWriter } from './span-writer.ts';
import type { WallClock } from './wall-clock.ts';

/** Hands what has ended to the exporter, if its trace is sampled. Hot path, guarded by `bench/gateway-telemetry`. */
export class SpanRecorder {
  readonly #exporter: SpanExporter;
  readonly #writer: SpanWriter;

  constructor(exporter: SpanExporter, clock: WallClock, naming: SpanNaming & { readonly includeQuery?: boolean }) {
    this.#exporter = exporter;
    this.#writer = new SpanWriter(clock, naming);
  }

  requestEnded(exchange: Exchange): void {
    if (!exchange.trace.sampled || exchange.trace.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    this.#writer.request(open, exchange);
    this.#exporter.written();
  }

  attemptEnded(exchange: Exchange, attempt: Attempt): void {
    if (!exchange.trace.sampled || attempt.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    this.#writer.attempt(open, exchange, attempt);
    this.#exporter.written();
  }

  agentCallEnded(exchange: Exchange, call: AgentCall): void {
    if (!exchange.trace.sampled || call.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    this.#writer.agentCall(open, exchange, call);
    this.#exporter.written();
  }
}
