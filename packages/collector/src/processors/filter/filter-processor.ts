import { selectSpans } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { PassThrough, withoutBodyHash } from '@clew/pipeline';
import type { ConsumeContext, CreateSettings, TracesConsumer } from '@clew/pipeline';
import { SpanMatcher, selection } from '../common/span-matcher.ts';
import type { RowTest } from '../common/span-matcher.ts';
import type { FilterConfig } from './config.ts';
import { filterEvents } from './telemetry.ts';
import type { FilterEvents } from './telemetry.ts';

/** Drops spans that `include` does not match or `exclude` does. What is kept goes on in a batch of its own. */
export class FilterProcessor extends PassThrough {
  readonly mutatesData = false;
  readonly #config: FilterConfig;
  readonly #events: FilterEvents;
  readonly #kept: (batch: SpanBatch) => RowTest;
  #started = false;
  #filteredSpans = 0;

  constructor({ id, config, telemetry }: CreateSettings<FilterConfig>, next: TracesConsumer) {
    super(next);
    const { include, exclude } = config.spans ?? {};
    this.#config = config;
    this.#events = filterEvents(telemetry, id);
    this.#kept = selection(include && new SpanMatcher(include), exclude && new SpanMatcher(exclude));
  }

  override start(): Promise<void> {
    if (!this.#started) this.#events.configured(this.#config);
    this.#started = true;
    return Promise.resolve();
  }

  override snapshot(): Readonly<Record<string, unknown>> {
    return { filteredSpans: this.#filteredSpans };
  }

  override async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    const kept = this.#kept(batch);
    const mask = new Uint8Array(batch.count);
    let count = 0;
    for (let row = 0; row < mask.length; row++) {
      if (!kept(row)) continue;
      mask[row] = 1;
      count++;
    }
    if (count === batch.count) return this.next.consumeTraces(batch, context);
    this.#filteredSpans += batch.count - count;
    this.#events.filtered(batch.count - count);
    if (count > 0) await this.next.consumeTraces(selectSpans(batch, mask), withoutBodyHash(context));
  }
}
