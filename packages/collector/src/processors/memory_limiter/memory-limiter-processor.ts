import type { SpanBatch } from '@clew/model';
import { Refusal, isMemoryHolder } from '@clew/pipeline';
import type {
  Component,
  ConsumeContext,
  CreateSettings,
  Durability,
  Host,
  MemoryHolder,
  TracesConsumer,
} from '@clew/pipeline';
import type { MemoryLimiterConfig } from './config.ts';
import { MemoryLimiter, processMemory } from './limiter.ts';
import type { MemoryProbe } from './limiter.ts';
import { limiterEvents } from './telemetry.ts';
import type { LimiterEvents } from './telemetry.ts';

/** One limiter for each settings object: pipelines that name one id share it. */
const limiters = new WeakMap<MemoryLimiterConfig, MemoryLimiter>();

/** Refuses data while memory is short, before its body is read where the receiver asks first. */
export class MemoryLimiterProcessor implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #limiter: MemoryLimiter;
  readonly #next: TracesConsumer;
  readonly #events: LimiterEvents;
  readonly #retryAfterMs: number;
  #endObservation: (() => void) | undefined;

  constructor(
    { id, config, telemetry }: CreateSettings<MemoryLimiterConfig>,
    next: TracesConsumer,
    probe: MemoryProbe = processMemory,
  ) {
    this.#next = next;
    this.#events = limiterEvents(telemetry, id);
    this.#retryAfterMs = Math.ceil(config.check_interval);
    let limiter = limiters.get(config);
    if (limiter === undefined) limiters.set(config, (limiter = new MemoryLimiter(config, this.#events, probe)));
    this.#limiter = limiter;
  }

  start(host: Host): Promise<void> {
    if (this.#endObservation !== undefined) return Promise.resolve();
    const holder: MemoryHolder | undefined = host.capability(isMemoryHolder);
    this.#limiter.acquire(() => (holder?.heldBytes() ?? 0) + (host.otherThreadsBytes?.() ?? 0));
    this.#endObservation = this.#events.observe(this.#limiter);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    if (this.#endObservation === undefined) return Promise.resolve();
    this.#endObservation();
    this.#endObservation = undefined;
    this.#limiter.release();
    return Promise.resolve();
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const { limits, usedBytes, refusing } = this.#limiter;
    return { ...limits, usedBytes, refusing };
  }

  durability(): Durability {
    return this.#next.durability();
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.#limiter.admits(requestBytes) ? this.#next.admit(requestBytes) : this.#refusal();
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const spans = batch.count;
    if (this.#limiter.refusing) {
      this.#events.refused(spans);
      throw this.#refusal();
    }
    this.#events.accepted(spans);
    await this.#next.consumeTraces(batch, context);
  }

  #refusal(): Refusal {
    return new Refusal('unavailable', 'data refused due to high memory usage', { retryAfterMs: this.#retryAfterMs });
  }
}
