import { AttributeLevel } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { PassThrough, withoutBodyHash } from '@clew/pipeline';
import type { ConsumeContext, CreateSettings, TracesConsumer } from '@clew/pipeline';
import { AttributeActions } from '../common/attribute-actions.ts';
import { SpanMatcher, selection } from '../common/span-matcher.ts';
import type { RowTest } from '../common/span-matcher.ts';
import type { AttributesConfig } from './config.ts';

/** Edits the attributes of spans, all of them or those a match block means. */
export class AttributesProcessor extends PassThrough {
  readonly mutatesData = true;
  readonly #actions: AttributeActions;
  readonly #selected: ((batch: SpanBatch) => RowTest) | undefined;
  #editedBatches = 0;

  constructor({ config, gates }: CreateSettings<AttributesConfig>, next: TracesConsumer) {
    super(next);
    const { actions, include, exclude } = config;
    this.#actions = new AttributeActions(actions, gates);
    if (include === undefined && exclude === undefined) return;
    this.#selected = selection(include && new SpanMatcher(include), exclude && new SpanMatcher(exclude));
  }

  override snapshot(): Readonly<Record<string, unknown>> {
    return { editedBatches: this.#editedBatches };
  }

  override async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const edited = this.#actions.apply(batch, AttributeLevel.SPAN, this.#rows(batch), context);
    if (edited) this.#editedBatches++;
    await this.next.consumeTraces(batch, edited ? withoutBodyHash(context) : context);
  }

  *#rows(batch: SpanBatch): Iterable<number> {
    const selected = this.#selected?.(batch);
    for (let row = 0; row < batch.count; row++) if (selected?.(row) ?? true) yield row;
  }
}
