import type { AgentCall, Attempt, Exchange } from '../../proxy/exchange.ts';
import type { SpanExporter } from '../exporter/span-exporter.ts';
import { writeAgentSpan, writeAttemptSpan, writeRequestSpan } from './span-writer.ts';
import type { WallClock } from './wall-clock.ts';

/** Hands what has ended to the exporter, if its trace is sampled. Hot path, guarded by `bench/gateway`. */
export class SpanRecorder {
  readonly #exporter: SpanExporter;
  readonly #clock: WallClock;
  readonly #serviceName: string;

  constructor(exporter: SpanExporter, clock: WallClock, serviceName: string) {
    this.#exporter = exporter;
    this.#clock = clock;
    this.#serviceName = serviceName;
  }

  requestEnded(exchange: Exchange): void {
    if (!exchange.trace.sampled || exchange.trace.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    writeRequestSpan(open, exchange, this.#clock, this.#serviceName);
    this.#exporter.written();
  }

  attemptEnded(exchange: Exchange, attempt: Attempt): void {
    if (!exchange.trace.sampled || attempt.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    writeAttemptSpan(open, exchange, attempt, this.#clock);
    this.#exporter.written();
  }

  agentCallEnded(exchange: Exchange, call: AgentCall): void {
    if (!exchange.trace.sampled || call.spanId === '') return;
    const open = this.#exporter.room();
    if (open === undefined) return;
    writeAgentSpan(open, exchange, call, this.#clock);
    this.#exporter.written();
  }
}
