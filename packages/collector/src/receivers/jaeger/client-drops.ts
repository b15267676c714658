import type { Counter, Telemetry } from '@clew/base';
import { SpanCursor } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import type { ClientStats, ThriftBatchResult } from '@clew/wire/jaeger';

/** Clients whose totals are remembered; beyond them the one that was silent longest is forgotten. */
const maxClients = 1000;
const maxIdLength = 128;

/**
 * Counts the spans that Jaeger's clients say they lost before they sent anything. Each batch carries totals since the client started, so
 * what counts is their growth, by the client's `client-uuid`.
 */
export class ClientDrops {
  readonly #receiver: string;
  readonly #dropped: Counter;
  readonly #totals = new Map<string, ClientStats>();

  constructor({ meter }: Telemetry, receiver: string) {
    this.#receiver = receiver;
    this.#dropped = meter.counter({
      name: 'clew_receiver_client_dropped_spans_total',
      help: 'Spans that Jaeger clients report to have dropped before sending, by reason.',
      labels: ['receiver', 'reason'],
    });
  }

  /** Takes the totals that came with the spans decoded last, which are the last of `batch`. */
  note({ clientStats: stats, spans }: Pick<ThriftBatchResult, 'clientStats' | 'spans'>, batch: SpanBatch): void {
    // Without a span there is no resource that would say which client it was.
    if (stats === undefined || spans === 0) return;
    const client = clientOf(batch);
    if (client === undefined) return;
    const before = this.#totals.get(client);
    this.#totals.delete(client);
    this.#totals.set(client, stats);
    if (this.#totals.size > maxClients) this.#totals.delete(this.#totals.keys().next().value!);
    // The first totals of a client may be of a time when Clew did not run.
    if (before === undefined) return;
    this.#add('queue_full', stats.fullQueueDroppedSpans - before.fullQueueDroppedSpans);
    this.#add('too_large', stats.tooLargeDroppedSpans - before.tooLargeDroppedSpans);
    this.#add('failed_to_emit', stats.failedToEmitSpans - before.failedToEmitSpans);
  }

  #add(reason: string, spans: bigint): void {
    if (spans > 0n) this.#dropped.add(Number(spans), { receiver: this.#receiver, reason });
  }
}

function clientOf(batch: SpanBatch): string | undefined {
  const { resourceAttributes } = new SpanCursor(batch).moveTo(batch.count - 1);
  const id = resourceAttributes.findText('client-uuid') ? resourceAttributes.decodeString() : undefined;
  // A UUID has 36 characters; what is much longer is somebody filling memory.
  return id !== undefined && id.length <= maxIdLength ? id : undefined;
}
