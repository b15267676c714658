import { SpanBatch, compactBatch, concatInto } from '@clew/model';
import { Refusal } from '../consumer.ts';
import type { ConsumeContext, Durability, TracesConsumer } from '../consumer.ts';
import { combineDurability } from './durability.ts';

/** One consumer for several: the only one itself when there is but one. */
export function fanOut(consumers: readonly TracesConsumer[]): TracesConsumer {
  const only = consumers[0];
  return consumers.length === 1 && only !== undefined ? only : new FanOut(consumers);
}

/**
 * Gives every batch to several consumers. Those that mutate get copies of their own, made before anyone is called; those
 * that only read share the original. When nobody only reads, the last that mutates gets the original.
 *
 * Every branch is attempted, and none waits for another: a slow exporter does not delay the journal. The promise settles
 * when all have; what they threw is combined into one refusal.
 */
class FanOut implements TracesConsumer {
  /** True when the original goes to a consumer that mutates it. */
  readonly mutatesData: boolean;
  readonly #mutating: readonly TracesConsumer[];
  readonly #reading: readonly TracesConsumer[];

  constructor(consumers: readonly TracesConsumer[]) {
    this.#mutating = consumers.filter((consumer) => consumer.mutatesData);
    this.#reading = consumers.filter((consumer) => !consumer.mutatesData);
    this.mutatesData = this.#mutating.length > 0 && this.#reading.length === 0;
  }

  durability(): Durability {
    return combineDurability([...this.#mutating, ...this.#reading].map((consumer) => consumer.durability()));
  }

  admit(requestBytes: number): Refusal | undefined {
    for (const consumer of this.#mutating) {
      const refusal = consumer.admit(requestBytes);
      if (refusal !== undefined) return refusal;
    }
    for (const consumer of this.#reading) {
      const refusal = consumer.admit(requestBytes);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    // Readers that share a batch must not compact its edits under each other's cursors.
    compactBatch(batch);
    const copies = this.#mutating.length - (this.mutatesData ? 1 : 0);
    const own = Array.from({ length: copies }, () => copyOf(batch));
    if (copies < this.#mutating.length) own.push(batch);
    const deliveries = [
      ...this.#mutating.map((consumer, index) => attempt(consumer, own[index]!, context)),
      ...this.#reading.map((consumer) => attempt(consumer, batch, context)),
    ];
    const outcomes = await Promise.allSettled(deliveries);
    const refusals = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [Refusal.from(outcome.reason)] : [],
    );
    if (refusals.length > 0) throw combineRefusals(refusals);
  }
}

/** Calls a consumer so that what it throws at once is a rejection too, and keeps no branch from being attempted. */
async function attempt(consumer: TracesConsumer, batch: SpanBatch, context: ConsumeContext): Promise<void> {
  await consumer.consumeTraces(batch, context);
}

function copyOf(batch: SpanBatch): SpanBatch {
  const copy = new SpanBatch();
  concatInto(copy, batch);
  return copy;
}

/**
 * One refusal for several. Permanent as soon as one is: a sender that retried would duplicate the data in the branches that
 * took it. Otherwise the longest wait any branch asked for holds.
 */
export function combineRefusals(refusals: readonly [Refusal, ...Refusal[]] | readonly Refusal[]): Refusal {
  const leading = refusals.find((refusal) => !refusal.retryable) ?? refusals[0]!;
  if (refusals.length === 1) return leading;
  const waits = refusals.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]));
  const message = [...new Set(refusals.map((refusal) => refusal.message))].join('; ');
  const retryAfterMs = leading.retryable && waits.length > 0 ? { retryAfterMs: Math.max(...waits) } : {};
  return new Refusal(leading.code, message, { cause: leading, details: leading.details, ...retryAfterMs });
}
