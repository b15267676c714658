import { AttributeLevel } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { withoutBodyHash } from '@clew/pipeline';
import type { Component, ConsumeContext, CreateSettings, Durability, Refusal, TracesConsumer } from '@clew/pipeline';
import { AttributeActions } from '../common/attribute-actions.ts';
import type { ResourceConfig } from './config.ts';

/** Edits the attributes of resources; spans are untouched. */
export class ResourceProcessor implements Component, TracesConsumer {
  readonly mutatesData = true;
  readonly #next: TracesConsumer;
  readonly #actions: AttributeActions;
  #editedBatches = 0;

  constructor({ config, gates }: CreateSettings<ResourceConfig>, next: TracesConsumer) {
    this.#next = next;
    this.#actions = new AttributeActions(config.attributes, gates);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { editedBatches: this.#editedBatches };
  }

  durability(): Durability {
    return this.#next.durability();
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.#next.admit(requestBytes);
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const rows = Array.from({ length: batch.resourceTable.count }, (_, row) => row);
    const edited = this.#actions.apply(batch, AttributeLevel.RESOURCE, rows, context);
    if (edited) this.#editedBatches++;
    await this.#next.consumeTraces(batch, edited ? withoutBodyHash(context) : context);
  }
}
