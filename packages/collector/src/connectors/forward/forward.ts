import type { SpanBatch } from '@clew/model';
import type { Component, ConsumeContext, Durability, Refusal, TracesConsumer } from '@clew/pipeline';

/** Hands everything from the pipelines it ends to those it begins. */
export class Forward implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #next: TracesConsumer;

  constructor(next: TracesConsumer) {
    this.#next = next;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return {};
  }

  durability(): Durability {
    return this.#next.durability();
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.#next.admit(requestBytes);
  }

  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    return this.#next.consumeTraces(batch, context);
  }
}
