import { AttributeLevel } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { PassThrough, withoutBodyHash } from '@clew/pipeline';
import type { ConsumeContext, CreateSettings, TracesConsumer } from '@clew/pipeline';
import { AttributeActions } from '../common/attribute-actions.ts';
import type { ResourceConfig } from './config.ts';

/** Edits the attributes of resources; spans are untouched. */
export class ResourceProcessor extends PassThrough {
  readonly mutatesData = true;
  readonly #actions: AttributeActions;
  #editedBatches = 0;

  constructor({ config, gates }: CreateSettings<ResourceConfig>, next: TracesConsumer) {
    super(next);
    this.#actions = new AttributeActions(config.attributes, gates);
  }

  override snapshot(): Readonly<Record<string, unknown>> {
    return { editedBatches: this.#editedBatches };
  }

  override async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const rows = Array.from({ length: batch.resourceTable.count }, (_, row) => row);
    const edited = this.#actions.apply(batch, AttributeLevel.RESOURCE, rows, context);
    if (edited) this.#editedBatches++;
    await this.next.consumeTraces(batch, edited ? withoutBodyHash(context) : context);
  }
}
