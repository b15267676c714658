import type { SpanBatch } from '@clew/model';
import type { Component, ConsumeContext, Durability, Refusal, TracesConsumer } from '@clew/pipeline';

/**
 * Passes everything on. Where others count here what goes by, the `remote_sampling` extension counts what is stored: that survives
 * restarts, and is the same whichever process received it.
 */
export class AdaptiveSamplingProcessor implements Component, TracesConsumer {
  readonly mutatesData = false;
  readonly #next: TracesConsumer;

  constructor(next: TracesConsumer) {
    this.#next = next;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

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
