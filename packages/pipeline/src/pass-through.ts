import type { SpanBatch } from '@clew/model';
import type { Component } from './component.ts';
import type { ConsumeContext, Durability, Refusal, TracesConsumer } from './consumer.ts';

/**
 * A component that keeps nothing: what it hands on of a batch it hands on before it answers, and so it promises and takes what the next
 * one does. To be extended with what it does besides.
 */
export abstract class PassThrough implements Component, TracesConsumer {
  abstract readonly mutatesData: boolean;
  protected readonly next: TracesConsumer;

  constructor(next: TracesConsumer) {
    this.next = next;
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
    return this.next.durability();
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.next.admit(requestBytes);
  }

  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    return this.next.consumeTraces(batch, context);
  }
}
